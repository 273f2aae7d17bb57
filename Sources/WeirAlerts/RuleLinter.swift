/// Finds what is wrong with a rule file without running it: for `weir rules check`.
package enum RuleLinter {
    /// What a check found.
    package struct Report: Sendable {
        package let groupCount: Int
        package let ruleCount: Int
        /// In order of lines; the file is used only when there are none.
        package let problems: [RuleProblem]
        /// Questionable, but used.
        package let warnings: [RuleProblem]
    }

    package static func check(
        text: String,
        path: String,
        evaluator: any RuleEvaluator
    ) -> Report {
        var reader = RuleFileReader(path: path)
        let groups = reader.read(text)
        var problems = reader.problems
        var warnings: [RuleProblem] = []
        var seen: [String: Int] = [:]
        let rules = groups.flatMap { group in group.rules.map { (group.language, $0) } }
        for (language, rule) in rules {
            if let reason = evaluator.check(rule.expression, language: language) {
                problems.append(
                    RuleProblem(
                        path: path,
                        line: rule.line,
                        reason: "expr of \(rule.name): \(reason)"
                    )
                )
            }
            let labels = rule.labels.map { "\($0.name)=\($0.template.text)" }
            let key = "\(rule.isAlert) \(rule.name) \(labels.joined(separator: ","))"
            if let first = seen[key] {
                warnings.append(
                    RuleProblem(
                        path: path,
                        line: rule.line,
                        reason: "\(rule.name) with the same labels is already at line \(first):"
                            + " their results may be the same series"
                    )
                )
            } else {
                seen[key] = rule.line
            }
        }
        for group in groups where group.rules.isEmpty {
            warnings.append(
                RuleProblem(
                    path: path,
                    line: group.line,
                    reason: "group \(group.name) has no rules"
                )
            )
        }
        return Report(
            groupCount: groups.count,
            ruleCount: groups.reduce(0) { $0 + $1.rules.count },
            problems: problems.sorted { $0.line < $1.line },
            warnings: warnings.sorted { $0.line < $1.line }
        )
    }
}
