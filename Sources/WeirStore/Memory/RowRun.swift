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
        var isOrdered = true
        for index in times.indices.dropFirst() {
            if times[index] < times[index - 1]
                || (keepsLastOfEqualTimes && times[index] == times[index - 1])
            {
                isOrdered = false
                break
            }
        }
        guard !isOrdered else { return }
        let order = times.indices.sorted { (times[$0], $0) < (times[$1], $1) }
        var sortedTimes: [Int64] = []
        sortedTimes.reserveCapacity(times.count)
        var sorted = columns.map { ColumnValues(kind: $0.kind) }
        for (place, row) in order.enumerated() {
            if keepsLastOfEqualTimes, place + 1 < order.count,
                times[order[place + 1]] == times[row]
            {
                continue
            }
            sortedTimes.append(times[row])
            for index in sorted.indices { sorted[index].append(row, of: columns[index]) }
        }
        times = sortedTimes
        columns = sorted
    }
}
