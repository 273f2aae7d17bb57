internal import WeirColumns
internal import WeirCore

/// The limits of one field block.
enum FieldBlockLimits {
    /// Enough that codecs and deflate have something to work with, few enough that the newest lines
    /// are read without unpacking much else.
    static let rowsMax = 16_384
    /// A block is closed when the values in it have grown to this many bytes.
    static let valueBytesMax = 8 << 20
    /// What a value of a rare field is counted as, besides its bytes and the field's name: its entry
    /// in the directory.
    static let rareValueBytes = 128
    /// Fields that are not rare have this much room in the directory; if they need more, all are
    /// counted as rare ones are.
    static let directoryBytesMax = 2 << 20
    /// More than the values of one field in one block ever take: what a reader finds beyond is
    /// damage, which could stand for any amount.
    static let columnBytesMax = 64 << 20
    /// Of spans: a trace is read whole, and little else should be unpacked for it.
    static let spanRowsMax = 4096

    /// The most rows that a writer puts into a block.
    static func rows(of schema: StreamSchema) -> Int {
        schema.isOrderedByTrace ? spanRowsMax : rowsMax
    }

    /// A smaller block is taken apart in a merge, and made anew together with its neighbours.
    static func smallRows(of schema: StreamSchema) -> Int { rows(of: schema) / 4 }
    /// The most streams one block's head may name.
    static let runsMax = rowsMax
}

/// One block of rows with their fields, encoded.
///
/// Self-contained but for the streams, which are ordinals of its owner: to put it into another
/// segment, only the head is written anew. Layout: docs/format/segment.md, version 2.
struct FieldBlock: Sendable {
    let head: FieldBlockHead
    /// Nanoseconds, inclusive.
    let timeRange: ClosedRange<Int64>
    let times: EncodedPage
    let directory: EncodedPage
    /// The fields' pages end to end, as the directory lists them.
    let area: [UInt8]
    /// The fingerprints of the traces in it, of signals whose rows lie trace by trace.
    let traces: [UInt32]

    var rowCount: Int { head.rowCount }

    /// Roughly what the block takes in memory.
    var byteCount: Int {
        area.count + times.bytes.count + directory.bytes.count + head.runs.count * 16
            + traces.count * 4 + 128
    }
}

/// Which rows of a block belong to which stream: runs, streams ascending.
struct FieldBlockHead: Hashable, Sendable {
    struct Run: Hashable, Sendable {
        var stream: Int
        var rowCount: Int
    }

    let runs: [Run]
    let rowCount: Int

    init(runs: [Run]) {
        self.runs = runs
        rowCount = runs.reduce(0) { $0 + $1.rowCount }
    }

    var firstStream: Int { runs.first?.stream ?? 0 }
    var lastStream: Int { runs.last?.stream ?? 0 }

    func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        UInt64(runs.count).appendVarint(to: &bytes)
        var previous = firstStream
        for run in runs {
            UInt64(run.stream - previous).appendVarint(to: &bytes)
            UInt64(run.rowCount).appendVarint(to: &bytes)
            previous = run.stream
        }
        return bytes
    }

    init(_ bytes: [UInt8], entry: FieldBlockEntry) throws(DecodeError) {
        var reader = ByteReader(bytes.span)
        var stream = entry.firstStream
        var rowCount = 0
        var runs: [Run] = []
        for index in 0..<(try reader.readCount(limit: FieldBlockLimits.runsMax)) {
            let start = reader.offset
            let step = try reader.readCount(limit: entry.lastStream - stream)
            stream += step
            let count = try reader.readCount(limit: entry.rowCount - rowCount)
            guard count > 0, (index == 0) == (step == 0) else { throw .notCanonical(offset: start) }
            rowCount += count
            runs.append(Run(stream: stream, rowCount: count))
        }
        guard rowCount == entry.rowCount, stream == entry.lastStream, reader.remaining == 0 else {
            throw .notCanonical(offset: reader.offset)
        }
        self.runs = runs
        self.rowCount = rowCount
    }

    /// The same rows under other ordinals, which must ascend as these do.
    func renumbered(_ ordinals: [Int]) -> FieldBlockHead {
        FieldBlockHead(runs: runs.map { Run(stream: ordinals[$0.stream], rowCount: $0.rowCount) })
    }
}

/// One field block as the footer lists it.
struct FieldBlockEntry: Hashable, Sendable {
    let offset: Int
    let rowCount: Int
    let firstStream: Int
    let lastStream: Int
    /// Nanoseconds, inclusive.
    let times: ClosedRange<Int64>
    let head: PageEntry
    let timesPage: PageEntry
    let directory: PageEntry
    /// The stored bytes of all the fields' pages.
    let areaCount: Int

    var timesOffset: Int { offset + head.storedCount }
    var directoryOffset: Int { timesOffset + timesPage.storedCount }
    var areaOffset: Int { directoryOffset + directory.storedCount }
    var storedCount: Int { areaOffset + areaCount - offset }

    init(_ block: FieldBlock, head: EncodedPage, streams: ClosedRange<Int>, offset: Int) {
        self.offset = offset
        rowCount = block.rowCount
        firstStream = streams.lowerBound
        lastStream = streams.upperBound
        times = block.timeRange
        self.head = PageEntry(head)
        timesPage = PageEntry(block.times)
        directory = PageEntry(block.directory)
        areaCount = block.area.count
    }

    init(from reader: inout ByteReader, streamCount: Int) throws(DecodeError) {
        offset = try reader.readCount(limit: BlockLimits.offsetMax)
        rowCount = try reader.readCount(limit: FieldBlockLimits.rowsMax)
        firstStream = try reader.readCount(limit: streamCount)
        lastStream = try reader.readCount(limit: streamCount) + firstStream
        let start = reader.offset
        let first = Int64(zigZag: try reader.readVarint())
        let (last, overflow) = first.addingReportingOverflow(
            Int64(bitPattern: try reader.readVarint())
        )
        guard !overflow, last >= first, lastStream < streamCount, rowCount > 0 else {
            throw .notCanonical(offset: start)
        }
        times = first...last
        head = try PageEntry(from: &reader)
        timesPage = try PageEntry(from: &reader)
        directory = try PageEntry(from: &reader)
        areaCount = try reader.readCount(limit: Int(Int32.max))
    }

    func append(to bytes: inout [UInt8]) {
        UInt64(offset).appendVarint(to: &bytes)
        UInt64(rowCount).appendVarint(to: &bytes)
        UInt64(firstStream).appendVarint(to: &bytes)
        UInt64(lastStream - firstStream).appendVarint(to: &bytes)
        UInt64(zigZag: times.lowerBound).appendVarint(to: &bytes)
        UInt64(bitPattern: times.upperBound &- times.lowerBound).appendVarint(to: &bytes)
        head.append(to: &bytes)
        timesPage.append(to: &bytes)
        directory.append(to: &bytes)
        UInt64(areaCount).appendVarint(to: &bytes)
    }
}
