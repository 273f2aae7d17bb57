/// One thing that is wrong with a rule file.
package struct RuleProblem: Hashable, Sendable, CustomStringConvertible {
    package let path: String
    /// Counted from 1.
    package let line: Int
    package let reason: String

    package init(path: String, line: Int, reason: String) {
        self.path = path
        self.line = line
        self.reason = reason
    }

    /// `rules/shop.yaml:12: …`.
    package var description: String { "\(path):\(line): \(reason)" }
}

/// Why a rule file is not used: all that is wrong with it, in order of lines.
package struct RuleFileError: Error, Hashable {
    package let problems: [RuleProblem]
}
