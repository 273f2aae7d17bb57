import Testing

@testable import WeirPattern

@Suite struct SearchPatternTests {
    @Test(arguments: [
        ("a+", "caat", true), ("^a+$", "caat", false), ("", "", true), ("x", "", false),
        ("ä.", "Bär", true),
    ])
    func patternsAreFoundAnywhere(pattern: String, text: String, isFound: Bool) throws {
        #expect(try SearchPattern(pattern).occurs(in: text) == isFound)
    }

    @Test(arguments: [
        ("(.*):(.*)", "host:80", "$2-${1}", "80-host"), ("a", "banana", "", "bnn"),
        ("(?P<x>an)", "banana", "[$x]", "b[an][an]a"), ("b", "abc", "$", "a$c"),
        ("b", "abc", "$$1", "a$1c"), ("(b)", "abc", "$1x", "ac"), ("(b)", "abc", "${1}x", "abxc"),
        ("(b)|(c)", "abc", "<$2>", "a<><c>"), ("b", "abc", "$9", "ac"), ("b", "abc", "${", "a${c"),
        ("x*", "ab", "-", "-a-b-"),
    ])
    func occurrencesAreReplaced(
        pattern: String,
        text: String,
        template: String,
        expected: String
    ) throws {
        #expect(try SearchPattern(pattern).replacingAll(in: text, with: template) == expected)
    }

    @Test func runawaysAndBadPatternsAreRefused() throws {
        #expect(throws: PatternError.self) { try SearchPattern("(") }
        let runaway = try SearchPattern("(a+)+$")
        #expect(throws: PatternError.self) {
            try runaway.occurs(in: String(repeating: "a", count: 60) + "b")
        }
        let long = String(repeating: "a", count: 100_000)
        #expect(throws: PatternError.self) {
            try SearchPattern("a").replacingAll(in: long, with: String(repeating: "b", count: 100))
        }
        let grown = try SearchPattern("a").replacingAll(
            in: "aaaa",
            with: String(repeating: "b", count: 9000)
        )
        #expect(grown.count == 36_000)
    }
}
