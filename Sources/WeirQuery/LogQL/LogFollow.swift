internal import Synchronization
package import WeirCore

/// A log query made ready to be asked of batches as they arrive.
package final class LogFollow: Sendable {
    /// What a query yields of a batch.
    package enum Found: Sendable {
        /// These rows as they are, ascending: no stage changes a row.
        case rows([UInt32])
        /// What the stages made of the rows that pass, in the order they were sent.
        case entries([LogEntry])
    }

    private let query: LogQLQuery
    private let pipeline: LogPipeline
    private let changesRows: Bool

    /// - Throws: What is wrong with the query, such as a regular expression.
    package init(_ query: LogQLQuery) throws(QueryError) {
        self.query = query
        pipeline = try LogPipeline(query.stages, need: LogPipeline.Need(labels: nil, line: true))
        changesRows = query.stages.contains { stage in
            switch stage {
            case .line, .label: false
            default: true
            }
        }
    }

    /// The rows of `batch` that the query yields.
    package func rows(of batch: RowBatch, context: QueryContext) throws(QueryError) -> Found {
        let scan = try LogScan(
            pipeline,
            matchers: query.matchers,
            source: BatchRowSource(batch),
            context: context
        )
        guard !scan.streams.labels.isEmpty else { return .rows([]) }
        let rows = Mutex<[UInt32]>([])
        let entries = Mutex<[(row: UInt32, entry: LogEntry)]>([])
        try scan.selection.scan(
            Array(scan.selection.blocks.indices),
            isWanted: { _ in true },
            { (index, block) throws(QueryError) in
                let view = LogBlockView(
                    block,
                    index: index,
                    streams: scan.streams,
                    context: context
                )
                let state = LogRowState(view)
                for part in try scan.parts(view) {
                    if !self.changesRows, part.rest.isEmpty {
                        rows.withLock { $0 += part.rows }
                        continue
                    }
                    for row in part.rows {
                        state.start(Int(row))
                        guard try state.run(part.rest) else { continue }
                        if self.changesRows {
                            let entry = try state.entry()
                            entries.withLock { $0.append((row, entry)) }
                        } else {
                            rows.withLock { $0.append(row) }
                        }
                    }
                }
            }
        )
        if changesRows {
            let found = entries.withLock { $0.sorted { $0.row < $1.row } }
            return .entries(found.map(\.entry))
        }
        return .rows(rows.withLock { $0.sorted() })
    }
}
