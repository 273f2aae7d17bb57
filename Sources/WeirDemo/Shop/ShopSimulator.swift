internal import Glibc

/// A shop of a dozen services on six hosts that tells all about itself in line protocol.
///
/// It is as busy as a real one and breaks now and then. The same seed and times give the same
/// bytes. Counters run on from the first moment to the last, however densely they are told: the
/// shop always lives in ticks of ten seconds.
package struct ShopSimulator: Sendable {
    /// How the shop's time advances, in seconds.
    package static let tickSeconds: Int64 = 10

    private let calendar: IncidentCalendar
    private var noise: ShopNoise
    private let layout: LineLayout
    private var values: [Double]
    private var requests: RequestModel
    private var hosts: HostModel
    private var queues: QueueModel
    private var caches: CacheModel
    private var databases: DatabaseModel
    private var business: BusinessModel
    private let logs: LogModel
    private var moment: ShopMoment
    private var trend = Wander(keep: 0.98)
    /// The moment it tells about, in seconds since 1970: a multiple of the tick.
    package private(set) var seconds: Int64

    /// How many series there are.
    package var seriesCount: Int { layout.valueCount }
    /// How many lines one moment takes.
    package var lineCount: Int { layout.lineCount }

    /// - Parameters:
    ///   - seed: Of all chance.
    ///   - start: The first moment, in seconds since 1970; rounded down to the tick.
    ///   - anchor: When one incident is under way, in seconds since 1970: when the demo goes live.
    package init(seed: UInt64, startSeconds start: Int64, anchorSeconds anchor: Int64) {
        calendar = IncidentCalendar(anchorSeconds: Double(anchor))
        noise = ShopNoise(seed: seed)
        var layout = LineLayout()
        requests = RequestModel(&layout)
        hosts = HostModel(&layout, anchorSeconds: Double(anchor))
        queues = QueueModel(&layout)
        caches = CacheModel(&layout)
        databases = DatabaseModel(&layout)
        business = BusinessModel(&layout)
        self.layout = layout
        logs = LogModel(seed: seed, anchorSeconds: anchor)
        moment = ShopMoment(quietAtSeconds: 0)
        values = [Double](repeating: 0, count: layout.valueCount)
        seconds = start / Self.tickSeconds * Self.tickSeconds
        tick()
    }

    /// Lives on to the last tick at or before a moment, in seconds since 1970; never back.
    package mutating func advance(toSeconds target: Int64) {
        while seconds + Self.tickSeconds <= target {
            seconds += Self.tickSeconds
            tick()
        }
    }

    /// Adds the lines of this moment, with times in seconds (`precision=s`).
    package func appendLines(to bytes: inout [UInt8]) {
        layout.append(values: values, seconds: seconds, to: &bytes)
    }

    /// Adds the log lines of this tick as JSON lines, in the order of their times, which lie in the
    /// tick that ends at `seconds`.
    ///
    /// - Returns: How many there are.
    package func appendLogLines(to bytes: inout [UInt8]) -> Int {
        logs.append(moment, endSeconds: seconds, to: &bytes)
    }

    /// Adds the spans of the sampled requests of this tick.
    func appendSpans(to writer: inout SpanWriter) {
        logs.append(moment, endSeconds: seconds, to: &writer)
    }

    private mutating func tick() {
        let now = Double(seconds)
        trend.advance(&noise)
        var moment = ShopMoment(
            seconds: now,
            tick: Double(Self.tickSeconds),
            traffic: max(0.1, Self.dailyTraffic(atSeconds: now) * (1 + 0.04 * trend.value)),
            paymentTrouble: calendar.intensity(.paymentProvider, atSeconds: now),
            emailTrouble: calendar.intensity(.emailWorkers, atSeconds: now),
            cacheTrouble: calendar.intensity(.catalogCache, atSeconds: now),
            batchTrouble: calendar.intensity(.batchJob, atSeconds: now)
        )
        // Causes before effects.
        requests.decideDemand(&moment, &noise)
        caches.advance(&moment, &noise, &values)
        hosts.advance(&moment, &noise, &values)
        requests.advance(moment, &noise, &values)
        databases.advance(moment, &noise, &values)
        queues.advance(moment, &noise, &values)
        business.advance(moment, &noise, &values)
        self.moment = moment
    }

    /// Busiest at 15:00 UTC, with a smaller peak in the evening; 0.4 at night.
    private static func dailyTraffic(atSeconds seconds: Double) -> Double {
        let hour = (seconds / 3600).truncatingRemainder(dividingBy: 24)
        let day = sin((hour - 9) / 24 * 2 * .pi)
        let evening = exp(-(hour - 20) * (hour - 20) / 4)
        return min(1, 0.68 + 0.28 * day + 0.12 * evening)
    }
}
