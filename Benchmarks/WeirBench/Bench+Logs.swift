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
        let pairs = try measureRows(
            set,
            Self.logLoad,
            Self.logQueries(data, set),
            turns: options.repeats,
            hasReach: true
        )
        logQueries = pairs
        addQueries(pairs, reaches: [15, 10, 10, 3, 3, 50, 25, 5, 5])
        try measureTail()
    }

    /// Ten times the lines: how the cost of a load and of each query grows.
    mutating func measureTenfoldLogs() throws(BenchError) {
        progress("making ten times the logs")
        let (data, set) = LogData.set(count: 10_000_000, seed: options.seed + 3)
        let pairs = try measureRows(
            set,
            Self.logLoad,
            Self.logQueries(data, set),
            turns: 1,
            hasReach: false
        )
        addQueries(pairs)
        addGrowth(from: logQueries, to: pairs)
    }

    private static let logLoad = RowLoadReport(
        what: "JSON lines",
        of: "streams",
        rate: .linesPerSecond,
        ingestReach: 1.5,
        bytesReach: 34
    )

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
