internal import WeirColumns
internal import WeirCore

/// One block's head, read: which streams it holds and how each of their runs is packed.
///
/// A block of short runs has thousands, so they lie in flat arrays.
struct BlockHead: Sendable {
    struct Run: Sendable {
        let stream: Int
        let rowCount: Int
        /// The run whose times these are: itself, or one before it.
        let timesRun: Int
        let times: IntegerRun
        let timeBodyOffset: Int
    }

    /// How a column's runs are packed, and where in the column's page; empty when the column was not
    /// asked for.
    ///
    /// One of the three is in use, by the column's kind.
    struct Column: Sendable {
        fileprivate(set) var bodyOffsets: [Int] = []
        fileprivate(set) var floats: [FloatRun] = []
        fileprivate(set) var ints: [IntegerRun] = []
        fileprivate(set) var texts: [PackedBytesRun] = []

        /// Reads one run's head, and keeps it if it is wanted.
        ///
        /// - Returns: The bytes the run takes in the column's page.
        fileprivate mutating func read(
            _ kind: ColumnKind,
            count: Int,
            at bodyOffset: Int,
            isWanted: Bool,
            from reader: inout ByteReader
        ) throws(DecodeError) -> Int {
            if isWanted { bodyOffsets.append(bodyOffset) }
            switch kind {
            case .float64:
                let run = try FloatRun(count: count, from: &reader)
                if isWanted { floats.append(run) }
                return run.bodyCount
            case .int64:
                let run = try IntegerRun(count: count, from: &reader)
                if isWanted { ints.append(run) }
                return run.bodyCount
            case .bytes:
                let run = try PackedBytesRun(count: count, from: &reader)
                if isWanted { texts.append(run) }
                return run.bodyCount
            }
        }

        fileprivate mutating func reserve(_ kind: ColumnKind, _ count: Int) {
            bodyOffsets.reserveCapacity(count)
            switch kind {
            case .float64: floats.reserveCapacity(count)
            case .int64: ints.reserveCapacity(count)
            case .bytes: texts.reserveCapacity(count)
            }
        }
    }

    let runs: [Run]
    /// One per column of the schema.
    let columns: [Column]

    /// Reads all of the head, and keeps what it says of the columns in `wanted`.
    ///
    /// - Throws: `DecodeError` when the head does not agree with `entry`.
    init(
        _ bytes: [UInt8],
        entry: BlockEntry,
        schema: StreamSchema,
        columns wanted: Set<Int>
    ) throws(DecodeError) {
        var reader = ByteReader(bytes.span)
        let runCount = try reader.readCount(limit: entry.rowCount)
        var runs: [Run] = []
        runs.reserveCapacity(runCount)
        let kinds = schema.columns.map(\.kind)
        let isWanted = kinds.indices.map { wanted.contains($0) }
        var columns = kinds.map { _ in Column() }
        for column in kinds.indices where isWanted[column] {
            columns[column].reserve(kinds[column], runCount)
        }
        var stream = entry.firstStream
        var rowCount = 0
        var timeOffset = 0
        var columnOffsets = kinds.map { _ in 0 }
        for index in 0..<runCount {
            stream += try reader.readCount(limit: entry.lastStream - stream)
            let count = try reader.readCount(limit: entry.rowCount - rowCount)
            rowCount += count
            if try reader.readByte() != 0 {
                let times = try IntegerRun(count: count, from: &reader)
                runs.append(
                    Run(
                        stream: stream,
                        rowCount: count,
                        timesRun: index,
                        times: times,
                        timeBodyOffset: timeOffset
                    )
                )
                timeOffset += times.bodyCount
            } else {
                guard let before = runs.last, before.rowCount == count else {
                    throw .notCanonical(offset: reader.offset)
                }
                runs.append(
                    Run(
                        stream: stream,
                        rowCount: count,
                        timesRun: before.timesRun,
                        times: before.times,
                        timeBodyOffset: before.timeBodyOffset
                    )
                )
            }
            for column in kinds.indices {
                columnOffsets[column] += try columns[column].read(
                    kinds[column],
                    count: count,
                    at: columnOffsets[column],
                    isWanted: isWanted[column],
                    from: &reader
                )
            }
        }
        guard rowCount == entry.rowCount, reader.remaining == 0,
            timeOffset == entry.pages[1].rawCount,
            zip(columnOffsets, entry.pages[2...]).allSatisfy({ $0 == $1.rawCount })
        else { throw .notCanonical(offset: reader.offset) }
        self.runs = runs
        self.columns = columns
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

    /// Decodes a run's values of one column that was asked for, and appends them to `output`, which has
    /// its kind.
    func appendColumn(
        _ column: Int,
        ofRun index: Int,
        to output: inout ColumnValues,
        scratch: inout [Int64]
    ) throws(DecodeError) {
        let packed = head.columns[column]
        let start = packed.bodyOffsets[index]
        let bytes = columnBodies[column]
        switch output.kind {
        case .float64:
            let run = packed.floats[index]
            let body = bytes.span.extracting(start..<(start + run.bodyCount))
            try run.decode(body, appendingTo: &output.floats, scratch: &scratch)
        case .int64:
            let run = packed.ints[index]
            let body = bytes.span.extracting(start..<(start + run.bodyCount))
            try run.decode(body, appendingTo: &output.ints)
        case .bytes:
            let run = packed.texts[index]
            let body = bytes.span.extracting(start..<(start + run.bodyCount))
            try run.decode(body, appendingTo: &output.texts, scratch: &scratch)
        }
    }
}
