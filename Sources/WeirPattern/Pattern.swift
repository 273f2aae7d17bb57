/// A compiled regular expression, anchored at both ends, with limits on length and on work.
///
/// Literal patterns and alternations of literals (`a|b|c`) are recognised and matched without
/// PCRE2. Safe to use from any thread.
package final class Pattern: Sendable {
    /// The longest pattern taken, in bytes.
    package static let lengthMax = 16 * 1024
    /// The most backtracking steps one match may take.
    package static let matchStepsMax = 1_000_000

    package let text: String
    /// The only values that match, when the pattern is plain literals; else nil.
    package let literals: [String]?
    /// Nil when there are literals.
    private let code: CompiledCode?

    package init(_ text: String) throws(PatternError) {
        self.text = text
        let literals = text.utf8.count <= Self.lengthMax ? Self.literalAlternatives(text) : nil
        self.literals = literals
        code = literals == nil ? try CompiledCode(text, .anchored) : nil
    }

    /// Says whether the whole of `value` matches.
    package func matches(_ value: String) throws(PatternError) -> Bool {
        try matches(Array(value.utf8)[...])
    }

    /// Says whether the whole of `value` matches, given as UTF-8 bytes.
    package func matches(_ value: ArraySlice<UInt8>) throws(PatternError) -> Bool {
        guard let code else {
            return literals?.contains { $0.utf8.elementsEqual(value) } ?? false
        }
        return try unsafe value.withUnsafeBufferPointer { buffer throws(PatternError) in
            try unsafe code.matches(buffer)
        }
    }

    private static func literalAlternatives(_ text: String) -> [String]? {
        let special = Set("\\.+*?()[]{}^$".utf8)
        guard !text.utf8.contains(where: { special.contains($0) }) else { return nil }
        return text.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
    }
}
