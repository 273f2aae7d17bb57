/// How one rule fares, for the API: a snapshot.
///
/// Times are Unix milliseconds.
package struct RuleStatus: Sendable {
    package enum Health: String, Hashable, Sendable {
        case unknown
        case ok
        case failed = "err"
    }

    package let rule: Rule
    /// The expression as Prometheus would print it.
    package let query: String
    package var health = Health.unknown
    package var lastError: String?
    package var evaluationSeconds = 0.0
    package var lastEvaluation: Int64?
    /// Pending and firing alerts, in order of labels.
    package var alerts: [ActiveAlert] = []

    package init(rule: Rule, query: String) {
        self.rule = rule
        self.query = query
    }

    package var phase: AlertPhase { alerts.map(\.phase).max() ?? .inactive }
}

/// How one group fares, for the API: a snapshot.
package struct RuleGroupStatus: Sendable {
    package let key: RuleGroupKey
    package let intervalMilliseconds: Int64
    package let schedule: String?
    package let limit: Int
    package var rules: [RuleStatus]
    package var evaluationSeconds = 0.0
    /// When it was last evaluated, by the clock.
    package var lastEvaluation: Int64?
    /// Missed ticks that recording rules made up for, and ticks that were left out.
    package var caughtUpCount = 0
    package var skippedCount = 0
}
