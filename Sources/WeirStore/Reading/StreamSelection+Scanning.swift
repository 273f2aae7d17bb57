internal import Synchronization
internal import WeirColumns
internal import WeirCore
internal import WeirSystem

extension StreamSelection {
    /// Rows that one piece of a scan holds, about.
    private static let pieceRowsTarget = 96 * 1024

    /// Calls `body` once for each stream with rows in range, with its times in units of `timeUnit`
    /// nanoseconds (rounded down) and the values of float column `column`; times ascend.
    ///
    /// Where only a rollup is left of the samples, each row's last one stands for all.
    ///
    /// Called from several threads at once, for different streams; the spans live only inside the
    /// call.
    ///
    /// - Throws: `StoreError.budget` when `budget` said stop or `body` returned false.
    package func scanFloats(
        column: Int = 0,
        timeUnit: Int64 = 1,
        budget: some ScanBudget,
        _ body:
            @escaping @Sendable (_ stream: Int, _ times: Span<Int64>, _ values: Span<Double>) ->
            Bool
    ) throws(StoreError) {
        let pieces = pieces()
        let shared = ScanState()
        store.scanPool.forEach(count: pieces.count) { index in
            guard !shared.isStopped.load(ordering: .relaxed) else { return }
            var worker = FloatScan(
                selection: self,
                column: column,
                timeUnit: timeUnit,
                decoder: PageDecoder()
            )
            let isDone = worker.run(pieces[index], budget: budget, body)
            if !isDone { shared.isStopped.store(true, ordering: .relaxed) }
        }
        if shared.isStopped.load(ordering: .relaxed) { throw .budget }
    }

    /// Quarantines the segment of a source whose rows cannot be decoded, and says so; rows in memory are
    /// not encoded.
    func setAside(_ source: Int, _ error: DecodeError, _ budget: some ScanBudget) {
        guard case .segment(let segment) = sources[source].place else { return }
        store.quarantine(
            segment,
            .undecodable(path: segment.reader.path, offset: 0, error)
        )
        budget.noteQuarantined(path: segment.record.path)
    }

    /// Cuts the streams into pieces of about equal work, at the block boundaries of the largest
    /// source where it can, so that few blocks are decompressed twice.
    func pieces() -> [Range<Int>] {
        guard !labels.isEmpty else { return [] }
        let rows = sources.reduce(0) { $0 + $1.rowCount }
        let largest = sources.max { $0.rowCount < $1.rowCount }
        let streamsTarget = max(1, labels.count * Self.pieceRowsTarget / max(rows, 1))
        guard case .segment(let segment)? = largest?.place, let ordinals = largest?.ordinals,
            segment.reader.footer.blocks.count > 1
        else {
            return stride(from: 0, to: labels.count, by: streamsTarget).map {
                $0..<min($0 + streamsTarget, labels.count)
            }
        }
        let blocks = segment.reader.footer.blocks
        var pieces: [Range<Int>] = []
        var start = 0
        var block = 0
        for index in labels.indices {
            let ordinal = Int(ordinals[index])
            guard ordinal > blocks[block].lastStream else { continue }
            if index > start {
                pieces.append(start..<index)
                start = index
            }
            while block + 1 < blocks.count, ordinal > blocks[block].lastStream { block += 1 }
        }
        pieces.append(start..<labels.count)
        return pieces
    }
}

/// What the threads of one scan share.
final class ScanState: Sendable {
    let isStopped = Atomic<Bool>(false)
}

/// One thread's work on a piece of a scan.
///
/// Buffers are reused from stream to stream.
private struct FloatScan {
    private let selection: StreamSelection
    private let column: Int
    private let timeUnit: Int64
    private let decoder: PageDecoder
    private var times: [Int64] = []
    private var values = ColumnValues(kind: .float64)
    private var scratch: [Int64] = []
    /// The runs whose times are in `times`, whole and in order; empty when they cannot be shared.
    ///
    /// Series that are sent together have the same times, which are then decoded once.
    private var timesKey: [TimesKey] = []

    private struct TimesKey: Hashable {
        let source: Int
        let block: Int
        let run: Int
    }

    init(selection: StreamSelection, column: Int, timeUnit: Int64, decoder: PageDecoder) {
        self.selection = selection
        self.column = column
        self.timeUnit = timeUnit
        self.decoder = decoder
    }

    /// The column of a source that holds what `column` is asked for.
    private static func place(of column: Int, in source: StreamSelection.Source) -> Int {
        source.resolution == nil ? column : RollupColumn.last.rawValue
    }

