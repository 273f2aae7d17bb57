internal import WeirCore

/// Walks a source, and leaves out the rows of some streams at some times.
final class ErasingCursor: StreamCursor {
    private let source: any StreamCursor
    /// Ascending ordinals of the streams whose rows are left out.
    private let ordinals: [Int32]
    private let times: ClosedRange<Int64>
    /// Whether a row stands for samples of some time before its own.
    private let isRollup: Bool
    private var next = 0
    private var ordinal: Int32 = 0
    private var scratch: RowRun
    /// The rows that were left out so far.
    private(set) var erasedRowCount = 0
    /// The streams of which any were.
    private(set) var erasedStreams: [Labels] = []

    init(
        _ source: any StreamCursor,
        signal: Signal,
        erasing ordinals: [Int32],
        at times: ClosedRange<Int64>
    ) {
        self.source = source
        self.ordinals = ordinals
        self.times = times
        isRollup = signal.resolution != nil
        scratch = RowRun(schema: signal.schema)
    }

    var labels: Labels? { source.labels }

    func takeRows(into run: inout RowRun) throws(SegmentError) {
        defer { ordinal += 1 }
        guard next < ordinals.count, ordinals[next] == ordinal else {
            try source.takeRows(into: &run)
            return
        }
        next += 1
        let stream = source.labels
        scratch.removeAll()
        try source.takeRows(into: &scratch)
        let rows = scratch
        let kept = rows.times.indices.filter { !times.overlaps(extent(of: $0, in: rows)) }
        if kept.count < rows.times.count {
            erasedRowCount += rows.times.count - kept.count
            if let stream { erasedStreams.append(stream) }
        }
        run.append { times, columns in Self.append(rows, kept, &times, &columns) }
    }

    /// The times that row `row` stands for, nanoseconds.
    private func extent(of row: Int, in rows: RowRun) -> ClosedRange<Int64> {
        let last = rows.times[row]
        guard isRollup else { return last...last }
        // Times are floored to milliseconds before the span is taken: one more covers both.
        let span = rows.columns[RollupColumn.span.rawValue].ints[row]
        let (nanoseconds, isLarge) = (max(span, 0) &+ 1).multipliedReportingOverflow(by: 1_000_000)
        let (first, overflow) = last.subtractingReportingOverflow(nanoseconds)
        return (isLarge || overflow ? .min : first)...last
    }

    private static func append(
        _ rows: RowRun,
        _ kept: [Int],
        _ times: inout [Int64],
        _ columns: inout [ColumnValues]
    ) {
        for row in kept {
            times.append(rows.times[row])
            for column in columns.indices { columns[column].append(row, of: rows.columns[column]) }
        }
    }
}
