import Testing
import WeirCore
import WeirQuery
import WeirTestSupport

/// Weir and Debian's Prometheus are asked the same of the same data.
@Suite struct DifferentialTests {
    /// Where the two are known to differ, and why.
    ///
    /// Matched by the exact query.
    static let knownDifferences: [String: String] = [
        "temperature offset 5": "version 3 takes a number of seconds for a duration",
        "temperature atan2 humidity": "since version 2.47 atan2 drops the metric name",
        "predict_linear(humidity[20m] @ 1700004000, 600)":
            "2.42 lets the window of predict_linear slide on from its fixed time",
    ]

    struct Mode {
        let path: String
        let times: [(String, String)]
        var isRange: Bool { path.hasSuffix("range") }
    }

    static let modes = [
        Mode(path: "/api/v1/query", times: [("time", "1700003661")]),
        Mode(path: "/api/v1/query", times: [("time", "1700007200.5")]),
        Mode(
            path: "/api/v1/query_range",
            times: [("start", "1700000000"), ("end", "1700010800"), ("step", "97")]
        ),
        Mode(
            path: "/api/v1/query_range",
            times: [("start", "1700003000"), ("end", "1700003900"), ("step", "10s")]
        ),
    ]

    @Test func answersEqualPrometheus() throws {
        guard PrometheusServer.isInstalled else {
            print("differential: skipped, \(PrometheusServer.program) is not installed")
            return
        }
        let data = DifferentialData(seed: 20_260_101)
        let server = try #require(PrometheusServer(openMetrics: data.openMetrics))
        defer { server.stop() }
        var queries = DifferentialCases.all
        var random = RandomQueries(seed: 7)
        for _ in 0..<400 { queries.append(random.vector(3)) }
        var cases = 0
        var equal = 0
        var known = 0
        var refused = 0
        var empty = 0
        for query in queries {
            for mode in Self.modes {
                let parameters = [("query", query)] + mode.times
                let theirs = try #require(server.ask(mode.path, parameters))
                let ours = Self.answer(mode, parameters, data.source)
                cases += 1
                if theirs.status != 200 { refused += 1 }
                if String(decoding: theirs.body, as: UTF8.self).contains("\"result\":[]") {
                    empty += 1
                }
                let difference = AnswerComparison.difference(
                    ours: try JSONParser.parse(ours.body),
                    theirs: try JSONParser.parse(theirs.body),
                    isOrdered: !mode.isRange && AnswerComparison.isOrdered(query)
                )
                if difference == nil {
                    equal += 1
                } else if Self.knownDifferences[query] != nil {
                    known += 1
                } else {
                    Issue.record("\(query) at \(mode.times): \(difference ?? "")")
                }
            }
        }
        print(
            "differential: \(cases) cases, \(equal) equal, \(known) known version differences; "
                + "\(refused) refused, \(empty) empty"
        )
        #expect(cases >= 300)
        #expect(equal + known == cases)
        try answersAreWrittenByteForByte(server, data)
    }

    private static func answer(
        _ mode: Mode,
        _ parameters: [(String, String)],
        _ source: ArraySource
    ) -> PrometheusAnswer {
        var options = PromQLOptions()
        options.semantics = .version2
        let context = QueryContext()
        if mode.isRange {
            return PrometheusAPI.queryRange(
                parameters: parameters,
                source: source,
                context: context,
                options: options
            )
        }
        return PrometheusAPI.query(
            parameters: parameters,
            source: source,
            context: context,
            nowMilliseconds: 0,
            options: options
        )
    }

    /// Answers with one series at most, and lists of names, but for `stats`.
    private func answersAreWrittenByteForByte(
        _ server: PrometheusServer,
        _ data: DifferentialData
    ) throws {
        for query in [
            "temperature{host=\"h1\"}", "errors_total{instance=\"b\"}", "1", "1e30", "-1e-9",
            "\"t\"",
            "vector(1e30)", "vector(1e-9)", "vector(-0.1)", "special{kind=\"inf\"}", "nothing",
            "up[0",
            "vector(0 / 0)", "count_values(\"v\", vector(1e30))", "temperature + on () up",
        ] {
            for mode in Self.modes {
                let parameters = [("query", query)] + mode.times
                let theirs = try #require(server.ask(mode.path, parameters))
                let ours = Self.answer(mode, parameters, data.source)
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
        let times = [("start", "1700000000"), ("end", "1700010800")]
        let lists: [(String, PrometheusAnswer)] = [
            (
                "/api/v1/labels",
                PrometheusAPI.labels(
                    parameters: times,
                    source: data.source,
                    context: QueryContext()
                )
            ),
            (
                "/api/v1/series",
                PrometheusAPI.series(
                    parameters: times + [("match[]", "errors_total{instance=\"a\"}")],
                    source: data.source,
                    context: QueryContext()
                )
            ),
        ]
        for (path, ours) in lists {
            let form = times + [("match[]", "errors_total{instance=\"a\"}")]
            let theirs = try #require(
                server.ask(path, path.hasSuffix("series") ? form : times)
            )
            #expect(
                AnswerComparison.withoutStats(ours.body)
                    == String(decoding: theirs.body, as: UTF8.self)
            )
        }
    }
}

