extension Bench {
    /// The second set: load and the queries that counters get.
    mutating func measureMixed(_ set: DataSet) throws(BenchError) {
        var queries: [QueryPair] = []
        _ = try load(set) { (bench, weir, peer) throws(BenchError) in
            bench.progress("mixed: queries")
            queries = try bench.ask(
                [
                    QueryMeasure.range(
                        "reads a second per host, a point a minute",
                        "sum by (hostname) (rate(diskio_reads[5m]))",
                        set,
                        stepSeconds: 60,
                        isComparable: false
                    ),
                    QueryMeasure.range(
                        "a second, all 7 counters of disks",
                        "sum(rate({__name__=~\"diskio_.*\"}[5m]))",
                        set,
                        stepSeconds: 60,
                        isComparable: false
                    ),
                    QueryMeasure.range(
                        "least memory by region, full-precision floats",
                        "min by (region) (min_over_time(mem_available_percent[5m]))",
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
