import Testing
import WeirCore
import WeirHTTP
import WeirSystem
import WeirTestSupport
import WeirWire

extension EndToEnd {
    /// Weir and a real Prometheus 3 are asked the same of the same series and rules: status, error texts
    /// and bodies.
    @Suite struct PrometheusAnswerTests {
        private static let start: Int64 = 1_790_000_000
        private static let end = start + 600

        /// How much of an answer has to be the same.
        private enum Sameness {
            /// All but `stats`, in any order of series.
            case whole
            /// The members' names and kinds.
            case shape
            /// The status.
            case status
        }

        private struct Question {
            let path: String
            var form: [(String, String)]
            var sameness = Sameness.whole
            var isPosted = false

            var text: String { form.map { "\($0.0)=\($0.1)" }.joined(separator: "&") }
            var query: String {
                form.map { "\(PercentEncoding.encode($0.0))=\(PercentEncoding.encode($0.1))" }
                    .joined(separator: "&")
            }
        }

        @Test(.enabled(if: PrometheusProcess.peer("prometheus") != nil))
        func answersAreThoseOfPrometheus() throws {
            let folder = try TemporaryDirectory()
            let rules = "\(folder.path)/rules.yml"
            try HostFileSystem().writeFileAtomically(
                Array(Self.rules.utf8),
                to: rules,
                inDirectory: folder.path
            )
            let prometheus = try PrometheusProcess(
                #require(PrometheusProcess.peer("prometheus")),
                folder: "\(folder.path)/prometheus",
                configuration: "rule_files: ['\(rules)']\n",
                [
                    "--web.enable-remote-write-receiver", "--storage.tsdb.retention.time=100y",
                    "--enable-feature=exemplar-storage",
                ]
            )
            let server = try WeirProcess(data: "\(folder.path)/weir", ["--rules", rules])
            let theirs = WeirClient(prometheus.base)
            let ours = WeirClient(server)
            for client in [theirs, ours] {
                let answer = try client.post(
                    "/api/v1/write",
                    Self.series,
                    headers: [
                        ("Content-Type", "application/x-protobuf"), ("Content-Encoding", "snappy"),
                    ]
                )
                try #require(answer.status / 100 == 2)
            }
            #expect(try theirs.query("load", atMilliseconds: Self.end * 1000).count == 10)
            #expect(Self.questions.count > 200)
            for question in Self.questions {
                let expected = try Self.ask(theirs, question)
                let found = try Self.ask(ours, question)
                #expect(found.status == expected.status, "\(question.path)?\(question.text)")
                guard question.sameness != .status else { continue }
                let (left, right) = (try Self.json(found), try Self.json(expected))
                if question.sameness == .whole {
                    #expect(
                        Self.sorted(left) == Self.sorted(right),
                        "\(question.path)?\(question.text)"
                    )
                } else {
                    #expect(
                        Self.shape(left) == Self.shape(right),
                        "\(question.path)?\(question.text)"
                    )
                }
            }
        }

        private static func ask(
            _ client: WeirClient,
            _ question: Question
        ) throws -> HTTPClientResponse {
            if question.isPosted {
                return try client.post(
                    question.path,
                    Array(question.query.utf8),
                    headers: [("Content-Type", "application/x-www-form-urlencoded")]
                )
            }
            return try client.get("\(question.path)?\(question.query)")
        }

        private static func json(_ response: HTTPClientResponse) throws -> JSONValue {
            try JSONParser.parse(response.body)
        }

        /// The tree as text, lists in order of their elements' texts, without `stats`.
        private static func sorted(_ tree: JSONValue) -> String {
            switch tree {
            case .array(let items):
                "[" + items.map { sorted($0) }.sorted().joined(separator: ",") + "]"
            case .object(let members):
                "{"
                    + members.filter { $0.key != "stats" }.map { "\($0.key):\(sorted($0.value))" }
                    .sorted().joined(separator: ",") + "}"
            case .string(let text): "\"\(text)\""
            case .number(let text): text
            case .bool(let flag): "\(flag)"
            case .null: "null"
            }
        }

        private static func shape(_ tree: JSONValue) -> String {
            switch tree {
            case .array(let items): "[" + (items.first.map { shape($0) } ?? "") + "]"
            case .object(let members):
                "{"
                    + members.filter { $0.key != "stats" }.map { "\($0.key):\(shape($0.value))" }
                    .sorted().joined(separator: ",") + "}"
            case .string: "string"
            case .number: "number"
            case .bool: "bool"
            case .null: "null"
            }
        }

        // MARK: What there is

        private static let rules = """
            groups:
            - name: first
              interval: 1h
              rules:
              - {record: "job:load:sum", expr: sum by (job) (load), labels: {x: y}}
              - {alert: High, expr: load > 5, for: 1m, labels: {severity: page}}
            - name: second
              interval: 1h
              rules:
              - {alert: Never, expr: absent(load) > 5}
            """

        /// `load` of two jobs and five instances each, 41 samples, an exemplar in some.
        private static let series: [UInt8] = {
            func pair(_ name: String, _ value: String) -> [UInt8] {
                var writer = ProtobufWriter()
                writer.bytes(1, Array(name.utf8))
                writer.bytes(2, Array(value.utf8))
                return writer.bytes
            }
            var request = ProtobufWriter()
            for job in ["a", "b"] {
                for instance in 0..<5 {
                    var series = ProtobufWriter()
                    for (name, value) in [
                        ("__name__", "load"), ("instance", "\(instance)"), ("job", job),
                    ] {
                        series.bytes(1, pair(name, value))
                    }
                    for turn in 0...40 {
                        var sample = ProtobufWriter()
                        sample.fixed64(1, Double(instance * 2 + turn % 3).bitPattern)
                        sample.varint(2, UInt64((start + Int64(turn) * 15) * 1000))
                        series.bytes(2, sample.bytes)
                    }
                    if instance == 0 {
                        var exemplar = ProtobufWriter()
                        exemplar.bytes(1, pair("trace_id", "abc"))
                        exemplar.fixed64(2, 1.5.bitPattern)
                        exemplar.varint(3, UInt64((end - 100) * 1000))
                        series.bytes(3, exemplar.bytes)
                    }
                    request.bytes(1, series.bytes)
                }
            }
            return SnappyBlock.pack(request.bytes)
        }()

        // MARK: What is asked

        private static let questions: [Question] = {
            var questions: [Question] = []
            let api = "/api/v1/"
            func both(
                _ path: String,
                _ form: [(String, String)],
                _ sameness: Sameness = .whole
            ) {
                questions.append(Question(path: api + path, form: form, sameness: sameness))
                let posted = Question(
                    path: api + path,
                    form: form,
                    sameness: sameness,
                    isPosted: true
                )
                questions.append(posted)
            }
            func get(
                _ path: String,
                _ form: [(String, String)] = [],
                _ sameness: Sameness = .whole
            ) {
                questions.append(Question(path: api + path, form: form, sameness: sameness))
            }
            let at = ("time", "\(end)")
            for query in [
                "load", "load{", "", "rate(load)", "foo(load)", "sum(load) by", "\"abc\"", "1",
                "load[5m]", "rate(load[5m])", "{__name__=~\".*\"}", "{}", "load @ x",
                "topk(load, 3)", "quantile(2, load)", "histogram_quantile(0.9, load)",
                "label_replace(load,\"a b\",\"$1\",\"i\",\"(\")", "load offset", "1 +", "load{a=b}",
                "load{a=\"b\"", "sum by (job) (load) / on (job) group_left () load",
                "count_values(\"v\", load)", "load > bool 3", "time()", "-load",
            ] {
                both("query", [("query", query), at])
            }
            both("query", [("query", "load + on (nope) load"), at], .status)
            for extra in [
                ("time", "x"), ("timeout", "x"), ("limit", "x"), ("limit", "-1"),
                ("lookback_delta", "x"), ("lookback_delta", "1ms"), ("timeout", "10s"),
                ("time", "2026-09-21T14:20:00Z"),
            ] {
                both(
                    "query",
                    extra.0 == "time"
                        ? [("query", "load"), extra] : [("query", "load"), at, extra]
                )
            }
            both("query", [("query", "load"), at, ("limit", "2")], .shape)
            let range = [
                ("query", "load"), ("start", "\(start)"), ("end", "\(end)"), ("step", "15"),
            ]
            both("query_range", range)
            for (name, value) in [
                ("step", "0"), ("step", "-1"), ("step", "x"), ("step", "1m"), ("step", "0.001"),
                ("end", "\(start - 100)"), ("end", "x"), ("start", ""), ("query", "load[5m]"),
                ("query", "\"a\""), ("query", "1"), ("query", "load{"), ("timeout", "x"),
                ("limit", "x"), ("start", "2026-09-21T14:15:00.5+00:00"),
            ] {
                both("query_range", range.filter { $0.0 != name } + [(name, value)])
            }
            for name in ["start", "end", "step", "query"] {
                both("query_range", range.filter { $0.0 != name })
            }
            for form in [
                [("match[]", "load")], [], [("match[]", "load{")], [("match[]", "{}")],
                [("match[]", "load{job=\"a\"}"), ("match[]", "load{job=\"b\"}")],
                [("match[]", "load"), ("start", "\(end + 100_000)")],
                [("match[]", "load"), ("start", "x")], [("match[]", "load"), ("limit", "x")],
                [("match[]", "nope")], [("match[]", "load{job=~\"(\"}")],
            ] as [[(String, String)]] {
                both("series", form)
                both("labels", form)
                get("label/job/values", form)
            }
            for name in ["a-b", "__name__", "nope", "U__a_2e_b"] { get("label/\(name)/values") }
            for form in [
                [("query", "load"), ("start", "\(start)"), ("end", "\(end)")],
                [("query", "load{job=\"a\"}"), ("start", "\(start)"), ("end", "\(end)")],
                [("query", ""), ("start", "1"), ("end", "2")],
                [("query", "sum(load)"), ("start", "\(start)"), ("end", "\(end)")],
                [("query", "load{"), ("start", "1"), ("end", "2")],
                [("query", "load"), ("start", "\(end)"), ("end", "\(start)")],
                [("query", "load{"), ("start", "2"), ("end", "1.9")],
                [
                    ("query", "load"), ("start", "2026-01-01T00:00:01Z"),
                    ("end", "2026-01-01T00:00:00Z"),
                ],
                [("query", "load"), ("start", "5"), ("end", "5")], [("query", "load")],
                [("query", "load"), ("start", "x"), ("end", "5")],
                [("query", "load"), ("start", "1"), ("end", "y")], [],
            ] {
                both("query_exemplars", form)
            }
            both("query_exemplars", [("query", "1"), ("start", "1"), ("end", "2")], .status)
            for query in [
                "sum  by(job)(rate(load[5m]))", "load{", "a+b*c", "", "x offset -5m @ start()",
                "{\"a.b\"=\"c\"}", "(((1)))", "sum without () (x)", "a or b unless on(c) d",
            ] {
                both("format_query", [("query", query)])
                both("parse_query", [("query", query)])
            }
            for form in [
                [], [("type", "alert")], [("type", "record")], [("type", "x")],
                [("rule_name[]", "High")], [("rule_group[]", "second")], [("file[]", "nope")],
                [("exclude_alerts", "true")], [("match[]", "{severity=\"page\"}")],
            ] as [[(String, String)]] {
                get("rules", form, form.first?.1 == "x" ? .whole : .shape)
            }
            for form in [
                [("exclude_alerts", "x")], [("match[]", "{")], [("group_limit", "x")],
                [("group_limit", "0")], [("group_next_token", "x")],
                [("group_limit", "1"), ("group_next_token", "zzz")],
            ] {
                get("rules", form)
            }
            get("rules", [("group_limit", "1")], .shape)
            for path in ["alertmanagers", "notifications", "metadata", "scrape_pools"] { get(path) }
            for form in [[], [("state", "active")], [("state", "x")]] as [[(String, String)]] {
                get("targets", form)
            }
            get("targets/metadata", [("match_target", "{")])
            get("status/walreplay", [], .shape)
            get("status/buildinfo", [], .shape)
            get("status/tsdb", [("limit", "1")], .shape)
            for limit in ["0", "x"] { get("status/tsdb", [("limit", limit)]) }
            return questions
        }()
    }
}
