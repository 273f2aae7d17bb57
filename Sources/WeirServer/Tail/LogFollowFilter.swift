internal import WeirCore

/// A compiled query, asked of each batch as it arrives.
protocol LogFollowFilter: Sendable {
    /// The rows of `batch` that the query yields, as it yields them, in the order they were sent.
    func rows(of batch: RowBatch) -> FollowedRows
}

/// Some rows of a batch: of the one that arrived, or of one that a query made of it.
struct FollowedRows: Sendable {
    let batch: RowBatch
    /// Ascending.
    let rows: [UInt32]

    static let none = FollowedRows(batch: RowBatch(signal: .logs), rows: [])
}
