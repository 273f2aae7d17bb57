import Testing
import WeirCore
import WeirQuery

struct TraceQLMetricTests {
    @Test(arguments: [
        ("{} | count_over_time()", ["{} 9"]),
        ("{} | rate()", ["{} 0.15"]),
        (
            "{} | count_over_time() by (status)",
            ["{status=error} 1", "{status=ok} 1", "{status=unset} 7"]
        ),
        ("{ kind = client } | max_over_time(duration) by (name)", ["{name=select} 0.12"]),
        ("{ kind = client } | min_over_time(span.rows)", ["{} 3"]),
        ("{} | avg_over_time(span.rows)", ["{} 16.5"]),
        ("{} | sum_over_time(span.rows)", ["{} 33"]),
        (
            "{} | count_over_time() by (span.db.system)",
            ["{span.db.system=nil} 7", "{span.db.system=pg} 2"]
        ),
        ("{} | count_over_time() by (.zone, kind) | topk(1)", ["{.zone=nil,kind=server} 4"]),
        ("{} | count_over_time() by (kind) > 4", ["{kind=server} 6"]),
        ("{} | count_over_time() by (kind) | bottomk(1)", ["{kind=client} 3"]),
        // A duration is told in seconds; buckets are powers of two of its nanoseconds.
        ("{ name = \"charge\" } | histogram_over_time(duration)", ["{__bucket=0.536870912} 1"]),
        // By whole traces each span counts once.
        ("{ rootServiceName = \"frontend\" } | count_over_time()", ["{} 6"]),
        (
            "{} | count() > 2 | count_over_time() by (resource.service.name)",
            [
                "{resource.service.name=cart} 3", "{resource.service.name=frontend} 1",
                "{resource.service.name=pay} 1",
            ]
        ),
        (
            "{} > {} | count_over_time() by (rootName)",
            ["{rootName=nil} 1", "{rootName=GET /checkout} 4"]
        ),
        ("{ false } | rate()", []),
    ])
    func makesSeries(query: String, series: [String]) throws {
        #expect(try SpanTable.shop.series(query) == series)
    }

    @Test func countsWhereSpansStart() throws {
        #expect(
            try SpanTable.shop.series(
                "{} | count_over_time() by (resource.service.name)",
                step: 1000,
                count: 4
            ) == [
                "{resource.service.name=cart} 0 4 0 2", "{resource.service.name=frontend} 0 1 1 0",
                "{resource.service.name=pay} 0 1 0 0",
            ]
        )
        #expect(
            try SpanTable.shop.series("{} | max_over_time(span.rows)", step: 1000, count: 4)
                == ["{} - 30 - -"]
        )
    }

    @Test func quantilesAreWithinOnePercent() throws {
        var table = SpanTable(blocks: 3)
        for index in 1...1000 {
            table.add(
                UInt64(index),
                UInt64(index),
                "a",
                "x",
                at: Int64(index),
                for: Int64(index * 7),
                block: index % 3
            )
        }
        let result = try TraceQLMetricsEvaluator(
            TraceQLParser.parse("{} | quantile_over_time(duration, 0, .5, .9, .99, 1)"),
            start: 0,
            step: 10_000_000_000,
            count: 1,
            source: table.source,
            context: QueryContext()
        ).run()
        let wanted = [0.007, 3.5, 6.3, 6.93, 7.0]
        #expect(result.series.count == wanted.count)
        for (series, value) in zip(result.series, wanted) {
            #expect((series.values[0] / value - 1).magnitude < 0.01)
        }
    }

    @Test func comparesSelectedSpansWithTheRest() throws {
        let found = try SpanTable.shop.series("{} | compare({ kind = client }, 1)")
        #expect(found.contains("{__meta_type=selection,name=select} 3"))
        #expect(found.contains("{__meta_type=baseline,name=load} 3"))
        #expect(found.contains("{__meta_type=baseline_total,name=nil} 6"))
        #expect(found.contains("{__meta_type=selection,span.db.system=pg} 2"))
        #expect(found.contains("{__meta_type=baseline,kind=server} 6"))
    }

    @Test func tooManyStepsAreRefused() throws {
        #expect(throws: QueryError.self) {
            try SpanTable.shop.series("{} | rate()", step: 1, count: 20_000)
        }
        #expect(throws: QueryError.self) { try SpanTable.shop.series("{}") }
        #expect(throws: QueryError.self) { try SpanTable.shop.found("{} | rate()") }
    }
}
