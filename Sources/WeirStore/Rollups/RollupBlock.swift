internal import WeirColumns
internal import WeirCore

/// Walks one block of rollups, run by run, and decodes of it what is asked for.
///
/// A run of rollups has few rows in many columns, so that keeping its heads costs more than its rows
/// do: heads are read in passing, and those of columns that are not wanted are passed over.
/// Layout: docs/format/segment.md, version 1.
struct RollupBlock {
    /// What is needed while a run is decoded, and is reused from run to run.
    struct Scratch {
        fileprivate var lists = FloatLists()
        fileprivate var integers: [Int64] = []
    }

    private struct Column {
        let isFloat: Bool
        let isWanted: Bool
        /// Where the next run's body begins, and where the last one's ends: in `bodies`, or for a
        /// column that is not wanted in its page.
        var offset: Int
        let end: Int
    }

    /// What rows may span at most, milliseconds: the day that they are of.
    private static var spanMax: UInt64 { 86_400_000 }

    private let entry: BlockEntry
    private let head: [UInt8]
    private var headOffset = 0
    /// The bodies of the times and of the wanted columns, end to end.
    private let bodies: [UInt8]
    private var columns: [Column]
    private var runsLeft: Int
    private var rowsLeft: Int
    private var rowCount = 0
    private var lastStream: Int
    /// The run's stream that comes next; nil at the end.
    private(set) var stream: Int?
    /// How the times of the run before are packed, which the next one may share.
    private var packedTimes: IntegerPacking?
    private var timeLists = IntegerLists()
    private var timeBody = 0..<0
    private let timesEnd: Int
    /// The same in milliseconds, rounded down; empty until they are asked for.
    private var times: [Int64] = []

    /// What a block takes of which the columns in `wanted` are read: its head, its times and theirs.
    static func byteCount(_ entry: BlockEntry, columns wanted: Set<Int>) -> Int {
        entry.pages.enumerated().reduce(0) { total, page in
            page.offset < 2 || wanted.contains(page.offset - 2)
                ? total + page.element.rawCount : total
        }
    }

    /// Reads block `index`: its head, its times and the columns in `wanted`.
    init(
        _ segment: SegmentReader,
        _ index: Int,
        columns wanted: Set<Int>,
        decoder: PageDecoder
    ) throws(SegmentError) {
        let entry = segment.footer.blocks[index]
        func page(_ number: Int) throws(SegmentError) -> [UInt8] {
            try segment.readPage(
                entry.pages[number],
                at: entry.offset(ofPage: number),
                decoder: decoder
            )
        }
        let head = try page(0)
        let times = try page(1)
        var columns: [[UInt8]?] = []
        for number in StreamSchema.rollups.columns.indices {
            columns.append(wanted.contains(number) ? try page(2 + number) : nil)
        }
        do throws(DecodeError) {
            try self.init(entry, head: head, times: times, columns: columns)
        } catch {
            throw .undecodable(path: segment.path, offset: entry.offset, error)
        }
    }

    /// Takes the pages of a block; those of columns that are not wanted are nil.
    ///
    /// They are as long as `entry` says.
    init(
        _ entry: BlockEntry,
        head: [UInt8],
        times: [UInt8],
        columns pages: [[UInt8]?]
    ) throws(DecodeError) {
        self.entry = entry
        self.head = head
        var bodies = times
        bodies.reserveCapacity(pages.reduce(times.count) { $0 + ($1?.count ?? 0) })
        var columns: [Column] = []
        for (number, column) in StreamSchema.rollups.columns.enumerated() {
            let page = pages[number]
            let start = page == nil ? 0 : bodies.count
            if let page { bodies.append(contentsOf: page) }
            columns.append(
                Column(
                    isFloat: column.kind == .float64,
                    isWanted: page != nil,
                    offset: start,
                    end: page == nil ? entry.pages[2 + number].rawCount : bodies.count
                )
            )
        }
        self.bodies = bodies
        self.columns = columns
        timesEnd = times.count
        lastStream = entry.firstStream
        rowsLeft = entry.rowCount
        runsLeft = 0
        var reader = ByteReader(head.span)
        runsLeft = try reader.readCount(limit: entry.rowCount)
        try begin(&reader)
        headOffset = reader.offset
    }

    /// Reads whose run comes next and how many rows it has.
    ///
    /// - Throws: `DecodeError` also when there is none and the block does not end as it should.
    private mutating func begin(_ reader: inout ByteReader) throws(DecodeError) {
        stream = nil
        guard runsLeft > 0 else {
            guard rowsLeft == 0, reader.remaining == 0, timeBody.upperBound == timesEnd,
                columns.allSatisfy({ $0.offset == $0.end })
            else { throw .notCanonical(offset: reader.offset) }
            return
        }
        runsLeft -= 1
        lastStream += try reader.readCount(limit: entry.lastStream - lastStream)
        rowCount = try reader.readCount(limit: rowsLeft)
        rowsLeft -= rowCount
        stream = lastStream
    }

