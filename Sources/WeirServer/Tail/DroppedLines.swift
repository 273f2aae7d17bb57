internal import WeirCore

/// Lines that a follower was too slow for: how many, and which the first of them were.
struct DroppedLines: Hashable, Sendable {
    struct Entry: Hashable, Sendable {
        let stream: Labels
        /// Nanoseconds.
        let time: Int64
    }

    private static let namedMax = 10

    private(set) var count = 0
    private(set) var first: [Entry] = []

    /// Rows of whatever stream that were not even looked at.
    mutating func add(unseen rowCount: Int) { count += rowCount }

    mutating func add(_ rows: FollowedRows) {
        count += rows.rows.count
        for row in rows.rows.prefix(max(0, Self.namedMax - first.count)) {
            let stream = rows.batch.streams[Int(rows.batch.streamIndexes[Int(row)])]
            first.append(Entry(stream: stream, time: rows.batch.times[Int(row)]))
        }
    }
}
