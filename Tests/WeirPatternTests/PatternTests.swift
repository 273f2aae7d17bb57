import Testing
import WeirCore
import WeirPattern

@Suite struct PatternTests {
    @Test(
        arguments: [
            ("a", "a", true), ("a", "ab", false), ("a|b", "b", true), ("a|b", "", false),
            ("", "", true), ("", "x", false), ("a.c", "abc", true), ("a.c", "a\nc", true),
            ("a.*", "abc", true), (".*b", "ab\n", false), ("(?i)ABC", "abc", true),
            ("a$|b", "a", true), ("[0-9]{3}", "123", true), ("é+", "éé", true), ("a|", "", true),
        ] as [(String, String, Bool)]
    )
    func matchesTheWholeValue(_ pattern: String, _ value: String, _ expected: Bool) throws {
        #expect(try Pattern(pattern).matches(value) == expected)
        #expect(try Pattern(pattern).matches(Array(value.utf8)[...]) == expected)
    }

    @Test func badPatternsAreRefusedWithTheirPlace() {
        do throws(PatternError) {
            _ = try Pattern("ab(")
            Issue.record("took a bad pattern")
        } catch {
            guard case .invalid("ab(", let offset, let reason) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(offset <= 3 && !reason.isEmpty)
        }
    }

    @Test func longPatternsAreRefused() {
        let text = String(repeating: "(a)", count: 6000)
        #expect(throws: PatternError.tooLong(length: 18_000, limit: Pattern.lengthMax)) {
            try Pattern(text)
        }
    }

    @Test func runawaysAreStoppedByName() throws {
        let pattern = try Pattern("(x+x+)+y")
        let value = String(repeating: "x", count: 5000) + "yz"
        #expect(
            throws: PatternError.tooExpensive(
                pattern: "(x+x+)+y",
                limit: Pattern.matchStepsMax
            )
        ) { try pattern.matches(value) }
    }

    @Test(
        arguments: [
            (.equal, "a", "a", true), (.equal, "", nil, true), (.notEqual, "a", nil, true),
            (.notEqual, "", nil, false), (.matches, "a|b", "b", true), (.matches, ".*", nil, true),
            (.matches, ".+", nil, false), (.notMatches, "a.*", "abc", false),
            (.notMatches, "a.*", nil, true),
        ] as [(LabelMatcher.Operation, String, String?, Bool)]
    )
    func absentLabelsAreEmpty(
        _ operation: LabelMatcher.Operation,
        _ value: String,
        _ actual: String?,
        _ expected: Bool
    ) throws {
        let matcher = try CompiledMatcher(
            LabelMatcher(name: "x", operation: operation, value: value)
        )
        let labels = Labels(actual.map { [("x", $0), ("y", "z")] } ?? [("y", "z")])
        #expect(try matcher.matches(labels) == expected)
    }

    @Test func theMetricNameIsALabel() throws {
        let matcher = try CompiledMatcher(
            LabelMatcher(name: "__name__", operation: .matches, value: "cpu_.*")
        )
        #expect(try matcher.matches(Labels([("__name__", "cpu_user")])))
        #expect(try !matcher.matches(Labels([("__name__", "mem")])))
    }
}
