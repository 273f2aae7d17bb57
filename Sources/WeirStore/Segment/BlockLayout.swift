internal import WeirColumns
internal import WeirCore

/// The limits of one block.
package enum BlockLimits {
    /// The most rows in one block.
    package static let rowsMax = 65_536
    /// Where in a file a block or page may begin, at most: no larger file exists, and sums of such
    /// offsets and sizes do not overflow.
    static let offsetMax = 1 << 48
    /// A block is closed when its head has grown to this many bytes.
    package static let headBytesMax = 512 << 10
    /// A block is closed when the text in it has grown to this many bytes.
    package static let bodyBytesMax = 4 << 20
}

/// One block of rows as the footer lists it.
///
/// Streams are ordinals in the segment's stream index.
struct BlockEntry: Hashable, Sendable {
    let offset: Int
    let rowCount: Int
    let firstStream: Int
    let lastStream: Int
    /// Nanoseconds, inclusive.
    let times: ClosedRange<Int64>
    /// The head, the times, then one per column.
    let pages: [PageEntry]

    /// Where page `index` begins in the file.
    func offset(ofPage index: Int) -> Int {
        offset + pages[..<index].reduce(0) { $0 + $1.storedCount }
    }

    init(
        offset: Int,
        rowCount: Int,
        streams: ClosedRange<Int>,
        times: ClosedRange<Int64>,
        pages: [PageEntry]
    ) {
        self.offset = offset
        self.rowCount = rowCount
        firstStream = streams.lowerBound
        lastStream = streams.upperBound
        self.times = times
        self.pages = pages
    }

    init(
        from reader: inout ByteReader,
        columnCount: Int,
        streamCount: Int
    ) throws(DecodeError) {
        offset = try reader.readCount(limit: BlockLimits.offsetMax)
        rowCount = try reader.readCount(limit: BlockLimits.rowsMax)
        firstStream = try reader.readCount(limit: streamCount)
        lastStream = try reader.readCount(limit: streamCount) + firstStream
        let start = reader.offset
        let first = Int64(zigZag: try reader.readVarint())
        let (last, overflow) = first.addingReportingOverflow(
            Int64(bitPattern: try reader.readVarint())
        )
        guard !overflow, last >= first, lastStream < streamCount else {
            throw .notCanonical(offset: start)
        }
        times = first...last
        var pages: [PageEntry] = []
        for _ in 0..<(2 + columnCount) { pages.append(try PageEntry(from: &reader)) }
        self.pages = pages
    }

    func append(to bytes: inout [UInt8]) {
        UInt64(offset).appendVarint(to: &bytes)
        UInt64(rowCount).appendVarint(to: &bytes)
        UInt64(firstStream).appendVarint(to: &bytes)
        UInt64(lastStream - firstStream).appendVarint(to: &bytes)
        UInt64(zigZag: times.lowerBound).appendVarint(to: &bytes)
        UInt64(bitPattern: times.upperBound &- times.lowerBound).appendVarint(to: &bytes)
        for page in pages { page.append(to: &bytes) }
    }
}
