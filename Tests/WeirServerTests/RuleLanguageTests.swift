import Testing
import WeirAlerts
import WeirQuery

@testable import WeirServer

@Suite struct RuleLanguageTests {
    static let expressions: [(String, RuleLanguage, Bool)] = [
        ("up == 0", .automatic, false),
        ("rate({app=\"x\"}[5m])", .automatic, false),
        ("rate({app=\"x\"}[5m])", .logql, true),
        ("sum(rate({app=\"x\"} |= \"error\" [5m])) > 3", .automatic, true),
        ("sum by (a) (count_over_time({} | json [1m]))", .automatic, true),
    ]

    @Test(arguments: expressions)
    func expressionsAreReadAsWhatTheyAre(
        _ expression: String,
        _ language: RuleLanguage,
        _ isLogQL: Bool
    ) throws {
        switch try RuleExpressions.parse(expression, language: language) {
        case .promQL: #expect(!isLogQL)
        case .logQL: #expect(isLogQL)
        }
        #expect(RuleExpressions.check(expression, language: language) == nil)
    }

    @Test func errorsAreThoseOfTheLanguageMeant() throws {
        let piped = RuleExpressions.check("sum(rate({a=\"b\"} | jsn [5m]))", language: .automatic)
        #expect(piped?.contains("unknown stage \"jsn\"") ?? false)
        let plain = RuleExpressions.check("sum(nosuch(up))", language: .automatic)
        #expect(plain?.contains("unknown function with name \"nosuch\"") ?? false)
        let rows = RuleExpressions.check("{a=\"b\"} |= \"c\"", language: .automatic)
        #expect(rows?.contains("metric query") ?? false)
        #expect(RuleExpressions.check("{} |= \"c\"", language: .promql) != nil)
    }
}
