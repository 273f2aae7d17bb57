internal import WeirCore
internal import WeirStore

/// What costs among the series that are active: names, labels and pairs, by count and by bytes.
struct Cardinality {
    /// The series of one metric.
    struct Metric {
        var series = 0
        /// Of labels.
        var bytes = 0
        /// Series that began, or were last written longer than five minutes ago, within an hour.
        var begun = 0
        var ended = 0
    }

    private(set) var metrics: [String: Metric] = [:]
    private(set) var pairSeries: [String: Int] = [:]
    /// By label name.
    private(set) var values: [String: Set<String>] = [:]
    private(set) var labelBytes: [String: Int] = [:]
    private(set) var series = 0
    private(set) var begunInDay = 0

    private static let hour: Int64 = 3_600_000_000_000
    private static let silence: Int64 = 300_000_000_000

    /// Takes in the streams of one signal.
    mutating func add(_ streams: ActiveStreams, now: Int64) {
        for (index, labels) in streams.labels.enumerated() where !labels.bytes.isEmpty {
            let (first, last) = (streams.firstWrites[index], streams.lastWrites[index])
            series += 1
            if now - first < 24 * Self.hour { begunInDay += 1 }
            var metric = metrics[labels.metricName ?? ""] ?? Metric()
            metric.series += 1
            metric.bytes += labels.bytes.count
            if now - first < Self.hour { metric.begun += 1 }
            if now - last >= Self.silence, now - last < Self.hour { metric.ended += 1 }
            metrics[labels.metricName ?? ""] = metric
            for (name, value) in labels.pairs {
                pairSeries["\(name)=\(value)", default: 0] += 1
                values[name, default: []].insert(value)
                labelBytes[name, default: 0] += value.utf8.count
            }
        }
    }

    /// The greatest of `counts`, by name where they are equal.
    static func top(_ counts: [String: Int], _ limit: Int) -> [(name: String, value: Int)] {
        counts.map { (name: $0.key, value: $0.value) }
            .sorted { ($1.value, $0.name) < ($0.value, $1.name) }
            .prefix(limit).map(\.self)
    }

    /// The `data` of Prometheus's `/api/v1/status/tsdb`.
    func prometheusData(limit: Int, times: ClosedRange<Int64>?, chunkCount: Int) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("headStats")
        writer.beginObject()
        writer.member("numSeries", series)
        writer.member("numLabelPairs", pairSeries.count)
        writer.member("chunkCount", chunkCount)
        writer.member("minTime", times.map { Int($0.lowerBound / 1_000_000) } ?? Int.max)
        writer.member("maxTime", times.map { Int($0.upperBound / 1_000_000) } ?? Int.min)
        writer.endObject()
        for (name, counts) in [
            ("seriesCountByMetricName", metrics.mapValues(\.series)),
            ("labelValueCountByLabelName", values.mapValues(\.count)),
            ("memoryInBytesByLabelName", labelBytes), ("seriesCountByLabelValuePair", pairSeries),
        ] { Self.write(name, Self.top(counts, limit), to: &writer) }
        writer.endObject()
        return writer.bytes
    }

    /// The `data` of `/api/v1/status/cardinality`.
    ///
    /// `lastReads` are days since 1970 by metric; `today` is the day now.
    func data(limit: Int, lastReads: [String: Int64], today: Int64, unreadDays: Int64) -> [UInt8] {
        let unread = metrics.filter { name, _ in
            lastReads[name].map { today - $0 >= unreadDays } ?? true
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("series", series)
        writer.member("metrics", metrics.count)
        writer.member("labelPairs", pairSeries.count)
        writer.key("churn")
        writer.beginObject()
        writer.member("begunInHour", metrics.values.reduce(0) { $0 + $1.begun })
        writer.member("endedInHour", metrics.values.reduce(0) { $0 + $1.ended })
        writer.member("begunInDay", begunInDay)
        writer.endObject()
        for (name, counts) in [
            ("metricsBySeries", metrics.mapValues(\.series)),
            ("metricsByBytes", metrics.mapValues(\.bytes)),
            ("metricsByBegun", metrics.mapValues(\.begun).filter { $0.value > 0 }),
            ("metricsByEnded", metrics.mapValues(\.ended).filter { $0.value > 0 }),
            ("labelsByValues", values.mapValues(\.count)), ("labelsByBytes", labelBytes),
            ("pairsBySeries", pairSeries),
        ] { Self.write(name, Self.top(counts, limit), to: &writer) }
        writer.key("unread")
        writer.beginObject()
        writer.member("days", Int(unreadDays))
        writer.member("metrics", unread.count)
        writer.member("series", unread.values.reduce(0) { $0 + $1.series })
        Self.write("top", Self.top(unread.mapValues(\.series), limit), to: &writer)
        writer.endObject()
        writer.endObject()
        return writer.bytes
    }

    private static func write(
        _ name: String,
        _ counts: [(name: String, value: Int)],
        to writer: inout JSONWriter
    ) {
        writer.key(name)
        writer.beginArray()
        for (name, value) in counts {
            writer.beginObject()
            writer.member("name", name)
            writer.member("value", value)
            writer.endObject()
        }
        writer.endArray()
    }
}
