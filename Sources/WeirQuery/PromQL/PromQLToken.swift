/// One lexical element of PromQL.
///
/// Keywords are identifiers: the parser knows where they count.
package struct PromQLToken: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case end
        /// A name, a keyword or a metric name with colons; the text is in the source.
        case identifier
        case number(Double)
        /// A duration literal such as `1h30m`, in milliseconds.
        case duration(Int64)
        case string(String)
        case leftParenthesis
        case rightParenthesis
        case leftBrace
        case rightBrace
        case leftBracket
        case rightBracket
        case comma
        case colon
        case at
        case assign
        case matches
        case notMatches
        case add
        case subtract
        case multiply
        case divide
        case modulo
        case power
        case equal
        case notEqual
        case less
        case lessOrEqual
        case greater
        case greaterOrEqual
    }

    package let kind: Kind
    /// Byte offsets of the token in the query text.
    package let range: Range<Int>
}
