import Testing
import WeirCore
import WeirHTTP
import WeirSystem
import WeirTestSupport

extension EndToEnd {
    /// The real SDK's exporters of metrics, logs and traces, unmodified, against one address: from a
    /// number over its exemplar and its trace to the log line.
    @Suite struct AllSignalsTests {
        private static var isSkipped: Bool { ClientScript.isSkipped }

        private static func text(_ value: JSONValue?) -> String {
            guard let value else { return "" }
            var writer = JSONWriter()
            writer.value(value)
            return writer.text
        }

        private static func members(_ value: JSONValue?) -> [String] {
            (value?.members ?? []).map { "\($0.key)=\(text($0.value))" }.sorted()
        }

        @Test(.disabled(if: isSkipped)) func oneAddressServesAllThreeSignals() throws {
            let folder = try TemporaryDirectory()
            var server = try WeirProcess(data: "\(folder.path)/data")
            let from = HostClock().nowMilliseconds() / 1000 - 1
            try ClientScript.run("otlp_all.py", [server.base])
            // From memory, and again from disk after a start.
            for isRestarted in [false, true] {
                if isRestarted {
                    #expect(server.terminate().code == 0)
                    server = try WeirProcess(data: "\(folder.path)/data")
                }
                let client = WeirClient(server)
                for (digit, name) in [("4", "all-plain"), ("5", "all-gzip")] {
                    try Self.checkMetrics(client, name, from: from)
                    try Self.checkTrace(client, digit, name)
                    try Self.checkLogs(client, digit, name)
                }
            }
            #expect(server.terminate().code == 0)
        }

        /// The last values, whether they were sent as totals or as what was added.
        private static func checkMetrics(
            _ client: WeirClient,
            _ name: String,
            from: Int64
        ) throws {
            let labels =
                #"http_route="/cart/{id}",instance="one",job="\#(name)","#
                + #"otel_scope_name="kit.meter",otel_scope_version="1.2.3""#
            for (metric, extra, value) in [
                ("shop_requests_total", "", 7.0), ("in_flight", "", 2),
                ("room_temperature_celsius", "", 21.5), ("latency_seconds_count", "", 3),
                ("latency_seconds_sum", "", 103), ("latency_seconds_bucket", #",le="0""#, 0),
                ("latency_seconds_bucket", #",le="5""#, 2),
                ("latency_seconds_bucket", #",le="75""#, 2),
                ("latency_seconds_bucket", #",le="100""#, 3),
                ("latency_seconds_bucket", #",le="+Inf""#, 3),
            ] {
                let selector = "last_over_time(\(metric){\(labels)\(extra)}[1h])"
                #expect(try client.value(selector) == value, "\(selector)")
            }
            // An exponential histogram is one native histogram.
            let size = "last_over_time(size_bytes{\(labels)}[1h])"
            for (query, value) in [
                ("histogram_count(\(size))", 2.0), ("histogram_sum(\(size))", 1003),
                ("histogram_fraction(2, 4, \(size))", 0.5),
                ("histogram_fraction(512, 1024, \(size))", 0.5),
            ] {
                #expect(try client.value(query) == value, "\(query)")
            }
            let info = #"last_over_time(target_info{job="\#(name)",host_name="a1"}[1h])"#
            #expect(try client.value(info) == 1)
            let digit = name == "all-plain" ? "4" : "5"
            for (metric, span, value) in [
                ("shop_requests_total", "1", "5"), (#"latency_seconds_bucket"#, "2", "0.5"),
                ("size_bytes", "2", "1000"),
            ] {
                let query = PercentEncoding.encode(#"\#(metric){job="\#(name)"}"#)
                let answer = try client.json(
                    "/api/v1/query_exemplars?query=\(query)&start=\(from)&end=\(from + 600)"
                )
                let exemplars = (answer["data"]?.array ?? []).flatMap {
                    $0["exemplars"]?.array ?? []
                }
                // In each bucket the SDK keeps what came last.
                let found = exemplars.filter { $0["value"]?.string == value }
                #expect(found.count == 1, "\(metric): \(Self.text(answer))")
                #expect(
                    Self.members(found.first?["labels"]) == [
                        #"span_id="\#(String(repeating: digit, count: 15))\#(span)""#,
                        #"trace_id="\#(String(repeating: digit, count: 32))""#,
                    ]
                )
            }
        }

        private static func checkTrace(
            _ client: WeirClient,
            _ digit: String,
            _ name: String
        ) throws {
            let trace = try client.json(
                "/api/v1/traces/\(String(repeating: digit, count: 32))"
            )
            #expect(
                members(trace["resources"]?.array?.first?["attributes"]) == [
                    #"host.name="a1""#, #"service.instance.id="one""#, #"service.name="\#(name)""#,
                ]
            )
            let spans = trace["spans"]?.array ?? []
            try #require(spans.count == 2)
            #expect(spans.map { $0["name"]?.string } == ["GET /cart", "SELECT"])
            #expect(spans.map { $0["kind"]?.string } == ["server", "client"])
            #expect(spans.map { $0["service"]?.string } == [name, name])
            #expect(spans[1]["parentID"]?.string == spans[0]["spanID"]?.string)
            #expect(members(spans[0]["attributes"]) == ["n=3", "ok=true", "ratio=0.25"])
        }

        private static func checkLogs(
            _ client: WeirClient,
            _ digit: String,
            _ name: String
        ) throws {
            let id = String(repeating: digit, count: 32)
            let answer = try client.json("/api/v1/traces/\(id)/logs")
            let logs = answer["logs"]?.array ?? []
            try #require(logs.count == 1)
            #expect(logs[0]["body"]?.string == "query was slow")
            #expect(
                members(logs[0]["labels"]) == [
                    #"host.name="a1""#, #"service.instance.id="one""#, #"service.name="\#(name)""#,
                ]
            )
            let fields = members(logs[0]["fields"])
            for field in [
                "rows=17", "severity_number=17", #"severity_text="ERROR""#,
                #"span_id="\#(String(repeating: digit, count: 15))2""#, #"trace_id="\#(id)""#,
            ] {
                #expect(fields.contains(field), "\(field) in \(fields)")
            }
        }
    }
}
