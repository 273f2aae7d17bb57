import Testing
import WeirCore
import WeirDifferential
import WeirQuery
import WeirTestSupport

/// Weir and a real Prometheus are asked the same of the same data.
@Suite struct DifferentialTests {
    /// The checkout.
    private static let root =
        #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()

    private static let times: [[(String, String)]] = [
        [("time", "1700001661")],
        [("time", "1700002040.5")],
        [("start", "1700000000"), ("end", "1700003600"), ("step", "97")],
        [("start", "1700001000"), ("end", "1700001900"), ("step", "10s")],
    ]

    private static func program() -> PrometheusServer.Program? {
        let program = PrometheusServer.Program.find(below: root)
        if program == nil { print("differential: skipped, there is no prometheus") }
        return program
    }

    /// Every function, operator, aggregation and way of matching by name.
    @Test func namedCasesEqualPrometheus() throws {
        guard let program = Self.program() else { return }
        let data = DifferentialData(seed: 20_260_101, isVersion3: program.isVersion3)
        let server = try #require(PrometheusServer(program, series: data.source.all))
        defer { server.stop() }
        var run = DifferentialRun(program)
        for query in DifferentialCases.all {
            for times in Self.times {
                let question = DifferentialRun.Question(query: query, times: times)
                run.ask(question, server, data.source) { Issue.record("\($0)") }
            }
        }
        print("differential: named, \(run.report.summary)")
        #expect(run.report.queries >= 2000)
        try answersAreWrittenByteForByte(program, server, data)
    }

    @Test func randomQueriesEqualPrometheus() throws {
        guard let program = Self.program(), program.isVersion3 else { return }
        var run = DifferentialRun(program)
        #expect(run.run(count: 600, seed: 7) { Issue.record("\($0)") })
        print("differential: seed 7, \(run.report.summary)")
        #expect(run.report.queries == 600)
    }

    /// Answers with one series at most, and lists of names, but for `stats`.
    private func answersAreWrittenByteForByte(
        _ program: PrometheusServer.Program,
        _ server: PrometheusServer,
        _ data: DifferentialData
    ) throws {
        for query in [
            "temperature{host=\"h1\"}", "errors_total{instance=\"b\"}", "1", "1e30", "-1e-9",
            "\"t\"", "vector(1e30)", "vector(1e-9)", "vector(-0.1)", "special{kind=\"inf\"}",
            "nothing", "up[0", "vector(0 / 0)", "count_values(\"v\", vector(1e30))",
            "temperature + on () up",
        ] {
            for times in Self.times {
                let question = DifferentialRun.Question(query: query, times: times)
                let theirs = try #require(server.ask(question.path, question.parameters))
                let ours = DifferentialRun.answer(
                    question,
                    data.source,
                    semantics: program.isVersion3 ? .version3 : .version2
                )
                guard ours.status == 200, theirs.status == 200 else {
                    #expect(ours.status == theirs.status, "\(query)")
                    continue
                }
                #expect(
                    AnswerComparison.withoutStats(ours.body)
                        == String(decoding: theirs.body, as: UTF8.self),
                    "\(query)"
                )
            }
        }
        let times = [("start", "1700000000"), ("end", "1700003600")]
        let form = times + [("match[]", "errors_total{instance=\"a\"}")]
        let lists: [(String, [(String, String)], PrometheusAnswer)] = [
            (
                "/api/v1/labels", times,
                PrometheusAPI.labels(
                    parameters: times,
                    source: data.source,
                    context: QueryContext()
                )
            ),
            (
                "/api/v1/series", form,
                PrometheusAPI.series(
                    parameters: form,
                    source: data.source,
                    context: QueryContext()
                )
            ),
        ]
        for (path, parameters, ours) in lists {
            let theirs = try #require(server.ask(path, parameters))
            #expect(
                AnswerComparison.withoutStats(ours.body)
                    == String(decoding: theirs.body, as: UTF8.self)
            )
        }
    }
}
