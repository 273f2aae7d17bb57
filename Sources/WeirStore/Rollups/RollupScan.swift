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
    private var integers: [Int64] = []
    private var scratch = RollupBlock.Scratch()
    /// What the budget lent for the blocks that are held.
    private var heldBytes = 0

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
        defer {
            budget.release(bytes: heldBytes)
            heldBytes = 0
        }
        guard var rollups = rollups(streams, budget: budget),
            var piece = PieceBlocks(
                selection,
                streams,
                columns: { $0.resolution == nil ? [0] : nil },
                decoder: decoder,
                budget: budget
            )
        else { return false }
        let hasSamples = rollups.count < selection.sources.count
        let ordinals = rollups.map { selection.sources[$0.source].ordinals }
        for stream in streams {
            rows.times.removeAll(keepingCapacity: true)
            for column in columns { rows.columns[column].removeAll() }
            var isSound = true
            for index in rollups.indices {
                let ordinal = ordinals[index][stream]
                guard ordinal >= 0 else { continue }
                do throws(DecodeError) {
                    try rollups[index].take(Int(ordinal), into: &rows, &scratch)
                } catch {
                    selection.setAside(rollups[index].source, error, budget)
                    isSound = false
                }
            }
            if hasSamples {
                let runs = piece.runs(of: stream)
                isSound = append(runs, piece.loaded, budget: budget) && isSound
            }
            guard isSound, !rows.times.isEmpty else { continue }
            sort()
            if !body(stream, rows) { return false }
        }
        return true
    }

    /// Reads the blocks of rollups that hold some streams.
    ///
    /// A damaged segment is left out. Nil when the budget says stop.
    private mutating func rollups(_ streams: Range<Int>, budget: some ScanBudget) -> [RollupBlocks]?
    {
        let wanted = Set(columns)
        var all: [RollupBlocks] = []
        for (number, source) in selection.sources.enumerated() where source.resolution != nil {
            guard case .segment(let segment) = source.place else { continue }
            var blocks: [RollupBlock] = []
            let reader = segment.reader
            for index in source.ordinalRange(streams).map(reader.blockIndexes) ?? 0..<0
            where reader.footer.blocks[index].times.overlaps(selection.times) {
                let isPaid = budget.charge(
                    rows: reader.footer.blocks[index].rowCount,
                    blocks: 1,
                    bytes: reader.storedCount(ofBlock: index)
                )
                let bytes = RollupBlock.byteCount(reader.footer.blocks[index], columns: wanted)
                guard isPaid, budget.reserve(bytes: bytes) else { return nil }
                heldBytes += bytes
                do throws(SegmentError) {
                    blocks.append(
                        try RollupBlock(reader, index, columns: wanted, decoder: decoder)
                    )
                } catch {
                    selection.store.quarantine(segment, error)
                    budget.noteQuarantined(path: segment.record.path)
                    blocks = []
                    break
                }
            }
            all.append(RollupBlocks(source: number, blocks))
        }
        return all
    }

    /// Appends to `rows` what the samples of one series come to.
    ///
    /// - Returns: False when they cannot be decoded; the segment is then quarantined.
    private mutating func append(
        _ runs: [PieceBlocks.Run],
        _ loaded: [PieceBlocks.Loaded],
        budget: some ScanBudget
    ) -> Bool {
        samples.removeAll()
        for run in runs {
            do throws(DecodeError) {
                try append(run, loaded)
            } catch {
                selection.setAside(run.source, error, budget)
                return false
            }
        }
        appendFolded()
        return true
    }

    private mutating func append(
        _ run: PieceBlocks.Run,
        _ loaded: [PieceBlocks.Loaded]
    ) throws(DecodeError) {
        switch selection.sources[run.source].place {
        case .memory(let part):
            let range = part.starts[run.run]..<part.starts[run.run + 1]
            samples.append { times, columns in
                times.append(contentsOf: part.times[range])
                columns[0].append(range, of: part.columns[0])
            }
        case .segment:
            let block = loaded[run.source].blocks[run.block]
            try samples.append { (times, columns) throws(DecodeError) in
                try block.appendTimes(ofRun: run.run, to: &times)
                try block.appendColumn(0, ofRun: run.run, to: &columns[0], scratch: &integers)
            }
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
        rows.times.append(contentsOf: folded.times.lazy.map(RollupFold.milliseconds))
        for column in columns {
            rows.columns[column].append(folded.times.indices, of: folded.columns[column])
        }
    }

    /// Puts rows of several days in order.
    private mutating func sort() {
        let times = rows.times
        var isOrdered = true
        for index in times.indices.dropFirst() where times[index] < times[index - 1] {
            isOrdered = false
        }
        guard !isOrdered else { return }
        let order = times.indices.sorted { (times[$0], $0) < (times[$1], $1) }
        rows.times = order.map { times[$0] }
        for column in columns {
            let unordered = rows.columns[column]
            rows.columns[column].removeAll()
            for row in order { rows.columns[column].append(row, of: unordered) }
        }
    }
}