    /// Passes over the next run, which there is; if it is wanted its rows are appended to `rows`, times
    /// in milliseconds.
    mutating func take(
        isWanted: Bool,
        into rows: inout RollupRows,
        _ scratch: inout Scratch
    ) throws(DecodeError) {
        let (head, bodies) = (head, bodies)
        var reader = ByteReader(head.span.extracting(headOffset..<head.count))
        try readTimes(&reader)
        if isWanted {
            if times.isEmpty { try decodeTimes(bodies.span) }
            rows.times.append(contentsOf: times)
        }
        for index in columns.indices {
            let column = columns[index]
            let start = column.offset
            if column.isFloat {
                let run = try FloatPacking(count: rowCount, from: &reader, lists: &scratch.lists)
                let end = try advance(index, by: run.bodyCount, reader.offset)
                guard isWanted, column.isWanted else { continue }
                try run.decode(
                    bodies.span.extracting(start..<end),
                    scratch.lists,
                    appendingTo: &rows.columns[index].floats,
                    scratch: &scratch.integers
                )
            } else {
                let run = try IntegerPacking(
                    count: rowCount,
                    from: &reader,
                    lists: &scratch.lists.integers
                )
                let end = try advance(index, by: run.bodyCount, reader.offset)
                guard isWanted, column.isWanted else { continue }
                let first = rows.columns[index].ints.count
                try run.decode(
                    bodies.span.extracting(start..<end),
                    scratch.lists.integers,
                    appendingTo: &rows.columns[index].ints
                )
                guard index == RollupColumn.span.rawValue else { continue }
                let spans = rows.columns[index].ints
                var longest: UInt64 = 0
                for row in first..<spans.count {
                    longest = max(longest, UInt64(bitPattern: spans[row]))
                }
                guard longest <= Self.spanMax else {
                    throw .notCanonical(offset: headOffset + reader.offset)
                }
            }
        }
        try begin(&reader)
        headOffset += reader.offset
    }

    /// - Returns: Where the body ends that `count` bytes of a column are.
    @inline(__always)
    private mutating func advance(
        _ column: Int,
        by count: Int,
        _ headOffset: Int
    ) throws(DecodeError) -> Int {
        let end = columns[column].offset + count
        guard end <= columns[column].end else { throw .notCanonical(offset: headOffset) }
        columns[column].offset = end
        return end
    }

    @inline(__always)
    private mutating func readTimes(_ reader: inout ByteReader) throws(DecodeError) {
        guard try reader.readByte() != 0 else {
            guard packedTimes?.count == rowCount else {
                throw .notCanonical(offset: reader.offset)
            }
            return
        }
        let packed = try IntegerPacking(count: rowCount, from: &reader, lists: &timeLists)
        let start = timeBody.upperBound
        guard start + packed.bodyCount <= timesEnd else {
            throw .notCanonical(offset: reader.offset)
        }
        timeBody = start..<(start + packed.bodyCount)
        packedTimes = packed
        times.removeAll(keepingCapacity: true)
    }

    private mutating func decodeTimes(_ bodies: Span<UInt8>) throws(DecodeError) {
        try packedTimes?.decode(bodies.extracting(timeBody), timeLists, appendingTo: &times)
        for index in times.indices { times[index] = RollupFold.milliseconds(times[index]) }
    }
}

/// A rollup's part of a piece of a scan: the blocks that hold its streams, in order.
struct RollupBlocks {
    /// The place among the selection's sources.
    let source: Int
    private var blocks: [RollupBlock]
    private var current = 0

    init(source: Int, _ blocks: [RollupBlock]) {
        self.source = source
        self.blocks = blocks
    }

    /// Appends the rows of stream `ordinal` to `rows`; streams are asked for in ascending order.
    ///
    /// What follows an error is left out.
    mutating func take(
        _ ordinal: Int,
        into rows: inout RollupRows,
        _ scratch: inout RollupBlock.Scratch
    ) throws(DecodeError) {
        while current < blocks.count {
            guard let stream = blocks[current].stream else {
                current += 1
                continue
            }
            guard stream <= ordinal else { return }
            do throws(DecodeError) {
                try blocks[current].take(isWanted: stream == ordinal, into: &rows, &scratch)
            } catch {
                current = blocks.count
                throw error
            }
        }
    }
}
