internal import WeirColumns
internal import WeirCore
internal import WeirSystem

/// Writes one segment file front to back: blocks, stream index, footer.
///
/// The file is written under a temporary name, synced, renamed; the caller syncs the folder and
/// publishes it in the catalog. Memory: one block, and the file's footer.
struct SegmentWriter {
    private let signal: Signal
    private let file: any File
    private let encoder: PageEncoder
    private var offset = 0
    private var pending: [UInt8] = []
    private var block: BlockWriter
    private var blocks: [BlockEntry] = []
    private var streamPages: [StreamPageEntry] = []
    private var pageBytes: [UInt8] = []
    private var pageFirst: Labels?
    private var pageStreamCount = 0
    private var encodedPages: [(entry: EncodedPage, first: Labels, count: Int)] = []
    private var previousLabels = Labels.empty
    private var streamCount = 0
    private var rowCount = 0
    private var minTime = Int64.max
    private var maxTime = Int64.min

    /// Bytes are handed to the system in pieces of about this size.
    private static let pendingBytesMax = 1 << 20

    init(signal: Signal, file: any File, encoder: PageEncoder) throws(FileError) {
        self.signal = signal
        self.file = file
        self.encoder = encoder
        block = BlockWriter(schema: signal.schema)
        try file.truncate(to: 0)
        pending.append(contentsOf: SegmentFooter.magic)
    }

    /// Appends all rows of the next stream.
    ///
    /// Streams come in ascending canonical order, each once; times ascend.
    mutating func append(
        _ labels: Labels,
        times: [Int64],
        columns: [ColumnValues]
    ) throws(FileError) {
        guard !times.isEmpty else { return }
        precondition(streamCount == 0 || previousLabels < labels, "streams must ascend")
        indexLabels(labels)
        // A stream is not cut in two if it need not be: a read of it would unpack both blocks.
        let isWorthClosing = block.rowCount >= BlockLimits.rowsMax / 2
        if times.count > block.roomRowCount, isWorthClosing { try finishBlock() }
        var row = 0
        while row < times.count {
            if block.roomRowCount == 0 { try finishBlock() }
            let count = min(block.roomRowCount, times.count - row)
            block.append(
                stream: streamCount,
                times: times,
                columns: columns,
                rows: row..<(row + count)
            )
            row += count
        }
        streamCount += 1
        rowCount += times.count
        minTime = min(minTime, times[0])
        maxTime = max(maxTime, times[times.count - 1])
    }

    private mutating func indexLabels(_ labels: Labels) {
        let isFull =
            pageStreamCount == StreamIndex.streamsPerPageMax
            || pageBytes.count >= StreamIndex.pageBytesTarget
        if isFull { finishStreamPage() }
        if pageStreamCount == 0 { pageFirst = labels }
        StreamIndex.appendLabels(
            labels,
            after: pageStreamCount == 0 ? .empty : previousLabels,
            to: &pageBytes
        )
        pageStreamCount += 1
        previousLabels = labels
    }

    private mutating func finishStreamPage() {
        guard let first = pageFirst else { return }
        encodedPages.append((encoder.encode(pageBytes), first, pageStreamCount))
        pageBytes.removeAll(keepingCapacity: true)
        pageFirst = nil
        pageStreamCount = 0
    }

    private mutating func finishBlock() throws(FileError) {
        let (entry, bytes) = block.finish(at: offset + pending.count, encoder: encoder)
        blocks.append(entry)
        pending.append(contentsOf: bytes)
        if pending.count >= Self.pendingBytesMax { try writePending() }
    }

    private mutating func writePending() throws(FileError) {
        try file.write(pending, at: offset)
        offset += pending.count
        pending.removeAll(keepingCapacity: true)
    }

    /// Writes what is left and the footer, and syncs the file.
    ///
    /// - Returns: The footer, and the file's size in bytes; nil when no row was appended.
    mutating func finish(
        sequences: ClosedRange<UInt64>
    ) throws(FileError) -> (footer: SegmentFooter, byteCount: Int)? {
        guard rowCount > 0 else { return nil }
        if !block.isEmpty { try finishBlock() }
        finishStreamPage()
        var firstStream = 0
        for (page, first, count) in encodedPages {
            streamPages.append(
                StreamPageEntry(
                    offset: offset + pending.count,
                    firstStream: firstStream,
                    streamCount: count,
                    firstLabels: first,
                    page: PageEntry(page)
                )
            )
            pending.append(contentsOf: page.bytes)
            firstStream += count
        }
        let footer = SegmentFooter(
            signal: signal,
            sequences: sequences,
            streamCount: streamCount,
            rowCount: rowCount,
            times: minTime...maxTime,
            streamPages: streamPages,
            blocks: blocks
        )
        let page = encoder.encode(footer.encoded())
        var trailer: [UInt8] = []
        trailer.appendLittleEndian(UInt32(page.bytes.count))
        trailer.appendLittleEndian(UInt32(page.rawCount))
        trailer.append(page.encoding.rawValue)
        trailer.append(contentsOf: [0, 0, 0])
        let covered = page.bytes + trailer
        pending.append(contentsOf: covered)
        pending.appendLittleEndian(Checksum.crc32(covered))
        pending.append(contentsOf: SegmentFooter.magic)
        try writePending()
        try file.sync()
        return (footer, offset)
    }
}