/// Compares two answers of the Prometheus API, but for float rounding.
enum AnswerComparison {
    static func isOrdered(_ query: String) -> Bool {
        query.hasPrefix("sort") || query.hasPrefix("topk") || query.hasPrefix("bottomk")
    }

    /// The text of an answer without its `stats` member.
    static func withoutStats(_ body: [UInt8]) -> String {
        let text = String(decoding: body, as: UTF8.self)
        guard let start = text.firstRange(of: ",\"stats\":{"),
            let end = text[start.upperBound...].firstIndex(of: "}")
        else { return text }
        return String(text[..<start.lowerBound]) + text[text.index(after: end)...]
    }

    /// What differs first, or nil.
    static func difference(ours: JSONValue, theirs: JSONValue, isOrdered: Bool) -> String? {
        let status = (ours["status"]?.string ?? "", theirs["status"]?.string ?? "")
        guard status.0 == status.1 else {
            return "ours is \(status.0) (\(ours["error"]?.string ?? "")), "
                + "theirs \(status.1) (\(theirs["error"]?.string ?? ""))"
        }
        if status.0 == "error" {
            let kinds = (ours["errorType"]?.string, theirs["errorType"]?.string)
            return kinds.0 == kinds.1
                ? nil
                : "ours is \(kinds.0 ?? "") (\(ours["error"]?.string ?? "")), theirs "
                    + "\(kinds.1 ?? "") (\(theirs["error"]?.string ?? ""))"
        }
        let types = (
            ours["data"]?["resultType"]?.string ?? "", theirs["data"]?["resultType"]?.string ?? ""
        )
        guard types.0 == types.1 else { return "ours is a \(types.0), theirs a \(types.1)" }
        guard let left = ours["data"]?["result"], let right = theirs["data"]?["result"] else {
            return "a result is missing"
        }
        if types.0 == "scalar" || types.0 == "string" { return points([left], [right]) }
        return series(left.array ?? [], right.array ?? [], isOrdered: isOrdered)
    }

    private static func series(
        _ ours: [JSONValue],
        _ theirs: [JSONValue],
        isOrdered: Bool
    ) -> String? {
        guard ours.count == theirs.count else {
            return "ours has \(ours.count) series, theirs \(theirs.count): "
                + "\(ours.map(key).prefix(4)) \(theirs.map(key).prefix(4))"
        }
        if isOrdered, ours.map(key) != theirs.map(key) {
            return "order: \(ours.map(key)) \(theirs.map(key))"
        }
        var byKey: [String: JSONValue] = [:]
        for one in ours { byKey[key(one)] = one }
        for one in theirs {
            guard let own = byKey[key(one)] else { return "ours lacks \(key(one))" }
            let left = own["values"]?.array ?? [own["value"] ?? .null]
            let right = one["values"]?.array ?? [one["value"] ?? .null]
            if let difference = points(left, right) { return "\(key(one)): \(difference)" }
        }
        return nil
    }

    private static func key(_ series: JSONValue) -> String {
        (series["metric"]?.members ?? []).map { "\($0.key)=\($0.value.string ?? "")" }
            .joined(separator: ",")
    }

    private static func points(_ ours: [JSONValue], _ theirs: [JSONValue]) -> String? {
        guard ours.count == theirs.count else {
            return "ours has \(ours.count) points, theirs \(theirs.count)"
        }
        for (left, right) in zip(ours, theirs) {
            guard let left = left.array, let right = right.array, left.count == 2,
                right.count == 2, case .number(let ourTime) = left[0],
                case .number(let theirTime) = right[0], ourTime == theirTime
            else { return "times: \(left) \(right)" }
            let values = (left[1].string ?? "", right[1].string ?? "")
            guard isClose(values.0, values.1) else {
                return "at \(ourTime): ours \(values.0), theirs \(values.1)"
            }
        }
        return nil
    }

    private static func isClose(_ ours: String, _ theirs: String) -> Bool {
        if ours == theirs { return true }
        guard let left = Double(ours), let right = Double(theirs), left.isFinite, right.isFinite
        else { return false }
        return (left - right).magnitude <= 1e-9 * max(left.magnitude, right.magnitude) + 1e-9
    }
}
