internal import WeirCore
internal import WeirQuery

/// A compiled query, asked of each batch as it arrives.
protocol LogFollowFilter: Sendable {
    /// The rows of `batch` that the query yields, as it yields them, in the order they were sent.
    func rows(of batch: RowBatch) throws(QueryError) -> FollowedRows
}

/// Some rows of a batch: of the one that arrived, or of one that a query made of it.
struct FollowedRows: Sendable {
    let batch: RowBatch
    /// Ascending.
    let rows: [UInt32]

    static let none = FollowedRows(batch: RowBatch(signal: .logs), rows: [])

    init(batch: RowBatch, rows: [UInt32]) {
        self.batch = batch
        self.rows = rows
    }

    /// What a query answered, as a batch of its own.
    init(_ entries: some Sequence<LogEntry>) {
        var batch = RowBatch(signal: .logs)
        var indexes: [Labels: UInt32] = [:]
        let body = batch.fields.index(of: FieldTable.bodyName.utf8.span, hint: -1)
        for (row, entry) in entries.enumerated() {
            let labels =
                entry.streamPairs.count == entry.stream.pairs.count
                ? entry.stream : Labels(entry.streamPairs.map { ($0.name, $0.value) })
            if let known = indexes[labels] {
                batch.streamIndexes.append(known)
            } else {
                let index = UInt32(batch.streams.count)
                indexes[labels] = index
                batch.streams.append(labels)
                batch.firstLines.append(0)
                batch.streamIndexes.append(index)
            }
            batch.times.append(entry.time)
            if !entry.isLineMade {
                batch.fields.set(body, row: row, kind: .text, value: entry.line.span)
            }
            var hint = 1
            for field in entry.fields {
                let index = batch.fields.index(of: field.name.utf8.span, hint: hint)
                batch.fields.set(index, row: row, kind: field.kind, value: field.value.span)
                hint = index + 1
            }
        }
        self.init(batch: batch, rows: Array(0..<UInt32(batch.rowCount)))
    }
}

/// LogQL asked of batches.
struct LogQLFollowFilter: LogFollowFilter {
    private let follow: LogFollow

    init(_ query: LogQLQuery) throws(QueryError) { follow = try LogFollow(query) }

    func rows(of batch: RowBatch) throws(QueryError) -> FollowedRows {
        switch try follow.rows(of: batch, context: QueryContext()) {
        case .rows(let rows): FollowedRows(batch: batch, rows: rows)
        case .entries(let entries): FollowedRows(entries)
        }
    }
}
