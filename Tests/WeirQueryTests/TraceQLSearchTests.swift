import Testing
import WeirCore
import WeirQuery

struct TraceQLSearchTests {
    private static let all = ["1:17", "1:18", "1:19", "1:20", "1:21", "2:33", "3:50", "3:51"]

    @Test(arguments: [
        ("{}", all),
        ("{ false }", []),
        (#"{ resource.service.name = "pay" }"#, ["1:21"]),
        (#"{ .service.name = "pay" }"#, ["1:21"]),
        (#"{ .service.name != "cart" }"#, ["1:17", "1:21", "2:33"]),
        (#"{ name = "select" && duration > 40ms }"#, ["1:19", "1:20"]),
        // Types: a text is no number.
        ("{ span.http.status_code = 200 }", ["1:17"]),
        (#"{ span.http.status_code = "200" }"#, ["2:33"]),
        ("{ span.http.status_code != 404 }", ["1:17"]),
        ("{ span.http.status_code = nil }", ["1:18", "1:19", "1:20", "1:21", "3:50", "3:51"]),
        ("{ span.http.status_code != nil }", ["1:17", "2:33"]),
        ("{ 3 = span.rows || 29.5 < span.rows }", ["1:19", "1:20"]),
        ("{ span.amount > 9 && span.amount < 9.6 }", ["1:21"]),
        ("{ span.retry }", ["1:21"]), ("{ span.retry = false }", []),
        ("{ !span.retry }", ["1:17", "1:18", "1:19", "1:20", "2:33", "3:50", "3:51"]),
        ("{ status = error }", ["1:21"]), ("{ status = ok }", ["2:33"]),
        ("{ status = unset && kind = client }", ["1:19", "1:20", "3:51"]),
        (#"{ statusMessage =~ "card .*" }"#, ["1:21"]), (#"{ statusMessage =~ "card" }"#, []),
        (#"{ name =~ "GET /.*|charge" }"#, ["1:17", "1:21", "2:33"]),
        (#"{ .db.system !~ "my.*" }"#, ["1:19", "1:20"]),
        (#"{ span:id = "0000000000000013" }"#, ["1:19"]),
        (#"{ span:parentID = "" }"#, ["1:17", "2:33"]),
        ("{ span:parentID = nil }", ["1:17", "2:33"]),
        (#"{ trace:id = "00000000000000000000000000000002" }"#, ["2:33"]),
        (#"{ event:name = "retry" }"#, ["1:21"]), ("{ event.n = 2 }", ["1:21"]),
        (#"{ event.why =~ "time.*" && event:timeSinceStart > 100us }"#, ["1:21"]),
        (#"{ link:traceID = "00000000000000000000000000000002" }"#, ["1:21"]),
        (#"{ instrumentation:name = "kit" && instrumentation:version >= "1.1" }"#, ["1:21"]),
        ("{ span.rows * 10 = 300 }", ["1:20"]), ("{ duration / 2 > 400ms }", ["1:17"]),
        ("{ -span.rows < -5 }", ["1:20"]), ("{ span.rows % 2 ^ 1 = 1 }", ["1:19"]),
        // What only whole traces tell.
        ("{ rootServiceName = \"frontend\" && name = \"select\" }", ["1:19", "1:20"]),
        ("{ rootName = nil }", ["3:50", "3:51"]),
        ("{ traceDuration > 100ms }", ["1:17", "1:18", "1:19", "1:20", "1:21"]),
        ("{ trace:duration < 30ms }", ["2:33"]), ("{ childCount = 2 }", ["1:17", "1:18"]),
        ("{ nestedSetParent < 0 }", ["1:17", "2:33"]),
        ("{ nestedSetLeft = 3 && nestedSetRight = 4 }", ["1:19"]),
        (#"{ parent.service.name = "cart" }"#, ["1:19", "1:20", "3:51"]),
        ("{ parent.resource.zone = \"a\" || parent.span.http.route = \"x\" }", ["1:18", "1:21"]),
        // Between sets.
        (#"{ name = "load" } > { name = "select" }"#, ["1:19", "1:20", "3:51"]),
        (#"{ kind = server } >> { kind = client }"#, ["1:19", "1:20", "3:51"]),
        (#"{ .service.name = "frontend" } >> { name = "select" }"#, ["1:19", "1:20"]),
        (#"{ .service.name = "frontend" } > { name = "select" }"#, []),
        (#"{ name = "select" } < { }"#, ["1:18", "3:50"]),
        (#"{ name = "select" } << { }"#, ["1:17", "1:18", "3:50"]),
        (#"{ name = "charge" } ~ { }"#, ["1:18"]),
        (#"{ name = "select" } ~ { }"#, ["1:19", "1:20"]),
        (#"{ name = "load" } !> { name = "select" }"#, []),
        (#"{ } !> { }"#, ["1:17", "2:33", "3:50"]),
        (#"{ } !< { }"#, ["1:19", "1:20", "1:21", "2:33", "3:51"]),
        (#"{ status = error } !>> { kind = client }"#, ["1:19", "1:20", "3:51"]),
        (#"{ .service.name = "frontend" } &>> { name = "select" }"#, ["1:17", "1:19", "1:20"]),
        (#"{ name = "select" } &< { name = "load" }"#, ["1:18", "1:19", "1:20", "3:50", "3:51"]),
        (#"{ status = error } && { name = "load" }"#, ["1:18", "1:21"]),
        (#"{ status = error } || { status = ok }"#, ["1:21", "2:33"]),
        (#"({ status = error } || { status = ok }) && { name = "GET /" }"#, ["2:33"]),
        // Stages.
        (#"{ name = "select" } | count() > 1"#, ["1:19", "1:20"]),
        (#"{ kind = client } | avg(duration) > 80ms"#, ["1:19", "1:20"]),
        (#"{ } | max(span.rows) - min(span.rows) = 27"#, ["1:17", "1:18", "1:19", "1:20", "1:21"]),
        (#"{ } | sum(duration) < 80ms"#, ["2:33", "3:50", "3:51"]),
        (#"{ } | min(span.rows) > 0"#, ["1:17", "1:18", "1:19", "1:20", "1:21"]),
        (#"{ } | by(resource.service.name) | count() > 2"#, ["1:18", "1:19", "1:20"]),
        (#"{ } | by(name) | count() = 2 | coalesce()"#, ["1:19", "1:20"]),
        (#"{ } | { kind = client } | count() = 1"#, ["3:51"]),
        (#"({ } | count() > 2) && { status = error }"#, ["1:17", "1:18", "1:19", "1:20", "1:21"]),
        (#"{ status = error } | select(span.amount)"#, ["1:21"]),
    ])
    func findsSpans(query: String, spans: [String]) throws {
        #expect(try SpanTable.shop.found(query) == spans.sorted())
    }

    @Test func summarisesWholeTraces() throws {
        let traces = try search("{ status = error } | select(span.amount)", limit: 5)
        let trace = try #require(traces.first)
        #expect(traces.count == 1)
        #expect(trace.rootName == "GET /checkout")
        #expect(trace.rootService == "frontend")
        #expect(trace.hasRoot)
        #expect(trace.start == 1_000_000_000)
        #expect(trace.duration == 900_000_000)
        // The span that came twice counts once.
        #expect(trace.spanCount == 5)
        #expect(trace.errorCount == 1)
        #expect(trace.services.map(\.name) == ["cart", "frontend", "pay"])
        #expect(trace.services.map(\.spanCount) == [3, 1, 1])
        let attributes = trace.spanSets[0].spans[0].attributes
        #expect(attributes.map(\.name) == ["status", "amount"])
        #expect(String(decoding: attributes[1].text, as: UTF8.self) == "9.5")
    }

    private func search(
        _ text: String,
        limit: Int,
        order: TraceSearch.Order = .recent
    ) throws -> [TraceSummary] {
        try TraceSearch(
            TraceQLParser.parse(text),
            times: .min ... .max,
            limit: limit,
            order: order,
            source: SpanTable.shop.source,
            context: QueryContext()
        ).run()
    }

    @Test func newestAndLongestComeFirst() throws {
        #expect(try search("{}", limit: 2).map(\.id.low) == [3, 2])
        #expect(try search("{} | count() > 0", limit: 2).map(\.id.low) == [3, 2])
        #expect(try search("{}", limit: 2, order: .duration).map(\.id.low) == [1, 3])
        #expect(try search("{}", limit: 0).isEmpty)
    }

    @Test func aTraceWithoutItsRootShowsItsEarliestSpan() throws {
        let trace = try #require(try search("{}", limit: 1).first)
        #expect(!trace.hasRoot)
        #expect(trace.rootName == "load")
    }

    @Test func circlesOfParentsAreCut() throws {
        var table = SpanTable()
        table.add(1, 1, parent: 2, "a", "x")
        table.add(1, 2, parent: 3, "a", "y")
        table.add(1, 3, parent: 1, "a", "z")
        table.add(1, 4, parent: 4, "a", "self")
        #expect(try table.found("{} >> {}").count == 2)
        #expect(try table.found("{} << {}").count == 2)
        #expect(try table.found("{ nestedSetLeft > 0 && childCount >= 0 }").count == 4)
    }

    @Test func aQueryThatReadsTooMuchIsRefused() throws {
        let context = QueryContext(samplesMax: 3)
        #expect(throws: QueryError.self) {
            try TraceSearch(
                TraceQLParser.parse("{}"),
                times: .min ... .max,
                limit: 10,
                source: SpanTable.shop.source,
                context: context
            ).run()
        }
    }

    @Test func aPatternThatRunsAwayIsRefused() throws {
        var table = SpanTable()
        table.add(1, 1, "a", "x", ["span.s": .text(String(repeating: "a", count: 5000) + "!")])
        #expect(throws: QueryError.self) { try table.found(#"{ span.s =~ "(a+)+[bc]" }"#) }
    }
}
