import WeirCore
import WeirSystem

extension Bench {
    /// The first set: load, queries, small writes, restarts.
    mutating func measureGauges(_ set: DataSet) throws(BenchError) {
        var queries: [QueryPair] = []
        var small: SmallWrites.Outcome?
        var unsynced: SmallWrites.Outcome?
        var syncs = 0.0
        var sync = Spread([])
        var starts: [Double] = []
        var restedBytes = 0
        let figures = try load(set) { (bench, weir, peer) throws(BenchError) in
            bench.progress("gauges: queries")
            queries = try bench.ask(Self.gaugeQueries(set), weir, peer)
            bench.progress("gauges: small writes")
            sync = try DiskSync.milliseconds(folder: bench.folder)
            let bursts = bench.options.bursts
            let before = try weir.metric("weir_journal_syncs_total") ?? 0
            let outcome = try SmallWrites.measure(
                port: weir.port,
                bursts: bursts,
                at: set.end + DataSet.minute
            )
            syncs = (try weir.metric("weir_journal_syncs_total") ?? 0) - before
            syncs /= Double(bursts + 1)
            small = outcome
            let other = try SmallWrites.measure(
                port: weir.port,
                bursts: bursts,
                at: set.end + DataSet.hour,
                header: "X-Weir-Sync: 1s\r\n"
            )
            unsynced = other
            if outcome.failures + other.failures > 0 {
                bench.report.note(
                    "small writes: \(outcome.failures + other.failures) REQUESTS FAILED"
                )
            }
            bench.progress("gauges: restarts")
            weir.stop()
            for _ in 0..<5 {
                let again = try bench.start(.weir, in: weir.folder)
                starts.append(again.readyMilliseconds)
                Thread.sleep(nanoseconds: 500_000_000)
                restedBytes = max(restedBytes, again.child.residentBytes)
                again.stop()
            }
        }
        smallCaseMicroseconds =
            figures.weirMedian(\.totalSeconds) * 1e6 / Double(set.sampleCount)
        addQueries(queries, reaches: [18, 5, 10, 12])
        if let small, let unsynced { addSmallWrites(small, unsynced, sync, syncs: syncs) }
        report.begin("start to ready with the gauges")
        report.add("after an orderly stop", Spread(starts).median, .milliseconds, reach: 300)
        report.add("idle memory after that", Double(restedBytes) / 1e6, .megabytes, reach: 40)
        try measureReplay(set)
    }

    private static func gaugeQueries(_ set: DataSet) -> [QueryMeasure.Query] {
        [
            QueryMeasure.range(
                "mean per host per hour, all 10 gauges",
                "avg by (hostname) (avg_over_time({__name__=~\"cpu_usage_.*\"}[1h]))",
                set,
                stepSeconds: 3600
            ),
            QueryMeasure.range(
                "mean per host per hour, one gauge",
                "avg by (hostname) (avg_over_time(cpu_usage_user[1h]))",
                set,
                stepSeconds: 3600
            ),
            QueryMeasure.range(
                "largest per host, a point a minute over 12 h",
                "max by (hostname) (cpu_usage_user)",
                set,
                stepSeconds: 60
            ),
            QueryMeasure.range(
                "90th percentile of rates, a point a minute over 12 h",
                "quantile(0.9, rate(cpu_usage_user[5m]))",
                set,
                stepSeconds: 60,
                isComparable: false
            ),
            QueryMeasure.range(
                "one series, a point a minute",
                "cpu_usage_user{hostname=\"host_7\"}",
                set,
                stepSeconds: 60
            ),
            QueryMeasure.range(
                "busiest 5 hosts, 10-minute maxima",
                "topk(5, max_over_time(cpu_usage_user[10m]))",
                set,
                stepSeconds: 600,
                isComparable: false
            ),
            QueryMeasure.instant("sum by region, now", "sum by (region) (cpu_usage_user)", set),
            QueryMeasure.labelValues("values of a label", "hostname", set),
        ]
    }

    private mutating func addSmallWrites(
        _ small: SmallWrites.Outcome,
        _ unsynced: SmallWrites.Outcome,
        _ sync: Spread,
        syncs: Double
    ) {
        report.begin("200 writes of one line at once, each on its own connection, fsync on")
        report.add("the disk alone: 4 KiB and fdatasync, median", sync.median, .milliseconds)
        report.add("  p99", sync.quantile(0.99), .milliseconds)
        report.add("answered, p50", small.median.median, .milliseconds)
        report.add("  p99", small.p99.median, .milliseconds)
        report.add("  last", small.max.median, .milliseconds)
        report.add("syncs of the journal for the 200", syncs, .syncs)
        report.add(
            "p99 without waiting for fsync (X-Weir-Sync: 1s)",
            unsynced.p99.median,
            .milliseconds
        )
        let fsync = max(sync.median, 1e-9)
        report.add("p99 over one fsync", small.p99.median / fsync, .fsyncs, reach: 3)
        report.add(
            "what fsync adds to p99, over one fsync",
            (small.p99.median - unsynced.p99.median) / fsync,
            .fsyncs
        )
    }

    /// A load that is cut off by kill -9 and comes back from its journal.
    private mutating func measureReplay(_ set: DataSet) throws(BenchError) {
        progress("gauges: kill -9 and replay")
        let folder = freshFolder()
        let first = try start(.weir, in: folder)
        let outcome = Loader.send(set.bodies, to: first.base)
        first.kill()
        let again = try start(.weir, in: folder)
        report.add("after kill -9 under load", again.readyMilliseconds, .milliseconds)
        let status = try again.json("/api/v1/status")
        let replayed = status["journal"]?["replayed_rows"]?.int ?? 0
        report.add("  samples replayed from the journal", Double(replayed), .count)
        let rows = (status["signals"]?.array ?? []).reduce(0) { $0 + ($1["rows"]?.int ?? 0) }
        if outcome.failures > 0 || rows != set.sampleCount {
            report.note(
                "kill -9: \(outcome.failures) REQUESTS FAILED, "
                    + "\(rows) SAMPLES THERE OF \(set.sampleCount)"
            )
        }
        again.stop()
        try SmallFile.removeTree(folder)
    }
}
