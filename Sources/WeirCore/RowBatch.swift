/// Rows of one signal as a parser made them, in columns: row `i` belongs to stream
/// `streams[streamIndexes[i]]`, has time `times[i]` and value `columns[c]` at `i`.
///
/// Self-contained: it names its streams by their labels. Rows are in the order they were sent.
package struct RowBatch: Sendable {
    package let signal: Signal
    /// Each label set once.
    package var streams: [Labels] = []
    /// The input line that first named each stream, counted from 1; 0 when there are no lines.
    package var firstLines: [Int] = []
    /// One per stream, or none at all: for who names the same streams again and again.
    package var handles: [StreamHandle] = []
    package var streamIndexes: [UInt32] = []
    /// Nanoseconds since the Unix epoch.
    package var times: [Int64] = []
    package var columns: [ColumnValues]
    /// What only some rows have; empty unless the schema has fields.
    package var fields = FieldTable()

    package init(signal: Signal) {
        self.signal = signal
        self.columns = signal.schema.columns.map { ColumnValues(kind: $0.kind) }
    }

    package var rowCount: Int { times.count }

    /// These rows alone, in this order; streams keep their places, used or not.
    package func selecting(_ rows: [Int]) -> RowBatch {
        var batch = RowBatch(signal: signal)
        batch.streams = streams
        batch.firstLines = firstLines
        batch.handles = handles
        batch.streamIndexes.reserveCapacity(rows.count)
        batch.times.reserveCapacity(rows.count)
        for row in rows {
            batch.streamIndexes.append(streamIndexes[row])
            batch.times.append(times[row])
            for index in columns.indices { batch.columns[index].append(row, of: columns[index]) }
        }
        batch.fields = fields.selecting(rows)
        return batch
    }
}
