/// One lexical element of LogQL.
///
/// Keywords are identifiers: the parser knows where they count.
package struct LogQLToken: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case end
        case identifier
        case number(Double)
        /// A duration literal such as `1h30m` or `1.5s`, in nanoseconds.
        case duration(Int64)
        /// A size literal such as `20MB`, in bytes.
        case bytes(Double)
        case string(String)
        /// `--strict`, without the dashes.
        case flag(String)
        case symbol(Symbol)
    }

    package enum Symbol: String, Hashable, Sendable, CaseIterable {
        case lineContains = "|="
        case lineMatches = "|~"
        case linePattern = "|>"
        case notPattern = "!>"
        case notEqual = "!="
        case notMatches = "!~"
        case matches = "=~"
        case equal = "=="
        case greaterOrEqual = ">="
        case lessOrEqual = "<="
        case pipe = "|"
        case assign = "="
        case greater = ">"
        case less = "<"
        case leftParenthesis = "("
        case rightParenthesis = ")"
        case leftBrace = "{"
        case rightBrace = "}"
        case leftBracket = "["
        case rightBracket = "]"
        case comma = ","
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case modulo = "%"
        case power = "^"
    }

    package let kind: Kind
    /// Byte offsets of the token in the query text.
    package let range: Range<Int>
}
