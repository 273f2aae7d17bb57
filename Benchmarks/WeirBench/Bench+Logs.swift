import WeirCore
import WeirHTTP
import WeirSystem

/// Logs: load, queries, tail.
extension Bench {
    mutating func measureLogs() throws(BenchError) {
        progress("making the logs")
        let (data, set) = LogData.set(
            count: options.isShort ? 100_000 : 1_000_000,
            seed: options.seed + 2
        )
        var pairs: [QueryPair] = []
        let figures = try loadLogs(set, turns: options.repeats) {
            (bench, weir) throws(BenchError) in
            bench.progress("logs: queries")
            pairs = try bench.ask(Self.logQueries(data, set), weir, nil)
        }
        addLogLoad(set, figures, hasReach: true)
        logQueries = pairs
        addQueries(pairs, reaches: [15, 10, 10, 3, 3, 50, 25, 5, 5])
        try measureTail()
    }

    /// Ten times the lines: how the cost of a load and of each query grows.
    mutating func measureTenfoldLogs() throws(BenchError) {
        progress("making ten times the logs")
        let (data, set) = LogData.set(count: 10_000_000, seed: options.seed + 3)
        var pairs: [QueryPair] = []
        let figures = try loadLogs(set, turns: 1) { (bench, weir) throws(BenchError) in
            bench.progress("ten times the logs: queries")
            pairs = try bench.ask(Self.logQueries(data, set), weir, nil)
        }
        addLogLoad(set, figures, hasReach: false)
        addQueries(pairs)
        guard logQueries.count == pairs.count else { return }
        report.begin("the same over a tenth of that, times")
        for (one, ten) in zip(logQueries, pairs) {
            report.add(
                one.query.name,
                ten.weir.client.median / max(1e-9, one.weir.client.median),
                .times
            )
        }
    }

    private mutating func loadLogs(
        _ set: DataSet,
        turns: Int,
        last: (inout Bench, Server) throws(BenchError) -> Void
    ) throws(BenchError) -> LoadFigures {
        var figures = LoadFigures()
        let plain = folder + "/logs.json"
        try GzipMeasure.write(set, to: plain)
        for turn in 1...turns {
            progress("logs: load \(turn) of \(turns)")
            figures.gzSeconds.append(try GzipMeasure.seconds(plain))
            let weir = try start(.weir, in: freshFolder())
            figures.weir.append(try IngestMeasure.load(set, into: weir))
            if turn == turns { try last(&self, weir) }
            weir.stop()
            try SmallFile.removeTree(weir.folder)
        }
        try SmallFile.removeTree(plain)
        return figures
    }

    private mutating func addLogLoad(
        _ set: DataSet,
        _ figures: LoadFigures,
        hasReach: Bool
    ) {
        let rows = Double(set.sampleCount)
        report.begin(
            "logs: \(set.sampleCount) JSON lines of \(set.seriesCount) streams, "
                + "\(Figure.decimal(Double(set.byteCount) / 1e6, 1)) MB, "
                + "\(set.bodies.count) requests"
        )
        report.add("gzip -1 of the same bytes, CPU", Spread(figures.gzSeconds).median, .seconds)
        report.add("server CPU until the last answer", figures.weirMedian(\.loadSeconds), .seconds)
        report.add(
            "server CPU, flush and merge included",
            figures.weirMedian(\.totalSeconds),
            .seconds
        )
        report.add(
            "  the same in gz",
            figures.gzUnits(figures.weir, \.totalSeconds) ?? 0,
            .gz,
            reach: hasReach ? 1.5 : nil
        )
        report.add("load, wall", figures.weirMedian(\.wallSeconds), .seconds)
        report.add(
            "load, acknowledged",
            rows / max(1e-9, figures.weirMedian(\.wallSeconds)),
            .linesPerSecond
        )
        report.add(
            "segments on disk after merge",
            figures.weirMedian { Double($0.segmentBytes) / rows },
            .bytesPerRow,
            reach: hasReach ? 34 : nil
        )
        report.add(
            "peak memory",
            figures.weirMedian { Double($0.peakResidentBytes) / 1e6 },
            .megabytes,
            reach: hasReach ? 200 : nil
        )
        report.add(
            "idle memory after the load",
            figures.weirMedian { Double($0.restingResidentBytes) / 1e6 },
            .megabytes
        )
        report.noteLosses(set.name, figures.weir, expected: set.sampleCount)
    }

    private static func logQueries(_ data: LogData, _ set: DataSet) -> [QueryMeasure.Query] {
        func count(_ name: String, _ expression: String) -> QueryMeasure.Query {
            let span = (set.end - set.start) / DataSet.second + 2
            let query = expression.split(separator: "$span").joined(separator: "\(span)s")
            return QueryMeasure.Query(
                name: name,
                path: "/loki/api/v1/query?query=\(PercentEncoding.encode(query))"
                    + "&time=\(set.end + DataSet.second)"
            )
        }
        func lines(_ name: String, _ query: String) -> QueryMeasure.Query {
            QueryMeasure.Query(
                name: name,
                path: "/loki/api/v1/query_range?query=\(PercentEncoding.encode(query))"
                    + "&start=\(set.start)&end=\(set.end + DataSet.second)&limit=100"
            )
        }
        let buckets = "sum by (level) (count_over_time({service=~\".+\"}[5m]))"
        let absent = "4bf92f3577b34da6a3ce929d0e0e4736"
        return [
            count(
                "count by two fields",
                "sum by (level, logger) (count_over_time({service=~\".+\"}[$span]))"
            ),
            QueryMeasure.Query(
                name: "count by level, 5-minute buckets",
                path: "/loki/api/v1/query_range?query=\(PercentEncoding.encode(buckets))"
                    + "&start=\(set.start)&end=\(set.end)&step=300"
            ),
            count(
                "count of a phrase",
                "sum(count_over_time({service=~\".+\"} |= \"connection refused\" [$span]))"
            ),
            count(
                "absent id, in the lines",
                "sum(count_over_time({service=~\".+\"} |= \"\(absent)\" [$span]))"
            ),
            count(
                "absent id, as trace_id",
                "sum(count_over_time({service=~\".+\"} | trace_id=\"\(absent)\" [$span]))"
            ),
            count(
                "count of a regular expression",
                "sum(count_over_time({service=~\".+\"} |~ \"timeout after [0-9]{3,4}ms\" [$span]))"
            ),
            count(
                "p99 of duration by path's method, over a filter",
                "quantile_over_time(0.99, {service=~\".+\"} | status >= 500 "
                    + "| unwrap duration_ms [$span]) by (method)"
            ),
            lines("newest 100 lines of a stream", "{service=\"checkout\", host=\"checkout-2\"}"),
            lines(
                "newest 100 lines of a rare phrase",
                "{service=~\".+\"} |= \"\(LogData.rarePhrase)\""
            ),
            lines(
                "a trace id that is there",
                "{service=~\".+\"} | trace_id=\"\(data.someTraceID)\""
            ),
            lines("newest 100 lines of all", "{service=~\".+\"}"),
        ]
    }
}
