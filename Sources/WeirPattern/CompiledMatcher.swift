package import WeirCore

/// A `LabelMatcher` made ready to run over many streams.
package struct CompiledMatcher: Sendable {
    package let matcher: LabelMatcher
    private let pattern: Pattern?

    /// - Throws: `PatternError` when the matcher holds a bad regular expression.
    package init(_ matcher: LabelMatcher) throws(PatternError) {
        self.matcher = matcher
        switch matcher.operation {
        case .equal, .notEqual: pattern = nil
        case .matches, .notMatches: pattern = try Pattern(matcher.value)
        }
    }

    /// Says whether the empty value, and so an absent label, satisfies the matcher.
    package var matchesEmpty: Bool {
        (try? matches(value: [])) ?? false
    }

    /// The only value that satisfies the matcher, when there is just one.
    package var onlyValue: String? {
        switch matcher.operation {
        case .equal: matcher.value
        case .matches: pattern?.literals.flatMap { $0.count == 1 ? $0[0] : nil }
        case .notEqual, .notMatches: nil
        }
    }

    /// The only values that satisfy the matcher, when they can be listed.
    package var onlyValues: [String]? {
        switch matcher.operation {
        case .equal: [matcher.value]
        case .matches: pattern?.literals
        case .notEqual, .notMatches: nil
        }
    }

    package func matches(_ labels: Labels) throws(PatternError) -> Bool {
        guard let range = labels.valueRange(of: matcher.name) else { return try matches(value: []) }
        return try matches(value: labels.bytes[range])
    }

    package func matches(value: ArraySlice<UInt8>) throws(PatternError) -> Bool {
        switch matcher.operation {
        case .equal: matcher.value.utf8.elementsEqual(value)
        case .notEqual: !matcher.value.utf8.elementsEqual(value)
        case .matches: try pattern?.matches(value) ?? false
        case .notMatches: try !(pattern?.matches(value) ?? true)
        }
    }
}
