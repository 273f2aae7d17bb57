/// One rule file, read and checked.
package struct RuleFile: Sendable {
    package let path: String
    package let groups: [RuleGroup]

    package init(path: String, groups: [RuleGroup]) {
        self.path = path
        self.groups = groups
    }
}

/// Rules that are evaluated together, one after another.
///
/// Times are in milliseconds.
package struct RuleGroup: Sendable {
    package let name: String
    package let file: String
    package let line: Int
    /// Nil for the server's default.
    ///
    /// Meaningless beside a schedule.
    package let intervalMilliseconds: Int64?
    package let schedule: CronSchedule?
    /// The most series or alerts a rule may give; 0 for no limit.
    package let limit: Int
    /// How far behind the clock rules look.
    package let queryOffsetMilliseconds: Int64
    /// Of all its rules' expressions.
    package var language = RuleLanguage.automatic
    package let rules: [Rule]
}

/// A name and a text with it: one label or annotation.
package struct NamedText: Hashable, Sendable {
    package let name: String
    package let value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// One recording or alerting rule.
package struct Rule: Sendable {
    package enum Kind: Hashable, Sendable {
        case recording
        /// Times are in milliseconds.
        case alerting(forMilliseconds: Int64, keepFiringForMilliseconds: Int64)
    }

    /// A label or annotation of an alert, with its template ready.
    package struct NamedTemplate: Sendable {
        package let name: String
        package let template: Template
    }

    package let kind: Kind
    /// The metric or the alert.
    package let name: String
    package let expression: String
    package let line: Int
    /// The group's labels and the rule's own, by name.
    package let labels: [NamedTemplate]
    package let annotations: [NamedTemplate]

    package var isAlert: Bool { kind != .recording }
}
