internal import WeirColumns
internal import WeirCore

/// One thread's work on a piece of a scan of rollups.
///
/// Buffers are reused from series to series.
struct RollupScan {
    private let selection: StreamSelection
    /// Ascending.
    private let columns: [Int]
    private let decoder = PageDecoder()
    private var fold: RollupFold
    private var rows = RollupRows()
    private var folded = RollupRows()
    private var samples = RowRun(schema: .metrics)
    private var scratch: [Int64] = []
    /// The runs whose times are in `rows`, all of rollups and in order; empty when they cannot be
    /// shared.
    private var timesKey: [TimesKey] = []

    private struct TimesKey: Hashable {
        let source: Int
        let block: Int
        let run: Int
    }

    init(_ selection: StreamSelection, columns: Set<Int>, foldMilliseconds: Int64) {
        self.selection = selection
        self.columns = columns.sorted()
        fold = RollupFold(windowMilliseconds: foldMilliseconds, keepsResidue: true)
    }

    /// - Returns: False when the scan is to stop.
    mutating func run(
        _ streams: Range<Int>,
        budget: some ScanBudget,
        _ body: (Int, RollupRows) -> Bool
    ) -> Bool {
        let wanted = Set(columns)
        guard
            var piece = PieceBlocks(
                selection,
                streams,
                columns: { $0.resolution == nil ? [0] : wanted },
                decoder: decoder,
                budget: budget
            )
        else { return false }
        for stream in streams {
            let runs = piece.runs(of: stream)
            guard !runs.isEmpty else { continue }
            guard gather(runs, piece.loaded, budget: budget), !rows.times.isEmpty else { continue }
            if !body(stream, rows) { return false }
        }
        return true
    }

    /// Fills `rows` with those of one series.
    ///
    /// - Returns: False when they cannot be decoded; the segment is then quarantined.
    private mutating func gather(
        _ runs: [PieceBlocks.Run],
        _ loaded: [PieceBlocks.Loaded],
        budget: some ScanBudget
    ) -> Bool {
        let key = sharedTimes(of: runs, loaded)
        let isShared = !key.isEmpty && key == timesKey
        if !isShared { rows.times.removeAll(keepingCapacity: true) }
        for column in columns { rows.columns[column].removeAll() }
        samples.removeAll()
        timesKey = []
        for run in runs {
            do throws(DecodeError) {
                try append(run, loaded, needsTimes: !isShared)
            } catch {
                selection.setAside(run.source, error, budget)
                return false
            }
        }
        if isShared {
            timesKey = key
            return true
        }
        appendFolded()
        let isOrdered = sort()
        for index in rows.times.indices {
            rows.times[index] = RollupFold.milliseconds(rows.times[index])
        }
        if isOrdered { timesKey = key }
        return true
    }

    /// Identifies the times of `runs`; empty when one of them is not a rollup's.
    private func sharedTimes(
        of runs: [PieceBlocks.Run],
        _ loaded: [PieceBlocks.Loaded]
    ) -> [TimesKey] {
        var key: [TimesKey] = []
        for run in runs {
            guard selection.sources[run.source].resolution != nil else { return [] }
            let head = loaded[run.source].blocks[run.block].head
            key.append(
                TimesKey(source: run.source, block: run.block, run: head.runs[run.run].timesRun)
            )
        }
        return key
    }

    private mutating func append(
        _ run: PieceBlocks.Run,
        _ loaded: [PieceBlocks.Loaded],
        needsTimes: Bool
    ) throws(DecodeError) {
        let source = selection.sources[run.source]
        if case .memory(let part) = source.place {
            let range = part.starts[run.run]..<part.starts[run.run + 1]
            samples.append { times, columns in
                times.append(contentsOf: part.times[range])
                columns[0].append(range, of: part.columns[0])
            }
            return
        }
        let block = loaded[run.source].blocks[run.block]
        guard source.resolution != nil else {
            try samples.append { (times, columns) throws(DecodeError) in
                try block.appendTimes(ofRun: run.run, to: &times)
                try block.appendColumn(0, ofRun: run.run, to: &columns[0], scratch: &scratch)
            }
            return
        }
        if needsTimes { try block.appendTimes(ofRun: run.run, to: &rows.times) }
        for column in columns {
            try block.appendColumn(
                column,
                ofRun: run.run,
                to: &rows.columns[column],
                scratch: &scratch
            )
        }
    }

    /// Sums up the samples of days without rollups.
    private mutating func appendFolded() {
        guard !samples.times.isEmpty else { return }
        samples.normalize()
        folded.removeAll()
        fold.append(
            samples.times,
            samples.columns[0].floats,
            to: &folded.times,
            &folded.columns
        )
        rows.times.append(contentsOf: folded.times)
        for column in columns {
            rows.columns[column].append(folded.times.indices, of: folded.columns[column])
        }
    }

    /// Puts rows of several days in order.
    ///
    /// - Returns: Whether they were.
    private mutating func sort() -> Bool {
        let times = rows.times
        guard times.indices.dropFirst().contains(where: { times[$0] < times[$0 - 1] }) else {
            return true
        }
        let order = times.indices.sorted { (times[$0], $0) < (times[$1], $1) }
        rows.times = order.map { times[$0] }
        for column in columns {
            let unordered = rows.columns[column]
            rows.columns[column].removeAll()
            for row in order { rows.columns[column].append(row, of: unordered) }
        }
        return false
    }
}
