internal import WeirColumns
internal import WeirCore

/// The blocks that hold a piece of a scan: some neighbouring streams of a selection.
struct PieceBlocks {
    /// One run of a stream's rows.
    struct Run {
        let source: Int
        let block: Int
        let run: Int
    }

    /// A source's part of the piece: its blocks, read.
    struct Loaded {
        var blocks: [BlockReader] = []
    }

    private let selection: StreamSelection
    /// One per source.
    let loaded: [Loaded]
    private var cursors: [(block: Int, run: Int)]

    /// Reads the blocks that hold the piece's streams.
    ///
    /// `columns` says which columns of a source are wanted, or nil to leave it out. A damaged segment is left out. Nil when the
    /// budget says stop.
    init?(
        _ selection: StreamSelection,
        _ streams: Range<Int>,
        columns: (StreamSelection.Source) -> Set<Int>?,
        decoder: PageDecoder,
        budget: some ScanBudget
    ) {
        self.selection = selection
        var all: [Loaded] = []
        for source in selection.sources {
            var loaded = Loaded()
            guard case .segment(let segment) = source.place,
                let columns = columns(source),
                let ordinals = source.ordinalRange(streams)
            else {
                if case .memory = source.place, !budget.charge(rows: 0, blocks: 0, bytes: 0) {
                    return nil
                }
                all.append(loaded)
                continue
            }
            let reader = segment.reader
            for index in reader.blockIndexes(of: ordinals)
            where reader.footer.blocks[index].times.overlaps(selection.times) {
                let isPaid = budget.charge(
                    rows: reader.footer.blocks[index].rowCount,
                    blocks: 1,
                    bytes: reader.storedCount(ofBlock: index)
                )
                guard isPaid else { return nil }
                do throws(SegmentError) {
                    loaded.blocks.append(
                        try reader.readBlock(index, columns: columns, decoder: decoder)
                    )
                } catch {
                    selection.store.quarantine(segment, error)
                    budget.noteQuarantined(path: segment.record.path)
                    loaded = Loaded()
                    break
                }
            }
            all.append(loaded)
        }
        loaded = all
        cursors = all.map { _ in (block: 0, run: 0) }
    }

    /// The runs of one stream in all sources, the oldest source's first.
    ///
    /// Streams are asked for in ascending order.
    mutating func runs(of stream: Int) -> [Run] {
        var runs: [Run] = []
        for (number, source) in selection.sources.enumerated() {
            let ordinal = source.ordinals[stream]
            guard ordinal >= 0 else { continue }
            switch source.place {
            case .memory: runs.append(Run(source: number, block: 0, run: Int(ordinal)))
            case .segment:
                Self.collect(
                    Int(ordinal),
                    in: loaded[number],
                    source: number,
                    cursor: &cursors[number],
                    into: &runs
                )
            }
        }
        return runs
    }

    /// Finds the runs of stream `ordinal`.
    ///
    /// Ordinals come in ascending order, so the cursor only moves forward.
    private static func collect(
        _ ordinal: Int,
        in loaded: Loaded,
        source: Int,
        cursor: inout (block: Int, run: Int),
        into runs: inout [Run]
    ) {
        while cursor.block < loaded.blocks.count {
            let blockRuns = loaded.blocks[cursor.block].head.runs
            while cursor.run < blockRuns.count, blockRuns[cursor.run].stream < ordinal {
                cursor.run += 1
            }
            guard cursor.run < blockRuns.count else {
                cursor = (cursor.block + 1, 0)
                continue
            }
            guard blockRuns[cursor.run].stream == ordinal else { return }
            runs.append(Run(source: source, block: cursor.block, run: cursor.run))
            cursor.run += 1
        }
    }
}
