internal import WeirCore

/// Rows in memory, sorted by stream and time, as a segment has them on disk.
///
/// Immutable, so it is read without a lock. Each stream stands once; equal times are already one
/// row where the schema says so.
final class MemoryPart: Sendable {
    let sequences: ClosedRange<UInt64>
    /// In ascending canonical order.
    let labels: [Labels]
    /// Where each stream's rows begin; one more at the end.
    let starts: [Int]
    let times: [Int64]
    let columns: [ColumnValues]
    /// Nanoseconds, inclusive.
    let timeRange: ClosedRange<Int64>

    var rowCount: Int { times.count }

    var byteCount: Int {
        labels.count * 16 + times.count * 8
            + columns.reduce(0) {
                $0 + $1.floats.count * 8 + $1.ints.count * 8 + $1.texts.bytes.count
            }
    }

    /// Sorts the rows of `batches`, which are in journal order, for which `isKept` holds.
    ///
    /// - Returns: Nil when there are none.
    init?(
        _ batches: [ResolvedBatch],
        order: StreamOrder,
        schema: StreamSchema,
        isKept: ((_ reference: UInt32, _ time: Int64) -> Bool)? = nil
    ) {
        guard let first = batches.first, let last = batches.last else { return nil }
        sequences = first.sequence...last.sequence
        var rows = RowOrder(batches, ranks: order.ranks, isKept: isKept)
        guard !rows.isEmpty else { return nil }
        rows.sort(keepsLastOfEqualTimes: schema.keepsLastOfEqualTimes)
        labels = rows.streamReferences.map { order.labels[Int($0)] }
        starts = rows.starts
        times = rows.sortedTimes
        columns = schema.columns.indices.map { index in
            Self.gather(batches.map { $0.columns[index] }, kind: schema.columns[index].kind, rows)
        }
        timeRange = rows.timeRange
    }

    /// The values of one column in sorted order.
    ///
    /// Batches are laid end to end first, so that a row is one index and not two.
    private static func gather(
        _ parts: [ColumnValues],
        kind: ColumnKind,
        _ rows: RowOrder
    ) -> ColumnValues {
        var flat = ColumnValues(kind: kind)
        for part in parts { flat.append(0..<part.count, of: part) }
        var sorted = ColumnValues(kind: kind)
        switch kind {
        case .float64: sorted.floats = rows.sorted.map { flat.floats[Int($0)] }
        case .int64: sorted.ints = rows.sorted.map { flat.ints[Int($0)] }
        case .bytes: for row in rows.sorted { sorted.texts.append(flat.texts[Int(row)]) }
        }
        return sorted
    }
}
