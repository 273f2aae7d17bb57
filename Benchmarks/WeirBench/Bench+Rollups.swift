import WeirCore
import WeirSystem

extension Bench {
    /// A day of 10,000 series, asked at steps of an hour with rollups and without.
    ///
    /// Hours are made one by one while the server waits, so that the bench needs little memory.
    mutating func measureRollups() throws(BenchError) {
        let places = options.isShort ? 500 : 5000
        let folder = freshFolder()
        let begin = DataSet.lastWholeDay()
        let samples = places * 2 * 24 * Int(3600 / HourlyData.intervalSeconds)
        var measure = IngestMeasure()
        let loading = try start(.weir, in: folder)
        let before = loading.child.processorSeconds
        var data = HourlyData(places: places, seed: options.seed + 8)
        for hour in 0..<24 {
            progress("rollups: hour \(hour + 1) of 24")
            let bodies = data.hour(from: begin + Int64(hour) * DataSet.hour)
            measure.take(Loader.send(bodies, to: loading.base))
        }
        try measure.settle(loading, before: before)
        loading.stop()
        progress("rollups: making them")
        let server = try start(.weir, in: folder, ["--rollup-after", "0s"])
        let idle = server.child.processorSeconds
        try server.settle()
        let makingSeconds = server.child.processorSeconds - idle
        report.begin("rollups: \(samples) samples of \(places * 2) series over a day")
        report.add("requests that failed", Double(measure.failures), .count, reach: 0)
        report.add("server CPU, flush and merge included", measure.totalSeconds, .seconds)
        report.add("server CPU, making rollups", makingSeconds, .seconds)
        report.add("segments of samples", Double(measure.segmentBytes) / 1e6, .megabytes)
        for kept in try server.json("/api/v1/status")["rollups"]?.array ?? [] {
            let name = kept["signal"]?.string ?? ""
            report.add(
                "segments of \(name)",
                Double(kept["segment_bytes"]?.int ?? 0) / 1e6,
                .megabytes
            )
        }
        let set = DataSet(
            name: "rollups",
            bodies: [],
            sampleCount: samples,
            seriesCount: places * 2,
            start: begin,
            end: begin + DataSet.day
        )
        for (name, query) in Self.hourlyQueries { try measureHourly(name, query, set, on: server) }
        report.noteLosses("rollups", [measure], expected: samples)
        server.stop()
        try SmallFile.removeTree(folder)
    }

    private static let hourlyQueries = [
        ("max_over_time of all", #"max by (region) (max_over_time({__name__=~"bench_.+"}[1h]))"#),
        ("rate of the counters", "sum by (region) (rate(bench_requests_total[1h]))"),
        ("avg_over_time of the gauges", "avg by (region) (avg_over_time(bench_load[1h]))"),
        (
            "increase of the counters over 6 h",
            "sum by (region) (increase(bench_requests_total[6h]))"
        ),
    ]

    private mutating func measureHourly(
        _ name: String,
        _ expression: String,
        _ set: DataSet,
        on server: Server
    ) throws(BenchError) {
        progress("rollups: \(name)")
        func query(_ use: String) -> QueryMeasure.Query {
            let query = QueryMeasure.range(name, expression, set, stepSeconds: 3600)
            return QueryMeasure.Query(name: name, path: query.path + "&rollups=\(use)")
        }
        let rolled = try QueryMeasure.measure(
            query("exact"),
            on: server,
            repeats: options.queryRepeats
        )
        let samples = try QueryMeasure.measure(
            query("off"),
            on: server,
            repeats: min(5, options.queryRepeats)
        )
        report.add(name + ", at 1 h, rollups", rolled.client.median, .milliseconds)
        report.add("  samples", samples.client.median, .milliseconds)
        report.add(
            "  rollups over samples",
            rolled.client.median / max(1e-9, samples.client.median),
            .times,
            reach: 0.1
        )
        if rolled.checksum != samples.checksum || rolled.seriesCount != samples.seriesCount {
            report.note("rollups: \(name): THE ANSWERS DIFFER")
        }
    }
}
