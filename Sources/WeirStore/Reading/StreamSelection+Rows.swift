internal import Synchronization
internal import WeirColumns
package import WeirCore
internal import WeirSystem

extension StreamSelection {
    /// Calls `body` once for each stream with rows in range, with their times in nanoseconds,
    /// ascending, and all columns; `rows` are those in range.
    ///
    /// Called from several threads at once, for different streams.
    ///
    /// - Throws: `StoreError.budget` when `budget` said stop or `body` returned false.
    package func scanRows(
        schema: StreamSchema,
        budget: some ScanBudget,
        _ body:
            @escaping @Sendable (
                _ stream: Int, _ times: [Int64], _ columns: [ColumnValues], _ rows: Range<Int>
            ) -> Bool
    ) throws(StoreError) {
        let pieces = pieces()
        let shared = ScanState()
        store.scanPool.forEach(count: pieces.count) { index in
            guard !shared.isStopped.load(ordering: .relaxed) else { return }
            var worker = RowScan(selection: self, schema: schema)
            let isDone = worker.run(pieces[index], budget: budget, body)
            if !isDone { shared.isStopped.store(true, ordering: .relaxed) }
        }
        if shared.isStopped.load(ordering: .relaxed) { throw .budget }
    }
}

/// One thread's work on a piece of a scan of whole rows.
private struct RowScan {
    private let selection: StreamSelection
    private let columnCount: Int
    private let decoder = PageDecoder()
    private var gathered: RowRun
    private var scratch: [Int64] = []

    init(selection: StreamSelection, schema: StreamSchema) {
        self.selection = selection
        columnCount = schema.columns.count
        gathered = RowRun(schema: schema)
    }

    /// - Returns: False when the scan is to stop.
    mutating func run(
        _ streams: Range<Int>,
        budget: some ScanBudget,
        _ body: (Int, [Int64], [ColumnValues], Range<Int>) -> Bool
    ) -> Bool {
        let columnCount = columnCount
        guard
            var piece = PieceBlocks(
                selection,
                streams,
                columns: { _ in Set(0..<columnCount) },
                decoder: decoder,
                budget: budget
            )
        else { return false }
        for stream in streams {
            gathered.removeAll()
            for run in piece.runs(of: stream) {
                do throws(DecodeError) {
                    try append(run, piece.loaded)
                } catch {
                    selection.setAside(run.source, error, budget)
                    gathered.removeAll()
                    break
                }
            }
            gathered.normalize()
            let (times, wanted) = (gathered.times, selection.times)
            let lower = times.partitioningIndex { $0 >= wanted.lowerBound }
            let upper = times.partitioningIndex { $0 > wanted.upperBound }
            guard lower < upper else { continue }
            if !body(stream, times, gathered.columns, lower..<upper) { return false }
        }
        return true
    }

    private mutating func append(
        _ run: PieceBlocks.Run,
        _ loaded: [PieceBlocks.Loaded]
    ) throws(DecodeError) {
        switch selection.sources[run.source].place {
        case .memory(let part):
            let rows = part.starts[run.run]..<part.starts[run.run + 1]
            gathered.append { times, columns in
                times.append(contentsOf: part.times[rows])
                for column in columns.indices {
                    columns[column].append(rows, of: part.columns[column])
                }
            }
        case .segment:
            let block = loaded[run.source].blocks[run.block]
            try gathered.append { (times, columns) throws(DecodeError) in
                try block.appendTimes(ofRun: run.run, to: &times)
                for column in columns.indices {
                    try block.appendColumn(
                        column,
                        ofRun: run.run,
                        to: &columns[column],
                        scratch: &scratch
                    )
                }
            }
        }
    }
}
