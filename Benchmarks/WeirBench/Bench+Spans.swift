import WeirCore
import WeirHTTP
import WeirSystem

/// Traces: load and queries.
extension Bench {
    mutating func measureSpans() throws(BenchError) {
        progress("making the spans")
        let (data, set) = SpanData.set(
            count: options.isShort ? 50_000 : 500_000,
            seed: options.seed + 4
        )
        let pairs = try measureRows(
            set,
            Self.spanLoad,
            Self.spanQueries(data, set),
            turns: options.repeats,
            hasReach: true
        )
        spanQueries = pairs
        addQueries(pairs, reaches: [4, 2, 10, 10, 25, 25])
    }

    /// Ten times the spans: a trace must be as near.
    mutating func measureTenfoldSpans() throws(BenchError) {
        progress("making ten times the spans")
        let (data, set) = SpanData.set(count: 5_000_000, seed: options.seed + 5)
        let pairs = try measureRows(
            set,
            Self.spanLoad,
            Self.spanQueries(data, set),
            turns: 1,
            hasReach: false
        )
        addQueries(pairs)
        addGrowth(from: spanQueries, to: pairs)
    }

    private static let spanLoad = RowLoadReport(
        what: "spans in OTLP protobuf",
        of: "processes",
        rate: .spansPerSecond,
        ingestReach: 2.5,
        bytesReach: 50
    )

    private static func spanQueries(_ data: SpanData, _ set: DataSet) -> [QueryMeasure.Query] {
        let times = "start=\(set.start / DataSet.second)&end=\(set.end / DataSet.second + 1)"
        func search(_ name: String, _ query: String) -> QueryMeasure.Query {
            QueryMeasure.Query(
                name: name,
                path: "/api/search?q=\(PercentEncoding.encode(query))&\(times)&limit=20"
            )
        }
        func range(_ name: String, _ query: String, step: String) -> QueryMeasure.Query {
            QueryMeasure.Query(
                name: name,
                path: "/api/metrics/query_range?q=\(PercentEncoding.encode(query))&\(times)"
                    + "&step=\(step)"
            )
        }
        let whole = (set.end - set.start) / DataSet.second + 1
        return [
            QueryMeasure.Query(
                name: "a trace by id",
                path: "/api/v2/traces/\(data.someTraceID)"
            ),
            QueryMeasure.Query(
                name: "an absent trace",
                path: "/api/v1/traces/4bf92f3577b34da6a3ce929d0e0e4736",
                isAbsent: true
            ),
            search(
                "20 traces by service and least duration",
                "{ resource.service.name = \"checkout\" && duration > 100ms }"
            ),
            search(
                "a rare value of an attribute",
                "{ span.order.id = \"\(data.rareOrder)\" }"
            ),
            range(
                "p99 by service over all",
                "{} | quantile_over_time(duration, 0.99) by (resource.service.name)",
                step: "\(whole)s"
            ),
            range("rate by operation over 12 h at 1 min", "{} | rate() by (name)", step: "60s"),
            search("20 newest failures", "{ status = error }"),
            search(
                "20 traces where checkout calls a slow bank",
                "{ resource.service.name = \"checkout\" } >> "
                    + "{ .server.address = \"api.bank.example\" && duration > 200ms }"
            ),
        ]
    }
}
