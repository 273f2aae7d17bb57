internal import WeirCore

/// The order trace by trace of the spans of several batches, which are counted as if the batches
/// lay end to end.
///
/// Traces come by their earliest start, the spans of one by their own. A span that is there twice
/// is there once.
struct SpanOrder {
    /// The rows in order; a row is its place in the batches laid end to end.
    private(set) var sorted: [UInt32] = []
    /// The fingerprint of the trace of each row in `sorted`; of a row without an id 0.
    private(set) var fingerprints: [UInt32] = []

    private struct Span {
        let time: Int64
        let id: UInt64
        let row: UInt32
    }

    /// - Parameters:
    ///   - batches: In journal order.
    ///   - rows: Those of `batches` that are to be put in order.
    init(_ batches: [ResolvedBatch], rows: [UInt32]) {
        let columns = SpanColumns(batches)
        var traces = TraceTable(rowCount: rows.count)
        var traceOfRow: [UInt32] = []
        traceOfRow.reserveCapacity(rows.count)
        // Where each trace begins among the rows, its earliest start, how many rows it has.
        var starts: [Int64] = []
        var counts: [Int] = []
        for row in rows {
            let trace = traces.index(of: columns.traces[Int(row)])
            let time = columns.times[Int(row)]
            if trace == starts.count {
                starts.append(time)
                counts.append(0)
            }
            starts[trace] = min(starts[trace], time)
            counts[trace] += 1
            traceOfRow.append(UInt32(trace))
        }
        let order = starts.indices.sorted { (starts[$0], $0) < (starts[$1], $1) }
        var offsets = [Int](repeating: 0, count: counts.count)
        var offset = 0
        for trace in order {
            offsets[trace] = offset
            offset += counts[trace]
        }
        var spans = [Span](repeating: Span(time: 0, id: 0, row: 0), count: rows.count)
        for (place, row) in rows.enumerated() {
            let trace = Int(traceOfRow[place])
            spans[offsets[trace]] = Span(
                time: columns.times[Int(row)],
                id: columns.spanIDs[Int(row)],
                row: row
            )
            offsets[trace] += 1
        }
        sorted.reserveCapacity(rows.count)
        fingerprints.reserveCapacity(rows.count)
        var start = 0
        for trace in order {
            let end = start + counts[trace]
            spans[start..<end].sort { ($0.time, $0.id, $0.row) < ($1.time, $1.id, $1.row) }
            let id = traces.traces[trace]
            for place in start..<end {
                let span = spans[place]
                // Of equal spans the first is kept; they stand side by side.
                var other = place - 1
                var isKnown = false
                while id != nil, !isKnown, other >= start, spans[other].time == span.time,
                    spans[other].id == span.id
                {
                    isKnown = columns.areEqual(Int(spans[other].row), Int(span.row))
                    other -= 1
                }
                guard !isKnown else { continue }
                sorted.append(span.row)
                fingerprints.append(id?.fingerprint ?? 0)
            }
            start = end
        }
    }
}

/// The traces of some rows, numbered as they first come.
private struct TraceTable {
    private(set) var traces: [TraceID?] = []
    /// Open addressing: a trace's number plus one, 0 where free; a power of two of them.
    private var slots: [Int32]

    init(rowCount: Int) {
        var count = 1024
        while count < rowCount * 2 { count *= 2 }
        slots = [Int32](repeating: 0, count: count)
    }

    mutating func index(of trace: TraceID?) -> Int {
        // Spans of one trace often come side by side.
        if let last = traces.last, last == trace { return traces.count - 1 }
        var slot = Int(trace?.fingerprint ?? 0) & (slots.count - 1)
        while slots[slot] > 0 {
            let index = Int(slots[slot]) - 1
            if traces[index] == trace { return index }
            slot = (slot + 1) & (slots.count - 1)
        }
        traces.append(trace)
        slots[slot] = Int32(traces.count)
        return traces.count - 1
    }
}

/// What orders spans and tells them apart, row by row of several batches end to end.
private struct SpanColumns {
    private struct Part {
        let firstRow: Int
        let duration: FieldColumn?
        let kind: FieldColumn?
    }

    private var parts: [Part] = []
    private(set) var times: [Int64] = []
    private(set) var traces: [TraceID?] = []
    /// Of a row without an id that is one 0.
    private(set) var spanIDs: [UInt64] = []

    init(_ batches: [ResolvedBatch]) {
        let rowCount = batches.reduce(0) { $0 + $1.rowCount }
        times.reserveCapacity(rowCount)
        traces = [TraceID?](repeating: nil, count: rowCount)
        spanIDs = [UInt64](repeating: 0, count: rowCount)
        for batch in batches {
            let firstRow = times.count
            parts.append(
                Part(
                    firstRow: firstRow,
                    duration: batch.fields[SpanField.duration],
                    kind: batch.fields[SpanField.kind]
                )
            )
            times.append(contentsOf: batch.times)
            if let column = batch.fields[SpanField.traceID] {
                let bytes = column.values.bytes
                let span = bytes.span
                for index in 0..<column.count {
                    traces[firstRow + Int(column.row(at: index))] = TraceID(
                        digits: span.extracting(column.values.range(index))
                    )
                }
            }
            if let column = batch.fields[SpanField.spanID] {
                let bytes = column.values.bytes
                let span = bytes.span
                for index in 0..<column.count {
                    spanIDs[firstRow + Int(column.row(at: index))] =
                        HexDigits.value(span.extracting(column.values.range(index))) ?? 0
                }
            }
        }
    }

    /// Whether two rows of one trace, span id and start are one span.
    func areEqual(_ left: Int, _ right: Int) -> Bool {
        value(left, \.duration) == value(right, \.duration)
            && value(left, \.kind) == value(right, \.kind)
    }

    private func value(_ row: Int, _ column: KeyPath<Part, FieldColumn?>) -> ArraySlice<UInt8>? {
        let part = parts[parts.partitioningIndex { $0.firstRow > row } - 1]
        guard let column = part[keyPath: column],
            let index = column.index(ofRow: row - part.firstRow)
        else { return nil }
        return column.values[index]
    }
}
