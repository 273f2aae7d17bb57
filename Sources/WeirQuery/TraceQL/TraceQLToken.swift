/// One lexical element of TraceQL.
///
/// Keywords are identifiers: the parser knows where they count.
package struct TraceQLToken: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case end
        case identifier(String)
        case attribute(TraceQLAttribute)
        case integer(Int64)
        case double(Double)
        /// Nanoseconds.
        case duration(Int64)
        case string(String)
        /// Punctuation, as it is written.
        case symbol(String)
    }

    package let kind: Kind
    /// Byte offsets of the token in the query text.
    package let range: Range<Int>
}
