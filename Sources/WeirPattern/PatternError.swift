/// Why a pattern from a user could not be used.
package enum PatternError: Error, Hashable {
    /// PCRE2 refused `pattern` at `offset` with `reason`.
    case invalid(pattern: String, offset: Int, reason: String)
    /// The pattern is longer than is allowed.
    case tooLong(length: Int, limit: Int)
    /// Matching took more steps than a pattern may: it would run away.
    case tooExpensive(pattern: String, limit: Int)
}
