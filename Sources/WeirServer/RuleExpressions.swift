package import WeirAlerts
internal import WeirQuery

/// The parts of rule evaluation that need no store: for `weir rules check`.
package enum RuleExpressions {
    /// An evaluator that checks and evaluates nothing.
    package struct Checker: RuleEvaluator {
        package init() {}
        package func check(_ expression: String) -> String? { RuleExpressions.check(expression) }

        package func evaluate(
            _ expression: String,
            atMilliseconds: Int64
        ) throws(RuleEvaluationError) -> [RuleSample] { [] }

        package func write(
            _ samples: [RuleSample],
            atMilliseconds: Int64
        ) throws(RuleEvaluationError) {}
    }

    static func check(_ expression: String) -> String? {
        do throws(QueryError) {
            try PromQL.check(expression)
            return nil
        } catch {
            return error.message(query: expression)
        }
    }

    static func canonical(_ expression: String) -> String {
        guard let parsed = try? PromQL.parse(expression) else { return expression }
        return PromQLPrinter.print(parsed)
    }
}
