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
        var rows = Self.gather(batches, ranks: order.ranks, isKept: isKept)
        guard !rows.isEmpty else { return nil }
        Self.sort(&rows)
        var labels: [Labels] = []
        var starts: [Int] = []
        var times: [Int64] = []
        times.reserveCapacity(rows.count)
        var columns = schema.columns.map { ColumnValues(kind: $0.kind) }
        for index in columns.indices where columns[index].kind == .float64 {
            columns[index].floats.reserveCapacity(rows.count)
        }
        var lastRank = UInt32.max
        var range = rows[0].time...rows[0].time
        for (index, row) in rows.enumerated() {
            if schema.keepsLastOfEqualTimes, index + 1 < rows.count,
                rows[index + 1].rank == row.rank, rows[index + 1].time == row.time
            {
                continue
            }
            let batch = batches[Int(row.batch)]
            if row.rank != lastRank {
                lastRank = row.rank
                starts.append(times.count)
                labels.append(order.labels[Int(batch.references[Int(row.row)])])
            }
            range = min(range.lowerBound, row.time)...max(range.upperBound, row.time)
            times.append(row.time)
            for column in columns.indices {
                columns[column].append(Int(row.row), of: batch.columns[column])
            }
        }
        starts.append(times.count)
        self.labels = labels
        self.starts = starts
        self.times = times
        self.columns = columns
        timeRange = range
    }

    /// One row's place: where it sorts, and where it is.
    private struct RowKey {
        let rank: UInt32
        let batch: UInt32
        let row: UInt32
        let time: Int64
    }

    private static func gather(
        _ batches: [ResolvedBatch],
        ranks: [UInt32],
        isKept: ((UInt32, Int64) -> Bool)?
    ) -> [RowKey] {
        var rows: [RowKey] = []
        if isKept == nil { rows.reserveCapacity(batches.reduce(0) { $0 + $1.rowCount }) }
        for (number, batch) in batches.enumerated() {
            for row in 0..<batch.rowCount {
                let reference = batch.references[row]
                let time = batch.times[row]
                if let isKept, !isKept(reference, time) { continue }
                rows.append(
                    RowKey(
                        rank: ranks[Int(reference)],
                        batch: UInt32(number),
                        row: UInt32(row),
                        time: time
                    )
                )
            }
        }
        return rows
    }

    /// Sorts by stream, then time, then arrival. Counting by stream first: rows arrive in time
    /// order as a rule, and then nothing is left to sort.
    private static func sort(_ rows: inout [RowKey]) {
        var minRank = UInt32.max
        var maxRank: UInt32 = 0
        for row in rows {
            minRank = min(minRank, row.rank)
            maxRank = max(maxRank, row.rank)
        }
        let spread = Int(maxRank - minRank) + 1
        if spread <= rows.count * 4 + 1024 {
            var offsets = [UInt32](repeating: 0, count: spread + 1)
            for row in rows { offsets[Int(row.rank - minRank) + 1] += 1 }
            for index in 1...spread { offsets[index] += offsets[index - 1] }
            var sorted = rows
            for row in rows {
                let slot = Int(row.rank - minRank)
                sorted[Int(offsets[slot])] = row
                offsets[slot] += 1
            }
            rows = sorted
        } else {
            sortRange(&rows, 0..<rows.count) {
                ($0.rank, $0.batch, $0.row) < ($1.rank, $1.batch, $1.row)
            }
        }
        var start = 0
        while start < rows.count {
            var end = start + 1
            var isAscending = true
            while end < rows.count, rows[end].rank == rows[start].rank {
                if rows[end].time < rows[end - 1].time { isAscending = false }
                end += 1
            }
            if !isAscending {
                sortRange(&rows, start..<end) {
                    ($0.time, $0.batch, $0.row) < ($1.time, $1.batch, $1.row)
                }
            }
            start = end
        }
    }

    private static func sortRange(
        _ rows: inout [RowKey],
        _ range: Range<Int>,
        by precedes: (RowKey, RowKey) -> Bool
    ) {
        rows[range].sort(by: precedes)
    }
}
