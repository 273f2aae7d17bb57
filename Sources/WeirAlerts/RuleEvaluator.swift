package import WeirCore

/// One series' value at one moment: what an expression gives, or what a rule writes.
package struct RuleSample: Sendable {
    package let labels: Labels
    /// Zero where there is a histogram.
    package let value: Double
    package let histogram: NativeHistogram?

    package init(labels: Labels, value: Double, histogram: NativeHistogram? = nil) {
        self.labels = labels
        self.value = value
        self.histogram = histogram
    }

    /// The value that marks a series as ended.
    package static let staleValue = Double.staleMarker
}

/// Why an expression gave no answer, or samples were not taken.
package struct RuleEvaluationError: Error, Hashable {
    package let reason: String

    package init(reason: String) { self.reason = reason }
}

/// In what language an expression is written.
package enum RuleLanguage: String, Hashable, Sendable {
    /// PromQL where it parses as that, else LogQL.
    case automatic
    case promql
    case logql
}

/// What rules need of the rest of Weir: expressions evaluated and samples written.
///
/// Called from the rule loop's threads; may block.
package protocol RuleEvaluator: Sendable {
    /// The reason why the expression does not parse; nil when it does.
    func check(_ expression: String) -> String?

    /// The expression as Prometheus would print it.
    func canonical(_ expression: String) -> String

    /// The samples of an instant vector; a scalar is one sample with no labels.
    func evaluate(
        _ expression: String,
        atMilliseconds: Int64
    ) throws(RuleEvaluationError) -> [RuleSample]

    /// As `check`, in the language a group names.
    func check(_ expression: String, language: RuleLanguage) -> String?

    /// As `canonical`, in the language a group names.
    func canonical(_ expression: String, language: RuleLanguage) -> String

    /// As `evaluate`, in the language a group names.
    func evaluate(
        _ expression: String,
        language: RuleLanguage,
        atMilliseconds: Int64
    ) throws(RuleEvaluationError) -> [RuleSample]

    /// Stores results of recording rules, `ALERTS` and `ALERTS_FOR_STATE`. NaN payloads matter.
    func write(_ samples: [RuleSample], atMilliseconds: Int64) throws(RuleEvaluationError)
}

extension RuleEvaluator {
    package func canonical(_ expression: String) -> String { expression }

    package func check(_ expression: String, language: RuleLanguage) -> String? {
        check(expression)
    }

    package func canonical(_ expression: String, language: RuleLanguage) -> String {
        canonical(expression)
    }

    package func evaluate(
        _ expression: String,
        language: RuleLanguage,
        atMilliseconds: Int64
    ) throws(RuleEvaluationError) -> [RuleSample] {
        try evaluate(expression, atMilliseconds: atMilliseconds)
    }
}
