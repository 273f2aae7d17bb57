internal import WeirColumns
internal import WeirCore

/// Gathers runs of rows, in stream order, into one block and encodes it.
///
/// Layout: docs/format/segment.md, version 1.
struct BlockWriter {
    private let schema: StreamSchema
    private var head: [UInt8] = []
    private var timeBody: [UInt8] = []
    private var columnBodies: [[UInt8]]
    private var runCount = 0
    private var firstStream = 0
    private var lastStream = 0
    private var minTime = Int64.max
    private var maxTime = Int64.min
    private(set) var rowCount = 0
    /// The times of the run before: series that are scraped together share them.
    private var previousTimes: [Int64] = []
    private var scratch = EncodingScratch()
    private var residuals: [UInt64] = []

    init(schema: StreamSchema) {
        self.schema = schema
        columnBodies = schema.columns.map { _ in [] }
    }

    var isEmpty: Bool { runCount == 0 }

    /// How many more rows fit.
    var roomRowCount: Int {
        let isFull =
            head.count >= BlockLimits.headBytesMax
            || columnBodies.contains { $0.count >= BlockLimits.bodyBytesMax }
        return isFull ? 0 : BlockLimits.rowsMax - rowCount
    }

    /// Appends rows `rows` of one stream.
    ///
    /// Times ascend; `rows.count` is at most `roomRowCount`.
    mutating func append(
        stream: Int,
        times: [Int64],
        columns: [ColumnValues],
        rows: Range<Int>
    ) {
        precondition(!rows.isEmpty && rows.count <= roomRowCount && stream >= lastStream)
        if isEmpty {
            firstStream = stream
            lastStream = stream
        }
        UInt64(stream - lastStream).appendVarint(to: &head)
        UInt64(rows.count).appendVarint(to: &head)
        lastStream = stream
        minTime = min(minTime, times[rows.lowerBound])
        maxTime = max(maxTime, times[rows.upperBound - 1])
        appendTimes(times[rows])
        for (index, column) in columns.enumerated() {
            appendColumn(index, column, rows)
        }
        runCount += 1
        rowCount += rows.count
    }

    private mutating func appendTimes(_ times: ArraySlice<Int64>) {
        if runCount > 0, Self.areEqual(times, previousTimes) {
            head.append(0)
            return
        }
        head.append(1)
        let own = Array(times)
        previousTimes = own
        IntegerRun.encode(
            own.span,
            findsUnit: true,
            head: &head,
            body: &timeBody,
            scratch: &residuals
        )
    }

    private static func areEqual(_ left: ArraySlice<Int64>, _ right: [Int64]) -> Bool {
        let (left, right) = (left.span, right.span)
        guard left.count == right.count else { return false }
        for index in left.indices {
            // SAFETY: both have `left.count` elements.
            let isEqual = unsafe left[unchecked: index] == right[unchecked: index]
            if !isEqual { return false }
        }
        return true
    }

    private mutating func appendColumn(_ index: Int, _ column: ColumnValues, _ rows: Range<Int>) {
        switch column.kind {
        case .float64:
            let values = column.floats.span.extracting(rows)
            FloatRun.encode(values, head: &head, body: &columnBodies[index], scratch: &scratch)
        case .int64:
            let values = column.ints.span.extracting(rows)
            IntegerRun.encode(
                values,
                findsUnit: true,
                head: &head,
                body: &columnBodies[index],
                scratch: &residuals
            )
        case .bytes:
            PackedBytesRun.encode(
                column.texts,
                rows: rows,
                head: &head,
                body: &columnBodies[index],
                scratch: &scratch
            )
        }
    }

    /// Encodes the block, to lie at `offset`, and starts the next one.
    mutating func finish(
        at offset: Int,
        encoder: PageEncoder
    ) -> (entry: BlockEntry, bytes: [UInt8]) {
        precondition(!isEmpty)
        var counted: [UInt8] = []
        UInt64(runCount).appendVarint(to: &counted)
        counted.append(contentsOf: head)
        var entries: [PageEntry] = []
        var bytes: [UInt8] = []
        for raw in [counted, timeBody] + columnBodies {
            let page = encoder.encode(raw, matching: encoder.effort == .fast ? .later : .tried)
            entries.append(PageEntry(page))
            bytes.append(contentsOf: page.bytes)
        }
        let entry = BlockEntry(
            offset: offset,
            rowCount: rowCount,
            streams: firstStream...lastStream,
            times: minTime...maxTime,
            pages: entries
        )
        reset()
        return (entry, bytes)
    }

    private mutating func reset() {
        head.removeAll(keepingCapacity: true)
        timeBody.removeAll(keepingCapacity: true)
        for index in columnBodies.indices { columnBodies[index].removeAll(keepingCapacity: true) }
        runCount = 0
        rowCount = 0
        lastStream = 0
        minTime = .max
        maxTime = .min
    }
}
