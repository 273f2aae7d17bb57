internal import WeirCore
internal import WeirTerminal
internal import WeirYAML

/// Reads a dashboard file strictly.
///
/// Format: docs/dashboards.md.
package enum DashboardLoader {
    /// - `text`: The YAML.
    /// - `name`: What it is called by.
    package static func load(_ text: String, name: String) throws(DashboardError) -> Dashboard {
        let root: YAMLNode
        do throws(YAMLError) {
            root = try YAMLParser.parse(text)
        } catch {
            throw .yaml(error)
        }
        let fields = try YAMLFields(
            root,
            place: "a dashboard",
            known: ["title", "description", "range", "refresh", "interval", "variables", "rows"]
        )
        var variables: [DashboardVariable] = []
        for node in try fields.list("variables", 0...16) ?? [] {
            let next = try variable(node)
            guard !variables.contains(where: { $0.name == next.name }) else {
                throw .wrongValue(line: node.line, key: "name", expected: "used once")
            }
            if case .labelValues(_, let match?) = next.source {
                try check(match, line: node["metric"]?.line ?? node.line, variables)
            }
            variables.append(next)
        }
        guard let rowNodes = try fields.list("rows", 1...64) else {
            throw .missingKey(line: fields.line, key: "rows", place: "a dashboard")
        }
        var rows: [DashboardRow] = []
        for node in rowNodes { rows.append(try row(node, variables)) }
        return Dashboard(
            name: name,
            title: try fields.requiredText("title"),
            description: try fields.text("description") ?? "",
            rangeMilliseconds: try fields.duration(
                "range",
                min: 10_000,
                expected: "a duration of 10s at least"
            ) ?? 3_600_000,
            refreshMilliseconds: try fields.duration(
                "refresh",
                min: 1000,
                expected: "a duration of 1s at least"
            ) ?? 10_000,
            intervalMilliseconds: try fields.duration(
                "interval",
                min: 100,
                expected: "a duration of 100ms at least"
            ) ?? 15_000,
            variables: variables,
            rows: rows
        )
    }

    private static func variable(_ node: YAMLNode) throws(DashboardError) -> DashboardVariable {
        let fields = try YAMLFields(
            node,
            place: "a variable",
            known: ["name", "label", "metric", "values", "default", "all"]
        )
        let name = try fields.requiredText("name")
        guard TemplateText.isName(name) else {
            throw .wrongValue(
                line: fields.node("name")?.line ?? node.line,
                key: "name",
                expected: "letters, digits and `_`, a letter first"
            )
        }
        let source: DashboardVariable.Source
        if let label = try fields.text("label") {
            guard !fields.has("values") else {
                throw .wrongValue(
                    line: node.line,
                    key: "values",
                    expected: "left out beside `label`"
                )
            }
            source = .labelValues(label: label, match: try fields.text("metric"))
        } else {
            guard let items = try fields.list("values", 1...1000) else {
                throw .missingKey(line: node.line, key: "label` or `values", place: "a variable")
            }
            var values: [String] = []
            for item in items {
                guard let text = item.string else {
                    throw .wrongValue(line: item.line, key: "values", expected: "a list of texts")
                }
                values.append(text)
            }
            source = .list(values)
        }
        return DashboardVariable(
            name: name,
            source: source,
            defaultValue: try fields.text("default"),
            hasAll: try fields.flag("all") ?? false
        )
    }

    private static func row(
        _ node: YAMLNode,
        _ variables: [DashboardVariable]
    ) throws(DashboardError) -> DashboardRow {
        let fields = try YAMLFields(node, place: "a row", known: ["title", "height", "panels"])
        guard let nodes = try fields.list("panels", 1...12) else {
            throw .missingKey(line: node.line, key: "panels", place: "a row")
        }
        var panels: [Panel] = []
        for node in nodes { panels.append(try panel(node, variables)) }
        return DashboardRow(
            title: try fields.text("title") ?? "",
            height: try fields.integer("height", 3...60) ?? 12,
            panels: panels
        )
    }

    private static func panel(
        _ node: YAMLNode,
        _ variables: [DashboardVariable]
    ) throws(DashboardError) -> Panel {
        let fields = try YAMLFields(
            node,
            place: "a panel",
            known: [
                "title", "description", "kind", "width", "queries", "unit", "decimals", "min",
                "max", "thresholds", "reduce", "limit", "text", "sort",
            ]
        )
        guard
            let kind = try fields.choice(
                "kind",
                Panel.Kind.self,
                reserved: ["heatmap", "alerts"]
            )
        else { throw .missingKey(line: node.line, key: "kind", place: "a panel") }
        var panel = Panel(title: try fields.requiredText("title"), kind: kind)
        panel.description = try fields.text("description") ?? ""
        panel.width = try fields.integer("width", 1...12) ?? 1
        panel.unit = try fields.choice("unit", ValueUnit.self) ?? .short
        panel.decimals = try fields.integer("decimals", 0...9)
        panel.minimum = try fields.number("min")
        panel.maximum = try fields.number("max")
        if let low = panel.minimum, let high = panel.maximum, low >= high {
            throw .wrongValue(line: node.line, key: "max", expected: "greater than `min`")
        }
        panel.reduction = try fields.choice("reduce", Panel.Reduction.self) ?? .last
        panel.limit = try fields.integer("limit", 1...1000) ?? 50
        for node in try fields.list("thresholds", 0...8) ?? [] {
            panel.thresholds.append(try threshold(node))
        }
        if kind == .text {
            panel.text = try fields.requiredText("text")
            guard !fields.has("queries") else {
                throw .wrongValue(
                    line: fields.node("queries")?.line ?? node.line,
                    key: "queries",
                    expected: "left out of a text panel"
                )
            }
            return panel
        }
        guard !fields.has("text") else {
            throw .wrongValue(
                line: fields.node("text")?.line ?? node.line,
                key: "text",
                expected: "in a text panel only"
            )
        }
        guard let queries = try fields.list("queries", 1...16) else {
            throw .missingKey(line: node.line, key: "queries", place: "a \(kind.rawValue) panel")
        }
        if let sort = try fields.choice("sort", TraceOrder.self) {
            guard kind == .traces else {
                throw .wrongValue(
                    line: fields.node("sort")?.line ?? node.line,
                    key: "sort",
                    expected: "in a traces panel only"
                )
            }
            panel.isByDuration = sort == .duration
        }
        let language: QueryLanguage =
            kind == .logs ? .logql : kind == .traces ? .traceql : .promql
        for node in queries { panel.queries.append(try query(node, language, variables)) }
        return panel
    }

    private static func threshold(_ node: YAMLNode) throws(DashboardError) -> ChartThreshold {
        let fields = try YAMLFields(node, place: "a threshold", known: ["value", "level"])
        guard let value = try fields.number("value") else {
            throw .missingKey(line: node.line, key: "value", place: "a threshold")
        }
        guard let level = try fields.choice("level", ChartLevel.self) else {
            throw .missingKey(line: node.line, key: "level", place: "a threshold")
        }
        return ChartThreshold(value: value, level: level)
    }

    private static func query(
        _ node: YAMLNode,
        _ usual: QueryLanguage,
        _ variables: [DashboardVariable]
    ) throws(DashboardError) -> PanelQuery {
        if let text = node.string {
            try check(text, line: node.line, variables)
            return PanelQuery(expression: text, language: usual)
        }
        let fields = try YAMLFields(
            node,
            place: "a query",
            known: ["expr", "legend", "language"]
        )
        let language =
            try fields.choice("language", QueryLanguage.self) ?? usual
        guard usual == .promql ? language != .traceql : language == usual else {
            throw .wrongValue(
                line: fields.node("language")?.line ?? node.line,
                key: "language",
                expected: usual == .logql
                    ? "`logql` in a logs panel"
                    : usual == .traceql
                        ? "`traceql` in a traces panel" : "`promql` or `logql` here"
            )
        }
        let expression = try fields.requiredText("expr")
        try check(expression, line: fields.node("expr")?.line ?? node.line, variables)
        return PanelQuery(
            expression: expression,
            legend: try fields.text("legend"),
            language: language
        )
    }

    private static func check(
        _ text: String,
        line: Int,
        _ variables: [DashboardVariable]
    ) throws(DashboardError) {
        let known = variables.map { $0.name } + TemplateText.builtIn
        for name in TemplateText.names(in: text) where !known.contains(name) {
            throw .unknownVariable(
                line: line,
                name: name,
                nearest: EditDistance.nearest(to: name, among: known)
            )
        }
    }
}

/// Which traces come first.
private enum TraceOrder: String, CaseIterable {
    case recent
    case duration
}
