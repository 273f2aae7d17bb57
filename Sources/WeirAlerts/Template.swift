package import WeirCore

/// A parsed template: the part of Go's text/template that rules use, with Prometheus's functions.
///
/// Taken: text, `{{ pipeline }}`, trim marks, comments, variables, `if`/`else if`/`else`, `range`,
/// `with`, `break`, `continue`. Not taken: `define`, `template`, `block`; refused by name.
package struct Template: Sendable {
    package let text: String
    let nodes: [TemplateNode]

    /// A text with no actions in it, whatever it looks like.
    package init(plain text: String) {
        self.text = text
        nodes = text.isEmpty ? [] : [.text(text)]
    }

    /// - Throws: `TemplateError`; also for a function that does not exist.
    package init(parsing text: String) throws(TemplateError) {
        self.text = text
        nodes = try TemplateParser.parse(text)
    }

    /// - Throws: `TemplateError` for wrong types, failed queries and limits.
    package func expand(_ context: TemplateContext) throws(TemplateError) -> String {
        if case .text(let text)? = nodes.first, nodes.count == 1 { return text }
        if nodes.isEmpty { return "" }
        var expansion = TemplateExpansion(context)
        try expansion.run(nodes)
        return expansion.output
    }

    /// The expanded text, or what Prometheus puts in its place when that fails.
    package func expandOrExplain(_ context: TemplateContext) -> String {
        do throws(TemplateError) {
            return try expand(context)
        } catch {
            return "<error expanding template: error executing template"
                + " __alert_\(context.alertName): \(error.reason)>"
        }
    }
}

/// What an expansion can refer to.
package struct TemplateContext: Sendable {
    package let alertName: String
    package let labels: [String: String]
    package let externalLabels: [String: String]
    package let externalURL: String
    package let value: Double
    /// Evaluates an expression at the alert's time, for `query`.
    package let query: @Sendable (String) throws(RuleEvaluationError) -> [RuleSample]

    package init(
        alertName: String,
        labels: Labels,
        externalLabels: [String: String] = [:],
        externalURL: String = "",
        value: Double,
        query: @escaping @Sendable (String) throws(RuleEvaluationError) -> [RuleSample]
    ) {
        self.alertName = alertName
        self.labels = TemplateValue.dictionary(labels)
        self.externalLabels = externalLabels
        self.externalURL = externalURL
        self.value = value
        self.query = query
    }
}
