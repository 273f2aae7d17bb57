extension Bench {
    /// The second set: load and the queries that counters get.
    mutating func measureMixed(_ set: DataSet) throws(BenchError) {
        var queries: [QueryPair] = []
        _ = try load(set) { (bench, weir, peer) throws(BenchError) in
            bench.progress("mixed: queries")
            queries = try bench.ask(
                [
                    QueryMeasure.range(
                        "requests a second per host, a point a minute",
                        "sum by (hostname) (rate(node_requests_3_total[5m]))",
                        set,
                        stepSeconds: 60,
                        isComparable: false
                    ),
                    QueryMeasure.range(
                        "bytes a second, all 15 counters",
                        "sum(rate({__name__=~\"node_sent_.*_bytes_total\"}[5m]))",
                        set,
                        stepSeconds: 60,
                        isComparable: false
                    ),
                    QueryMeasure.range(
                        "worst latency by region",
                        "max by (region) (max_over_time(node_latency_3_seconds[5m]))",
                        set,
                        stepSeconds: 60
                    ),
                ],
                weir,
                peer
            )
        }
        addQueries(queries)
    }
}
