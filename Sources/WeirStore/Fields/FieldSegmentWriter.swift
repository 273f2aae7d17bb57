internal import WeirColumns
internal import WeirCore
internal import WeirSystem

/// A sorted list of streams and the blocks whose runs are ordinals of it.
struct FieldSource {
    let labels: [Labels]
    /// In the order their rows arrived.
    let blocks: [any FieldPages]

    init(_ part: FieldPart) {
        labels = part.labels
        blocks = part.blocks.indices.map { MemoryFieldPages(part: part, index: $0) }
    }

    init(_ segment: SegmentReader, decoder: PageDecoder) throws(SegmentError) {
        var labels: [Labels] = []
        for page in segment.footer.streamPages.indices {
            labels += try segment.readStreamPage(page, decoder: decoder)
        }
        // Within a page they ascend; that pages do, only the writer of the file knew.
        for index in 1..<max(1, labels.count) where !(labels[index - 1] < labels[index]) {
            throw .undecodable(path: segment.path, offset: 0, .notCanonical(offset: 0))
        }
        self.labels = labels
        blocks = segment.footer.fieldBlocks.indices.map {
            SegmentFieldPages(segment: segment, index: $0)
        }
    }
}

/// Writes a segment of field blocks from others, in the order the rows arrived: blocks are copied as
/// they are, but small neighbours are made into one.
struct FieldSegmentWriter {
    private let signal: Signal
    private let encoder: PageEncoder
    private let packer: FieldBlockPacker
    private var file: SegmentFileWriter
    private let labels: [Labels]
    private var entries: [FieldBlockEntry] = []
    private var traces: [TraceIndex.Entry] = []
    /// Small blocks that wait for neighbours.
    private var gathered: [(pages: any FieldPages, ordinals: [Int])] = []
    private var gatheredRows = 0
    private let order: StreamOrder

    typealias Failure = SegmentMerge.Failure

    private init(
        signal: Signal,
        file: any File,
        encoder: PageEncoder,
        labels: [Labels]
    ) throws(FileError) {
        self.signal = signal
        self.encoder = encoder
        packer = FieldBlockPacker(encoder: encoder)
        self.file = try SegmentFileWriter(file: file, encoder: encoder)
        self.labels = labels
        order = StreamOrder(labels: labels, references: labels.indices.map { UInt32($0) })
        for stream in labels { self.file.index(stream) }
    }

    /// Writes the blocks of `sources`, oldest first, and syncs the file.
    ///
    /// - Returns: The footer and the file's size; nil when there are no rows.
    static func write(
        _ sources: [FieldSource],
        signal: Signal,
        sequences: ClosedRange<UInt64>,
        to file: any File,
        encoder: PageEncoder
    ) throws(Failure) -> (footer: SegmentFooter, byteCount: Int)? {
        var labels = Array(Set(sources.flatMap(\.labels)))
        labels.sort()
        guard !labels.isEmpty else { return nil }
        var writer = try onDisk { () throws(FileError) in
            try FieldSegmentWriter(signal: signal, file: file, encoder: encoder, labels: labels)
        }
        for source in sources {
            let ordinals = source.labels.map { stream in
                labels.partitioningIndex { !($0 < stream) }
            }
            for pages in source.blocks { try writer.append(pages, ordinals: ordinals) }
        }
        return try writer.finish(sequences)
    }

    private static func onDisk<Result>(
        _ body: () throws(FileError) -> Result
    ) throws(Failure) -> Result {
        do throws(FileError) {
            return try body()
        } catch {
            throw .file(error)
        }
    }

    private static func reading<Result>(
        _ body: () throws(SegmentError) -> Result
    ) throws(Failure) -> Result {
        do throws(SegmentError) {
            return try body()
        } catch {
            throw .source(error)
        }
    }

    private mutating func append(_ pages: any FieldPages, ordinals: [Int]) throws(Failure) {
        guard pages.rowCount < FieldBlockLimits.smallRows(of: signal.schema) else {
            try putGathered()
            try put(pages, ordinals)
            return
        }
        gathered.append((pages, ordinals))
        gatheredRows += pages.rowCount
        if gatheredRows >= FieldBlockLimits.rows(of: signal.schema) / 2 { try putGathered() }
    }

    private mutating func put(_ pages: any FieldPages, _ ordinals: [Int]) throws(Failure) {
        let block = try Self.reading { () throws(SegmentError) in try pages.block() }
        try put(block, head: block.head.renumbered(ordinals))
    }

    private mutating func put(_ block: FieldBlock, head: FieldBlockHead) throws(Failure) {
        let page = encoder.encode(head.encoded())
        for fingerprint in block.traces {
            traces.append(
                TraceIndex.Entry(fingerprint: fingerprint, block: UInt32(entries.count))
            )
        }
        entries.append(
            FieldBlockEntry(
                block,
                head: page,
                streams: head.firstStream...head.lastStream,
                offset: file.position
            )
        )
        do throws(FileError) {
            try file.append(page.bytes)
            try file.append(block.times.bytes)
            try file.append(block.directory.bytes)
            try file.append(block.area)
        } catch {
            throw .file(error)
        }
    }

    private mutating func putGathered() throws(Failure) {
        let waiting = gathered
        gathered = []
        gatheredRows = 0
        guard waiting.count > 1 else {
            for (pages, ordinals) in waiting { try put(pages, ordinals) }
            return
        }
        var batches: [ResolvedBatch] = []
        for (pages, ordinals) in waiting {
            batches.append(
                try Self.reading { () throws(SegmentError) in
                    try FieldRows.read(pages, ordinals: ordinals)
                }
            )
        }
        let packed = packer.pack(batches, order: order, schema: signal.schema)
        let ordinals = packed.labels.map { stream in
            labels.partitioningIndex { !($0 < stream) }
        }
        for block in packed.blocks { try put(block, head: block.head.renumbered(ordinals)) }
    }

    private mutating func finish(
        _ sequences: ClosedRange<UInt64>
    ) throws(Failure) -> (footer: SegmentFooter, byteCount: Int)? {
        try putGathered()
        guard let first = entries.first else { return nil }
        var times = first.times
        for entry in entries {
            times =
                min(
                    times.lowerBound,
                    entry.times.lowerBound
                )...max(times.upperBound, entry.times.upperBound)
        }
        do throws(FileError) {
            for page in TraceIndex.pages(traces) { try file.appendTracePage(page) }
        } catch {
            throw .file(error)
        }
        let (signal, entries, tracePages) = (signal, entries, file.tracePages)
        let (streamCount, range) = (labels.count, times)
        do throws(FileError) {
            return try file.finish { streamPages in
                SegmentFooter(
                    signal: signal,
                    sequences: sequences,
                    streamCount: streamCount,
                    rowCount: entries.reduce(0) { $0 + $1.rowCount },
                    times: range,
                    streamPages: streamPages,
                    fieldBlocks: entries,
                    tracePages: tracePages
                )
            }
        } catch {
            throw .file(error)
        }
    }
}