    /// - Returns: False when the scan is to stop.
    mutating func run(
        _ streams: Range<Int>,
        budget: some ScanBudget,
        _ body: (Int, Span<Int64>, Span<Double>) -> Bool
    ) -> Bool {
        let column = column
        guard
            var piece = PieceBlocks(
                selection,
                streams,
                columns: { [Self.place(of: column, in: $0)] },
                decoder: decoder,
                budget: budget
            )
        else { return false }
        for stream in streams {
            let runs = piece.runs(of: stream)
            guard !runs.isEmpty else { continue }
            guard gather(runs, piece.loaded, budget: budget) else { continue }
            let first = firstUnit
            let last = lastUnit
            let lower = times.partitioningIndex { $0 >= first }
            let upper = times.partitioningIndex { $0 > last }
            guard lower < upper else { continue }
            let isWanted = body(
                stream,
                times.span.extracting(lower..<upper),
                values.floats.span.extracting(lower..<upper)
            )
            if !isWanted { return false }
        }
        return true
    }

    /// The first whole unit of time in the selection's range, rounded up as its rows are not.
    private var firstUnit: Int64 {
        let lower = selection.times.lowerBound
        return Self.floorDivide(lower, timeUnit) + (lower % timeUnit == 0 ? 0 : 1)
    }

    private var lastUnit: Int64 { Self.floorDivide(selection.times.upperBound, timeUnit) }

    private static func floorDivide(_ value: Int64, _ unit: Int64) -> Int64 {
        let quotient = value / unit
        return value % unit < 0 ? quotient - 1 : quotient
    }

    /// Fills `times` and `values` with the rows of `runs`, in order.
    ///
    /// - Returns: False when they cannot be decoded; the segment is then quarantined.
    private mutating func gather(
        _ runs: [PieceBlocks.Run],
        _ loaded: [PieceBlocks.Loaded],
        budget: some ScanBudget
    ) -> Bool {
        values.floats.removeAll(keepingCapacity: true)
        let key = sharedTimes(of: runs, loaded)
        let isShared = !key.isEmpty && key == timesKey
        if !isShared {
            times.removeAll(keepingCapacity: true)
            timesKey = []
        }
        for run in runs {
            do throws(DecodeError) {
                try append(run, loaded, needsTimes: !isShared)
            } catch {
                selection.setAside(run.source, error, budget)
                timesKey = []
                return false
            }
        }
        guard !isShared else { return true }
        let isOrdered = runs.count == 1 || !normalize()
        convertTimes()
        if isOrdered { timesKey = key }
        return true
    }

    /// Identifies the times of `runs`; empty when one of them lies in memory.
    private func sharedTimes(
        of runs: [PieceBlocks.Run],
        _ loaded: [PieceBlocks.Loaded]
    ) -> [TimesKey] {
        var key: [TimesKey] = []
        for run in runs {
            guard case .segment = selection.sources[run.source].place else { return [] }
            let head = loaded[run.source].blocks[run.block].head
            key.append(
                TimesKey(source: run.source, block: run.block, run: head.runs[run.run].timesRun)
            )
        }
        return key
    }

    /// Turns nanoseconds into the units asked for.
    ///
    /// Dividing by a constant is many times faster than by a variable, and milliseconds are what is
    /// asked for.
    private mutating func convertTimes() {
        switch timeUnit {
        case 1: return
        case 1_000_000:
            for index in times.indices {
                let time = times[index]
                times[index] = time / 1_000_000 - (time % 1_000_000 < 0 ? 1 : 0)
            }
        default:
            for index in times.indices {
                times[index] = Self.floorDivide(times[index], timeUnit)
            }
        }
    }

    private mutating func append(
        _ run: PieceBlocks.Run,
        _ loaded: [PieceBlocks.Loaded],
        needsTimes: Bool
    ) throws(DecodeError) {
        switch selection.sources[run.source].place {
        case .memory(let part):
            let rows = part.starts[run.run]..<part.starts[run.run + 1]
            times.append(contentsOf: part.times[rows])
            values.floats.append(contentsOf: part.columns[column].floats[rows])
        case .segment:
            let block = loaded[run.source].blocks[run.block]
            let column = Self.place(of: column, in: selection.sources[run.source])
            if needsTimes { try block.appendTimes(ofRun: run.run, to: &times) }
            try block.appendColumn(column, ofRun: run.run, to: &values, scratch: &scratch)
        }
    }

    /// Puts rows from several places in order; of equal times the newest source's stays.
    ///
    /// Sources were appended oldest first.
    ///
    /// - Returns: True when something moved.
    private mutating func normalize() -> Bool {
        var isOrdered = true
        for index in times.indices.dropFirst() where times[index] <= times[index - 1] {
            isOrdered = false
            break
        }
        guard !isOrdered else { return false }
        let order = times.indices.sorted { (times[$0], $0) < (times[$1], $1) }
        var sortedTimes: [Int64] = []
        var sortedValues: [Double] = []
        sortedTimes.reserveCapacity(order.count)
        sortedValues.reserveCapacity(order.count)
        for (place, row) in order.enumerated() {
            if place + 1 < order.count, times[order[place + 1]] == times[row] { continue }
            sortedTimes.append(times[row])
            sortedValues.append(values.floats[row])
        }
        times = sortedTimes
        values.floats = sortedValues
        return true
    }
}
