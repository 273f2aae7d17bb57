package import WeirAlerts
internal import WeirQuery

/// The parts of rule evaluation that need no store: for `weir rules check`.
package enum RuleExpressions {
    /// An evaluator that checks and evaluates nothing.
    package struct Checker: RuleEvaluator {
        package init() {}
        package func check(_ expression: String) -> String? {
            RuleExpressions.check(expression, language: .automatic)
        }

        package func check(_ expression: String, language: RuleLanguage) -> String? {
            RuleExpressions.check(expression, language: language)
        }

        package func evaluate(
            _ expression: String,
            atMilliseconds: Int64
        ) throws(RuleEvaluationError) -> [RuleSample] { [] }

        package func write(
            _ samples: [RuleSample],
            atMilliseconds: Int64
        ) throws(RuleEvaluationError) {}
    }

    /// An expression in the language it turned out to be written in.
    enum Parsed {
        case promQL(PromQLExpression)
        case logQL(LogQLExpression)
    }

    /// Reads an expression.
    ///
    /// Without a language named it is PromQL where it parses as that, and else LogQL where it is a
    /// metric query in that: what both would take, such as `rate({app="x"}[5m])`, is PromQL.
    static func parse(
        _ expression: String,
        language: RuleLanguage,
        hasExperiments: Bool = true
    ) throws(QueryError) -> Parsed {
        if language == .logql { return .logQL(try metric(expression)) }
        do throws(QueryError) {
            return .promQL(try PromQL.parse(expression, hasExperiments: hasExperiments))
        } catch {
            guard language == .automatic else { throw error }
            do throws(QueryError) {
                return .logQL(try metric(expression))
            } catch let other {
                // PromQL has no pipe: whoever wrote one meant LogQL.
                throw expression.utf8.contains(UInt8(ascii: "|")) ? other : error
            }
        }
    }

    private static func metric(_ expression: String) throws(QueryError) -> LogQLExpression {
        let parsed = try LogQL.parse(expression)
        guard parsed.type != .logs else {
            throw .parse(offset: 0, reason: "a rule needs a metric query, not a log query")
        }
        return parsed
    }

    static func check(
        _ expression: String,
        language: RuleLanguage,
        hasExperiments: Bool = true
    ) -> String? {
        do throws(QueryError) {
            _ = try parse(expression, language: language, hasExperiments: hasExperiments)
            return nil
        } catch {
            return error.message(query: expression)
        }
    }

    static func canonical(_ expression: String, language: RuleLanguage) -> String {
        guard let parsed = try? parse(expression, language: language) else { return expression }
        return switch parsed {
        case .promQL(let parsed): PromQLPrinter.print(parsed)
        case .logQL(let parsed): LogQLPrinter.print(parsed)
        }
    }
}
