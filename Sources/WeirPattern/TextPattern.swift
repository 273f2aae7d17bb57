/// A regular expression that is searched for anywhere in a line, given as bytes that need not be
/// UTF-8.
///
/// The same limits as `Pattern`. Safe to use from any thread.
package final class TextPattern: Sendable {
    package let text: String
    private let code: CompiledCode

    package init(_ text: String) throws(PatternError) {
        self.text = text
        code = try CompiledCode(text, .none, takesInvalidUTF8: true)
    }

    /// Says whether the pattern occurs anywhere in `value`.
    ///
    /// - Throws: `.tooExpensive`.
    package func occurs(in value: Span<UInt8>) throws(PatternError) -> Bool {
        // SAFETY: the match data refers to the subject only while `matches` runs.
        try unsafe value.withUnsafeBufferPointer { buffer throws(PatternError) in
            try unsafe code.matches(buffer)
        }
    }

    /// The byte range of each group of the first match, the whole match first; nil without one.
    package func groups(in subject: [UInt8]) throws(PatternError) -> [Range<Int>?]? {
        try code.groups(in: subject)
    }

    /// The number of the group called `name`, or nil.
    package func groupNumber(of name: String) -> Int? { code.groupNumber(of: name) }
}
