import Testing
import WeirQuery
import WeirTestSupport

struct TraceQLParserTests {
    @Test(arguments: [
        ("{}", "{ }"),
        ("{ true }", "{ }"),
        ("{.a=1}", "{ .a = 1 }"),
        ("{ span.http.status_code >= 500 }", "{ span.http.status_code >= 500 }"),
        (#"{ resource."odd name" = "x" }"#, #"{ resource."odd name" = "x" }"#),
        (#"{ span.a"b c".d != `x` }"#, #"{ span."ab c.d" != "x" }"#),
        ("{ parent.resource.zone = nil }", "{ parent.resource.zone = nil }"),
        ("{ parent.a = nil && event.x = 1 }", "{ (parent.a = nil) && (event.x = 1) }"),
        (
            "{ span:name = \"x\" && trace:rootService =~ `a.*` }",
            #"{ (name = "x") && (rootServiceName =~ "a.*") }"#
        ),
        ("{ duration > 1.5s && kind = server }", "{ (duration > 1s500ms) && (kind = server) }"),
        ("{ -.a + 2 * 3 ^ 2 = 1 }", "{ ((-.a) + (2 * (3 ^ 2))) = 1 }"),
        (
            "{ .a = -1 || .b = -2.5 && .c = -3ms }",
            "{ ((.a = (-1)) || (.b = (-2.5))) && (.c = (-3ms)) }"
        ),
        ("{ !(.a = 1) }", "{ !(.a = 1) }"),
        ("{.a} > {.b} && {.c}", "({ .a } > { .b }) && { .c }"),
        ("{.a} && {.b} >> {.c}", "{ .a } && ({ .b } >> { .c })"),
        ("{.a} !>> {.b} &~ {.c}", "({ .a } !>> { .b }) &~ { .c }"),
        ("({.a} | count() > 1) ~ {.b}", "({ .a } | count() > 1) ~ { .b }"),
        (
            "{} | by(resource.service.name) | avg(duration) > 1s | coalesce()",
            "{ } | by(resource.service.name) | avg(duration) > 1s | coalesce()"
        ),
        ("{} | select(span.a, name)", "{ } | select(span.a, name)"),
        ("{} | max(span.a) - min(span.a) * 2 > 3", "{ } | max(span.a) - (min(span.a) * 2) > 3"),
        ("{} | rate() by (name, .x) | topk(3)", "{ } | rate() by(name, .x) | topk(3)"),
        (
            "{} | quantile_over_time(duration, .5, 0.99) by (name) > 1",
            "{ } | quantile_over_time(duration, 0.5, 0.99) by(name) > 1"
        ),
        ("{} | compare({status = error}, 5)", "{ } | compare({ status = error }, 5)"),
        ("{} | compare({}, 5, 1, 2)", "{ } | compare({ }, 5, 1, 2)"),
        (
            "{} | histogram_over_time(span.size) with(most_recent=true, sample=0.1)",
            "{ } | histogram_over_time(span.size) with(most_recent=true, sample=0.1)"
        ),
    ])
    func printsInOneWay(text: String, printed: String) throws {
        let query = try TraceQLParser.parse(text)
        #expect(TraceQLPrinter.print(query) == printed)
        #expect(try TraceQLParser.parse(printed) == query)
    }

    @Test(arguments: [
        ("", "1:1: parse error"), ("{", "1:2: parse error"), ("{ .a = }", "1:8: parse error"),
        ("{ foo = 1 }", "attributes have a scope"), ("{ name = 1 }", "cannot be compared"),
        ("{ duration = \"x\" }", "cannot be compared"), ("{ 1 + 1 }", "must be true or false"),
        ("{ status > error }", "has no order"), ("{ .a > nil }", "nil can only"),
        ("{ .a =~ 1 }", "a pattern is a string"), ("{ duration =~ `x` }", "cannot be compared"),
        ("{ .a =~ `(` }x", "parse error"), ("{ trace:nothing = 1 }", "unknown intrinsic"),
        ("{} | topk(5)", "unexpected topk, expecting a metric before it"),
        ("{} | count()", "a comparison"), ("{} | frobnicate()", "frobnicate() is not supported"),
        ("{} | rate() | frobnicate()", "frobnicate() after a metric is not supported"),
        ("{} with(nonsense=1)", "hint nonsense is not supported"),
        ("rate()", "spans are missing"), ("{} | quantile_over_time(duration)", "a quantile"),
        ("{} | quantile_over_time(duration, 2)", "from 0 to 1"),
        ("{} | avg_over_time(name)", "no number"), ("{} | avg(status) > 1", "no number"),
        ("{ parent = nil }", "parent is not supported"),
        ("(({} | count()) + 1) > 2", "parse error"),
        ("{ .a = 99999999999999999999 }", "out of range"), ("{ .a = 5parsecs }", "bad number"),
        ("{ . = 1 }", "name is missing"), ("{} > ", "parse error"), ("{} {}", "parse error"),
    ])
    func refusesByName(text: String, reason: String) {
        do throws(QueryError) {
            let query = try TraceQLParser.parse(text)
            Issue.record("parsed: \(TraceQLPrinter.print(query))")
        } catch {
            #expect(error.message(query: text).contains(reason))
        }
    }

    @Test func refusesWhatIsTooDeepOrTooLong() {
        let deep = "{" + String(repeating: "(", count: 5000) + ".a"
        #expect(throws: QueryError.limit(name: "query nesting", limit: TraceQLParser.depthMax)) {
            try TraceQLParser.parse(deep)
        }
        let chain = "{" + String(repeating: ".a = 1 && ", count: 5000) + ".a = 1 }"
        #expect(throws: QueryError.limit(name: "query nesting", limit: TraceQLParser.depthMax)) {
            try TraceQLParser.parse(chain)
        }
        #expect(throws: QueryError.self) {
            try TraceQLParser.parse(String(repeating: " ", count: TraceQLParser.lengthMax + 1))
        }
    }

    @Test func randomQueriesSurvivePrinting() throws {
        var random = SplitMix64(seed: 0x7ACE)
        for _ in 0..<2000 {
            let text = RandomTraceQL.query(&random)
            let query = try TraceQLParser.parse(text)
            let printed = TraceQLPrinter.print(query)
            #expect(try TraceQLParser.parse(printed) == query, "\(text) → \(printed)")
        }
    }
}
