import Testing
import WeirCore
import WeirHTTP
import WeirTestSupport

extension EndToEnd {
    /// Real senders of spans, unmodified, against the real server: what was sent is found,
    /// attribute by attribute.
    @Suite struct SpanClientTests {
        private static let second = 1_700_000_000
        private static var isSkipped: Bool { ClientScript.isSkipped }

        private static func text(_ value: JSONValue?) -> String {
            guard let value else { return "" }
            var writer = JSONWriter()
            writer.value(value)
            return writer.text
        }

        /// The members of an object as sorted `name=value`; values are JSON text.
        private static func members(_ value: JSONValue?) -> [String] {
            (value?.members ?? []).map { "\($0.key)=\(text($0.value))" }.sorted()
        }

        private static func trace(_ client: WeirClient, _ id: String) throws -> JSONValue {
            let response = try client.get("/api/v1/traces/\(id)")
            try #require(
                response.status == 200,
                "\(String(decoding: response.body, as: UTF8.self))"
            )
            return try JSONParser.parse(response.body)
        }

        private static func checkBoth(_ spans: [JSONValue], service: String) throws {
            try #require(spans.count == 2)
            for (span, expected) in zip(
                spans,
                [
                    [
                        "0000000000000001", "", "GET /checkout", "server", "",
                        "1700000000000000000", "1000000000",
                    ],
                    [
                        "0000000000000002", "0000000000000001", "SELECT", "client", "error",
                        "1700000000200000000", "300000000",
                    ],
                ]
            ) {
                let found = [
                    "spanID", "parentID", "name", "kind", "status", "startTimeUnixNano",
                    "durationNanos",
                ].map { span[$0]?.string ?? "" }
                #expect(found == expected)
                #expect(span["service"]?.string == service)
                #expect(span["scope"]?.string == "kit.tracer")
                #expect(span["scopeVersion"]?.string == "1.2.3")
            }
            #expect(spans[1]["statusMessage"]?.string == "boom")
        }

        @Test(.disabled(if: isSkipped)) func spansOfOpenTelemetryComeBack() throws {
            let folder = try TemporaryDirectory()
            var server = try WeirProcess(data: "\(folder.path)/data")
            try ClientScript.run("otlp_spans.py", [server.base, "\(Self.second)"])
            // From memory, and again from disk after a start.
            for isRestarted in [false, true] {
                if isRestarted {
                    #expect(server.terminate().code == 0)
                    server = try WeirProcess(data: "\(folder.path)/data")
                }
                let client = WeirClient(server)
                for (digit, name) in [("1", "spans-plain"), ("2", "spans-gzip")] {
                    let trace = try Self.trace(client, String(repeating: digit, count: 32))
                    #expect(
                        Self.members(trace["resources"]?.array?.first?["attributes"]) == [
                            "build.number=7", #"service.name="\#(name)""#,
                        ]
                    )
                    let spans = trace["spans"]?.array ?? []
                    try Self.checkBoth(spans, service: name)
                    #expect(
                        Self.members(spans[0]["attributes"]) == [
                            "http.response.status_code=500", "numbers=[1,2]", "ok=false",
                            "ratio=0.25", #"tags=["x","y"]"#, #"text="ünïcode \"q\"""#, "whole=2.0",
                        ]
                    )
                    #expect(Self.members(spans[1]["attributes"]) == [#"db.system="postgresql""#])
                    let event = spans[0]["events"]?.array?.first
                    #expect(event?["at"]?.string == "100000000")
                    #expect(event?["name"]?.string == "cache miss")
                    #expect(Self.members(event?["attributes"]) == [#"key="k1""#, "n=2"])
                    let link = spans[0]["links"]?.array?.first
                    #expect(link?["traceID"]?.string == String(repeating: "a", count: 32))
                    #expect(link?["spanID"]?.string == String(repeating: "b", count: 16))
                    #expect(Self.members(link?["attributes"]) == [#"why="retry""#])
                }
                let trace = try Self.trace(client, String(repeating: "3", count: 32))
                let spans = trace["spans"]?.array ?? []
                try Self.checkBoth(spans, service: "spans-zipkin")
                // Zipkin's tags are texts, and the resource's are among them; the exporter calls
                // every sampled span one to be debugged.
                #expect(
                    Self.members(spans[0]["attributes"]) == [
                        #"build.number="7""#, #"http.response.status_code="500""#,
                        #"net.host.ip="10.1.2.3""#, "net.host.port=8080",
                        #"numbers="[\"1\",\"2\"]""#,
                        #"ok="false""#, #"ratio="0.25""#, #"tags="[\"x\",\"y\"]""#,
                        #"text="ünïcode \"q\"""#, #"whole="2.0""#, "zipkin.debug=true",
                    ]
                )
                let event = spans[0]["events"]?.array?.first
                #expect(event?["name"]?.string == "cache miss")
                #expect(Self.members(event?["attributes"]) == [#"key="k1""#, "n=2"])
            }
            #expect(server.terminate().code == 0)
        }
    }
}
