/// What came before a tail began.
struct TailHistory: Sendable {
    /// Oldest first.
    var rows: FollowedRows
    /// The last batch that was visible when it was read.
    var sequence: UInt64
    /// Why it could not be read; the tail then ends with these words.
    var failure: String?
}
