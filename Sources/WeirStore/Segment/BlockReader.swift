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

    /// How a column of a run is packed, and where in the column's page.
    struct Piece: Sendable {
        let run: ColumnRun
        let bodyOffset: Int
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
    /// Per column one piece per run; none of columns that were not asked for.
    let pieces: [[Piece]]

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
        var pieces: [[Piece]] = kinds.map { _ in [] }
        for column in kinds.indices where isWanted[column] {
            pieces[column].reserveCapacity(runCount)
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
                let run = try ColumnRun(kind: kinds[column], count: count, from: &reader)
                let offset = columnOffsets[column]
                if isWanted[column] { pieces[column].append(Piece(run: run, bodyOffset: offset)) }
                columnOffsets[column] = offset + run.bodyCount
            }
        }
        guard rowCount == entry.rowCount, reader.remaining == 0,
            timeOffset == entry.pages[1].rawCount,
            zip(columnOffsets, entry.pages[2...]).allSatisfy({ $0 == $1.rawCount })
        else { throw .notCanonical(offset: reader.offset) }
        self.runs = runs
        self.pieces = pieces
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

    /// Decodes a run's values of one column that was asked for, and appends them.
    func appendColumn(
        _ column: Int,
        ofRun index: Int,
        to output: inout ColumnValues,
        scratch: inout [Int64]
    ) throws(DecodeError) {
        let piece = head.pieces[column][index]
        let bytes = columnBodies[column]
        let body = bytes.span.extracting(
            piece.bodyOffset..<(piece.bodyOffset + piece.run.bodyCount)
        )
        switch piece.run {
        case .floats(let run):
            try run.decode(body, appendingTo: &output.floats, scratch: &scratch)
        case .ints(let run): try run.decode(body, appendingTo: &output.ints)
        case .texts(let run):
            try run.decode(body, appendingTo: &output.texts, scratch: &scratch)
        }
    }
}
