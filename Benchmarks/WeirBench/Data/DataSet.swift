import WeirSystem

/// Rows ready to be sent: whole request bodies, in the order of their times.
struct DataSet: Sendable {
    let name: String
    let bodies: [[UInt8]]
    let sampleCount: Int
    let seriesCount: Int
    /// Nanoseconds since the epoch; samples lie in `start < t <= end`.
    let start: Int64
    let end: Int64
    /// Where the bodies are posted.
    var path = "/write"
    var contentType = "text/plain"
    /// Sent with every body, besides its content type.
    var headers: [(name: String, value: String)] = []
    /// What the rows are counted as in the server's status.
    var signal = "metrics"

    var byteCount: Int { bodies.reduce(0) { $0 + $1.count } }

    static let linesPerBody = 10_000
    static let second: Int64 = 1_000_000_000
    static let minute: Int64 = 60 * second
    static let hour: Int64 = 60 * minute
    static let day: Int64 = 24 * hour

    /// Midnight, UTC, before the last day that is over: all data lies in that day.
    static func lastWholeDay(now: Int64 = HostClock().nowNanoseconds()) -> Int64 {
        (now / day - 1) * day
    }
}
