/// Which of the requests that the logs tell of are traced: so many that back-filling them takes
/// about a second.
///
/// The same share of a service's requests whenever it is told of, so that rates of spans can be
/// compared within the last hour, the only one whose charts are looked at from the start.
struct SpanSampling: Sendable {
    /// How far back the greater share reaches, in seconds.
    private static let recentSeconds: Int64 = 3700
    private static let batchSeconds: Int64 = 600

    let anchorSeconds: Int64

    private func isRecent(_ seconds: Int64) -> Bool {
        seconds > anchorSeconds - Self.recentSeconds
    }

    /// Whether a trace is told of a flow.
    func takes(flow: UInt64, service: Int, isFailure: Bool, endSeconds: Int64) -> Bool {
        // The logs tell of all failures, but only of a few percent of what went well.
        var one: UInt64 = isFailure ? 10 : Self.isSmall[service] ? 6 : 9
        if !isRecent(endSeconds) { one *= 10 }
        // Not the lowest bits: others are chosen by those.
        return (flow >> 20) % one == 0
    }

    /// Whether a long job of thousands of spans ends in the tick.
    func hasBatch(endSeconds: Int64) -> Bool {
        isRecent(endSeconds) && endSeconds % Self.batchSeconds == 0
    }

    private static let isSmall = ShopTopology.services.map { $0.requestsPerSecond < 30 }
}
