internal import WeirCore

/// The rows of one stream, gathered from several places and put in order.
///
/// Buffers are reused.
struct RowRun {
    private(set) var times: [Int64] = []
    private(set) var columns: [ColumnValues]
    private let keepsLastOfEqualTimes: Bool

    init(schema: StreamSchema) {
        columns = schema.columns.map { ColumnValues(kind: $0.kind) }
        keepsLastOfEqualTimes = schema.keepsLastOfEqualTimes
    }

    mutating func removeAll() {
        times.removeAll(keepingCapacity: true)
        for index in columns.indices { columns[index].removeAll() }
    }

    /// Appends through `body`, which must append as many values to each column as times.
    mutating func append<Failure: Error>(
        _ body: (_ times: inout [Int64], _ columns: inout [ColumnValues]) throws(Failure) -> Void
    ) throws(Failure) {
        try body(&times, &columns)
    }

    /// Puts the rows in time order; of equal times the one appended last stays, if the schema says
    /// so.
    ///
    /// Nothing moves when they are in order already, as they nearly always are.
    mutating func normalize() {
        guard !isOrdered else { return }
        let order = times.indices.sorted { (times[$0], $0) < (times[$1], $1) }
        var kept: [Int] = []
        kept.reserveCapacity(order.count)
        for (place, row) in order.enumerated() {
            if keepsLastOfEqualTimes, place + 1 < order.count,
                times[order[place + 1]] == times[row]
            {
                continue
            }
            kept.append(row)
        }
        let unsortedTimes = times
        times = kept.map { unsortedTimes[$0] }
        for index in columns.indices { columns[index] = columns[index].gathering(kept) }
    }

    private var isOrdered: Bool {
        let times = times
        let span = times.span
        guard span.count > 1 else { return true }
        var previous = span[0]
        for index in 1..<span.count {
            // SAFETY: index < span.count.
            let time = unsafe span[unchecked: index]
            if time < previous || (keepsLastOfEqualTimes && time == previous) { return false }
            previous = time
        }
        return true
    }
}
