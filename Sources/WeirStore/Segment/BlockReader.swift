internal import WeirColumns
internal import WeirCore

/// One block's head, read: which streams it holds and how each of their runs is packed.
struct BlockHead: Sendable {
    struct Run: Sendable {
        let stream: Int
        let rowCount: Int
        /// The run whose times these are: itself, or one before it.
        let timesRun: Int
        let times: IntegerRun
        let timeBodyOffset: Int
        /// One per column.
        let columns: [ColumnRun]
        let columnBodyOffsets: [Int]
    }

    enum ColumnRun: Sendable {
        case floats(FloatRun)
        case ints(IntegerRun)
        case texts(PackedBytesRun)

        var bodyCount: Int {
            switch self {
            case .floats(let run): run.bodyCount
            case .ints(let run): run.bodyCount
            case .texts(let run): run.bodyCount
            }
        }

        init(
            kind: ColumnKind,
            count: Int,
            from reader: inout ByteReader
        ) throws(DecodeError) {
            switch kind {
            case .float64: self = .floats(try FloatRun(count: count, from: &reader))
            case .int64: self = .ints(try IntegerRun(count: count, from: &reader))
            case .bytes: self = .texts(try PackedBytesRun(count: count, from: &reader))
            }
        }
    }

    let runs: [Run]

    /// - Throws: `DecodeError` when the head does not agree with `entry`.
    init(_ bytes: [UInt8], entry: BlockEntry, schema: StreamSchema) throws(DecodeError) {
        var reader = ByteReader(bytes.span)
        let runCount = try reader.readCount(limit: entry.rowCount)
        var runs: [Run] = []
        runs.reserveCapacity(runCount)
        var stream = entry.firstStream
        var rowCount = 0
        var timeOffset = 0
        var columnOffsets = schema.columns.map { _ in 0 }
        for index in 0..<runCount {
            stream += try reader.readCount(limit: entry.lastStream - stream)
            let count = try reader.readCount(limit: entry.rowCount - rowCount)
            rowCount += count
            let isOwn = try reader.readByte() != 0
            let times: IntegerRun
            let timesRun: Int
            if isOwn {
                times = try IntegerRun(count: count, from: &reader)
                timesRun = index
            } else {
                guard let before = runs.last, before.rowCount == count else {
                    throw .notCanonical(offset: reader.offset)
                }
                times = before.times
                timesRun = before.timesRun
            }
            var columns: [ColumnRun] = []
            for column in schema.columns {
                columns.append(try ColumnRun(kind: column.kind, count: count, from: &reader))
            }
            runs.append(
                Run(
                    stream: stream,
                    rowCount: count,
                    timesRun: timesRun,
                    times: times,
                    timeBodyOffset: isOwn ? timeOffset : runs[timesRun].timeBodyOffset,
                    columns: columns,
                    columnBodyOffsets: columnOffsets
                )
            )
            if isOwn { timeOffset += times.bodyCount }
            for index in columnOffsets.indices { columnOffsets[index] += columns[index].bodyCount }
        }
        guard rowCount == entry.rowCount, reader.remaining == 0,
            timeOffset == entry.pages[1].rawCount,
            zip(columnOffsets, entry.pages[2...]).allSatisfy({ $0 == $1.rawCount })
        else { throw .notCanonical(offset: reader.offset) }
        self.runs = runs
    }

    /// The runs of streams in `streams`.
    func runIndexes(of streams: ClosedRange<Int>) -> Range<Int> {
        let first = runs.partitioningIndex { $0.stream >= streams.lowerBound }
        let last = runs.partitioningIndex { $0.stream > streams.upperBound }
        return first..<last
    }
}

/// A block whose pages are decompressed, ready to give out runs.
struct BlockReader: Sendable {
    let head: BlockHead
    let timeBody: [UInt8]
    /// One per column; empty for columns that were not asked for.
    let columnBodies: [[UInt8]]

    /// Decodes a run's times, in nanoseconds, and appends them.
    func appendTimes(ofRun index: Int, to output: inout [Int64]) throws(DecodeError) {
        let run = head.runs[index]
        let bytes = timeBody
        let body = bytes.span.extracting(
            run.timeBodyOffset..<(run.timeBodyOffset + run.times.bodyCount)
        )
        try run.times.decode(body, appendingTo: &output)
    }

    /// Decodes a run's values of one column and appends them.
    func appendColumn(
        _ column: Int,
        ofRun index: Int,
        to output: inout ColumnValues,
        scratch: inout [Int64]
    ) throws(DecodeError) {
        let run = head.runs[index]
        let start = run.columnBodyOffsets[column]
        let bytes = columnBodies[column]
        let body = bytes.span.extracting(
            start..<(start + run.columns[column].bodyCount)
        )
        switch run.columns[column] {
        case .floats(let run):
            try run.decode(body, appendingTo: &output.floats, scratch: &scratch)
        case .ints(let run): try run.decode(body, appendingTo: &output.ints)
        case .texts(let run):
            try run.decode(body, appendingTo: &output.texts, scratch: &scratch)
        }
    }
}
