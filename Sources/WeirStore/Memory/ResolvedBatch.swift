internal import WeirCore

/// A batch whose streams have references, in the order it was journaled.
struct ResolvedBatch: Sendable {
    let sequence: UInt64
    let references: [UInt32]
    let times: [Int64]
    let columns: [ColumnValues]
    /// Empty unless the signal has fields.
    let fields: FieldTable
    /// Nanoseconds, inclusive.
    let timeRange: ClosedRange<Int64>

    var rowCount: Int { times.count }

    /// Roughly what the rows take in memory; of fields, with what encoding them will take.
    let byteCount: Int

    init(
        sequence: UInt64,
        references: [UInt32],
        times: [Int64],
        columns: [ColumnValues],
        fields: FieldTable = FieldTable()
    ) {
        self.sequence = sequence
        self.references = references
        self.times = times
        self.columns = columns
        self.fields = fields
        byteCount =
            references.count * 4 + times.count * 8
            + columns.reduce(0) {
                $0 + $1.floats.count * 8 + $1.ints.count * 8 + $1.texts.bytes.count
            }
            + fields.byteCount * 3 / 2 + 256
        var minTime = Int64.max
        var maxTime = Int64.min
        for time in times {
            minTime = min(minTime, time)
            maxTime = max(maxTime, time)
        }
        timeRange = times.isEmpty ? 0...0 : minTime...maxTime
    }

    /// The rows at `rows`, as a batch of their own.
    func selecting(_ rows: [Int]) -> ResolvedBatch {
        var columns = self.columns.map { ColumnValues(kind: $0.kind) }
        for index in columns.indices {
            for row in rows { columns[index].append(row, of: self.columns[index]) }
        }
        return ResolvedBatch(
            sequence: sequence,
            references: rows.map { references[$0] },
            times: rows.map { times[$0] },
            columns: columns,
            fields: fields.selecting(rows)
        )
    }
}
