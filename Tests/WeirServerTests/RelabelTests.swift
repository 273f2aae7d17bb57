import Testing

@testable import WeirServer

@Suite struct RelabelTests {
    struct Case: Sendable, CustomStringConvertible {
        let description: String
        let rule: @Sendable () throws -> RelabelRule
        /// Nil when what has the labels is dropped.
        let expected: [String: String]?
        var labels = ["a": "foo", "b": "bar", "c": "baz"]
    }

    static let cases = [
        Case(
            description: "groups are written into the replacement",
            rule: {
                try RelabelRule(
                    sourceLabels: ["a"],
                    regex: "f(.*)",
                    targetLabel: "d",
                    replacement: "ch${1}-ch${1}"
                )
            },
            expected: ["a": "foo", "b": "bar", "c": "baz", "d": "choo-choo"]
        ),
        Case(
            description: "values are joined by the separator",
            rule: {
                try RelabelRule(
                    sourceLabels: ["a", "b"],
                    regex: "f(.*);(.*)r",
                    targetLabel: "a",
                    replacement: "b${1}${2}m"
                )
            },
            expected: ["a": "boobam", "b": "bar", "c": "baz"]
        ),
        Case(
            description: "the target is a template too",
            rule: {
                try RelabelRule(
                    sourceLabels: ["a"],
                    regex: "(?P<x>f)oo",
                    targetLabel: "${x}_name",
                    replacement: "$x"
                )
            },
            expected: ["a": "foo", "b": "bar", "c": "baz", "f_name": "f"]
        ),
        Case(
            description: "the regex is anchored",
            rule: {
                try RelabelRule(sourceLabels: ["a"], regex: "o", targetLabel: "d", replacement: "x")
            },
            expected: ["a": "foo", "b": "bar", "c": "baz"]
        ),
        Case(
            description: "an empty result deletes",
            rule: {
                try RelabelRule(
                    sourceLabels: ["a"],
                    regex: "foo",
                    targetLabel: "a",
                    replacement: ""
                )
            },
            expected: ["b": "bar", "c": "baz"]
        ),
        Case(
            description: "without sources a constant is set",
            rule: { try RelabelRule(targetLabel: "d", replacement: "x") },
            expected: ["a": "foo", "b": "bar", "c": "baz", "d": "x"]
        ),
        Case(
            description: "drop",
            rule: { try RelabelRule(action: .drop, sourceLabels: ["a"], regex: ".*o.*") },
            expected: nil
        ),
        Case(
            description: "keep",
            rule: { try RelabelRule(action: .keep, sourceLabels: ["a"], regex: "no-match") },
            expected: nil
        ),
        Case(
            description: "keepequal",
            rule: { try RelabelRule(action: .keepequal, sourceLabels: ["a"], targetLabel: "b") },
            expected: nil
        ),
        Case(
            description: "dropequal",
            rule: { try RelabelRule(action: .dropequal, sourceLabels: ["a"], targetLabel: "b") },
            expected: ["a": "foo", "b": "bar", "c": "baz"]
        ),
        Case(
            description: "hashmod",
            rule: {
                try RelabelRule(
                    action: .hashmod,
                    sourceLabels: ["c"],
                    modulus: 1000,
                    targetLabel: "d"
                )
            },
            expected: ["a": "foo", "b": "bar", "c": "baz", "d": "976"]
        ),
        Case(
            description: "labelmap",
            rule: { try RelabelRule(action: .labelmap, regex: "(b.*|c)", replacement: "my_$1") },
            expected: ["a": "foo", "b": "bar", "c": "baz", "my_b": "bar", "my_c": "baz"]
        ),
        Case(
            description: "labeldrop",
            rule: { try RelabelRule(action: .labeldrop, regex: "a|b") },
            expected: ["c": "baz"]
        ),
        Case(
            description: "labelkeep",
            rule: { try RelabelRule(action: .labelkeep, regex: "a|b") },
            expected: ["a": "foo", "b": "bar"]
        ),
        Case(
            description: "lowercase",
            rule: { try RelabelRule(action: .lowercase, sourceLabels: ["a"], targetLabel: "d") },
            expected: ["a": "FoO\u{DF}", "d": "foo\u{DF}"],
            labels: ["a": "FoO\u{DF}"]
        ),
        Case(
            description: "uppercase",
            rule: { try RelabelRule(action: .uppercase, sourceLabels: ["a"], targetLabel: "d") },
            expected: ["a": "FoO\u{DF}", "d": "FOO\u{DF}"],
            labels: ["a": "FoO\u{DF}"]
        ),
    ]

    @Test(arguments: cases) func rulesDoAsPrometheusDoes(_ one: Case) throws {
        var labels = LabelTable(one.labels.map { ($0.key, $0.value) })
        let rule = try one.rule()
        #expect(rule.problem == nil)
        let isKept = try rule.apply(to: &labels)
        #expect(isKept == (one.expected != nil))
        guard let expected = one.expected else { return }
        #expect(Dictionary(labels.pairs) { $1 } == expected)
    }

    @Test func unusableRulesAreNamed() throws {
        #expect(try RelabelRule(sourceLabels: ["a"]).problem?.contains("target_label") == true)
        #expect(
            try RelabelRule(action: .hashmod, targetLabel: "a").problem?.contains("modulus") == true
        )
        #expect(
            try RelabelRule(action: .labeldrop, sourceLabels: ["a"]).problem?.contains("regex")
                == true
        )
        #expect(
            try RelabelRule(action: .uppercase, targetLabel: "a", replacement: "x").problem?
                .contains("replacement") == true
        )
    }

    /// The test suite of RFC 1321.
    @Test(arguments: [
        ("", "d41d8cd98f00b204e9800998ecf8427e"),
        ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        (
            "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
            "57edf4a22be3c955ac49da2e2107b67a"
        ),
    ])
    func hashesAreThoseOfTheStandard(_ text: String, _ expected: String) {
        let hex = MD5.hash(Array(text.utf8)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count < 2 ? "0" + digits : digits
        }
        #expect(hex.joined() == expected)
    }
}
