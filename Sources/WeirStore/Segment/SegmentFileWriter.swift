internal import WeirColumns
internal import WeirCore
internal import WeirSystem

/// The file that a segment is written to: bytes front to back, then the stream index, the footer
/// and the trailer.
///
/// What lies in the blocks is its user's business. Memory: about a mebibyte, and the index.
struct SegmentFileWriter {
    private let file: any File
    private let encoder: PageEncoder
    private var offset = 0
    private var pending: [UInt8] = []
    private var pageBytes: [UInt8] = []
    private var pageFirst: Labels?
    private var pageStreamCount = 0
    private var encodedPages: [(entry: EncodedPage, first: Labels, count: Int)] = []
    private(set) var tracePages: [TraceIndex.PagePlace] = []
    private(set) var lastLabels = Labels.empty
    private(set) var streamCount = 0

    /// Bytes are handed to the system in pieces of about this size.
    private static let pendingBytesMax = 1 << 20

    init(file: any File, encoder: PageEncoder) throws(FileError) {
        self.file = file
        self.encoder = encoder
        try file.truncate(to: 0)
        pending.append(contentsOf: SegmentFooter.magic)
    }

    /// Where the next byte goes.
    var position: Int { offset + pending.count }

    mutating func append(_ bytes: [UInt8]) throws(FileError) {
        pending.append(contentsOf: bytes)
        if pending.count >= Self.pendingBytesMax { try writePending() }
    }

    /// Adds the next stream to the index.
    ///
    /// Streams come in ascending canonical order, each once.
    mutating func index(_ labels: Labels) {
        precondition(streamCount == 0 || lastLabels < labels, "streams must ascend")
        let isFull =
            pageStreamCount == StreamIndex.streamsPerPageMax
            || pageBytes.count >= StreamIndex.pageBytesTarget
        if isFull { finishStreamPage() }
        if pageStreamCount == 0 { pageFirst = labels }
        StreamIndex.appendLabels(
            labels,
            after: pageStreamCount == 0 ? .empty : lastLabels,
            to: &pageBytes
        )
        pageStreamCount += 1
        lastLabels = labels
        streamCount += 1
    }

    /// Appends a page of the trace index.
    mutating func appendTracePage(
        _ page: (firstFingerprint: UInt32, entryCount: Int, bytes: [UInt8])
    ) throws(FileError) {
        let encoded = encoder.encode(page.bytes, matching: .none)
        tracePages.append(
            TraceIndex.PagePlace(
                offset: position,
                firstFingerprint: page.firstFingerprint,
                entryCount: page.entryCount,
                page: PageEntry(encoded)
            )
        )
        try append(encoded.bytes)
    }

    private mutating func finishStreamPage() {
        guard let first = pageFirst else { return }
        encodedPages.append((encoder.encode(pageBytes), first, pageStreamCount))
        pageBytes.removeAll(keepingCapacity: true)
        pageFirst = nil
        pageStreamCount = 0
    }

    private mutating func writePending() throws(FileError) {
        try file.write(pending, at: offset)
        offset += pending.count
        pending.removeAll(keepingCapacity: true)
    }

    /// Writes the index and the footer that `makeFooter` gives for it, and syncs the file.
    ///
    /// - Returns: The footer, and the file's size in bytes.
    mutating func finish(
        _ makeFooter: (_ streamPages: [StreamPageEntry]) -> SegmentFooter
    ) throws(FileError) -> (footer: SegmentFooter, byteCount: Int) {
        finishStreamPage()
        var streamPages: [StreamPageEntry] = []
        var firstStream = 0
        for (page, first, count) in encodedPages {
            streamPages.append(
                StreamPageEntry(
                    offset: position,
                    firstStream: firstStream,
                    streamCount: count,
                    firstLabels: first,
                    page: PageEntry(page)
                )
            )
            pending.append(contentsOf: page.bytes)
            firstStream += count
        }
        let footer = makeFooter(streamPages)
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
