import Testing
import WeirCore
import WeirServer
import WeirWire

@Suite struct SpanMetricsTests {
    private static let second: Int64 = 1_000_000_000
    private static let minute: Int64 = 60 * second
    /// A whole minute.
    private static let base: Int64 = 1_700_000_040 * second
    private static let now = base + 86_400 * second

    /// A span as a line of Weir's JSON; times in milliseconds after `base`.
    private static func span(
        _ id: Int,
        parent: Int = 0,
        service: String = "web",
        name: String = "GET /",
        kind: String = "internal",
        at: Int,
        took: Int,
        more: String = ""
    ) -> String {
        func hex(_ number: Int) -> String {
            let text = String(number, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }
        let start = base + Int64(at) * 1_000_000
        return #"{"trace_id":"00000000000000ab","span_id":"\#(hex(id))","name":"\#(name)","#
            + (parent > 0 ? #""parent_id":"\#(hex(parent))","# : "")
            + #""service":"\#(service)","kind":"\#(kind)","start":\#(start),"duration":"\#(took)ms"\#(more)}"#
    }

    private static func add(_ metrics: inout SpanMetrics, _ lines: [String], now: Int64 = now) {
        let body = Array(lines.joined(separator: "\n").utf8)
        let result = JSONSpanParser.parse(body, options: SpanOptions(now: now))
        #expect(result.refusedCount == 0)
        metrics.add(result.batch, result.facts, now: now)
        metrics.advance(now: now, isIdle: false)
    }

    /// `seconds after base: series value`, of the series that `isShown` takes.
    private static func samples(
        _ metrics: inout SpanMetrics,
        _ isShown: (Labels) -> Bool
    ) -> [String] {
        let batch = metrics.take().samples
        return (0..<batch.rowCount).compactMap { row in
            let labels = batch.streams[Int(batch.streamIndexes[row])]
            guard isShown(labels) else { return nil }
            let at = (batch.times[row] - base) / second
            return "\(at): \(labels.description) \(batch.columns[0].floats[row])"
        }
    }

    private static func isCalls(_ labels: Labels) -> Bool {
        labels.metricName == "traces_spanmetrics_calls_total"
    }

    private static let web =
        #"traces_spanmetrics_calls_total{service="web", span_kind="SPAN_KIND_INTERNAL", "#
        + #"span_name="GET /", status_code="STATUS_CODE_UNSET"}"#

    @Test func callsAreCountedByWindowsOfSpanTime() {
        var metrics = SpanMetrics(interval: Self.minute)
        Self.add(&metrics, [Self.span(1, at: 1000, took: 5), Self.span(2, at: 2000, took: 5)])
        #expect(Self.samples(&metrics, Self.isCalls) == [])
        // The second minute; the first is not waited for any more once its slack is over.
        Self.add(&metrics, [Self.span(3, at: 61_000, took: 5)])
        #expect(Self.samples(&metrics, Self.isCalls) == [])
        Self.add(&metrics, [Self.span(4, at: 71_000, took: 5)])
        #expect(
            Self.samples(&metrics, Self.isCalls) == ["0: \(Self.web) 0.0", "60: \(Self.web) 2.0"]
        )
        // Too late for the first minute: counted in the second.
        Self.add(&metrics, [Self.span(5, at: 3000, took: 5), Self.span(6, at: 200_000, took: 5)])
        #expect(Self.samples(&metrics, Self.isCalls) == ["120: \(Self.web) 5.0"])
        // A window without spans repeats what was.
        metrics.advance(now: Self.now, isIdle: true)
        #expect(
            Self.samples(&metrics, Self.isCalls) == [
                "180: \(Self.web) 5.0", "240: \(Self.web) 6.0",
            ]
        )
    }

    @Test func seriesRestForFiveMinutes() {
        var metrics = SpanMetrics(interval: Self.minute)
        let now = Self.base + 7 * Self.minute
        Self.add(&metrics, [Self.span(1, at: 1000, took: 5)], now: now)
        metrics.advance(now: now, isIdle: true)
        metrics.advance(now: now + Self.minute, isIdle: true)
        let expected = ["0: \(Self.web) 0.0"] + (1...6).map { "\($0 * 60): \(Self.web) 1.0" }
        #expect(Self.samples(&metrics, Self.isCalls) == expected)
    }

    @Test func aClockThatIsAheadDoesNotTakeTheWindowsWithIt() {
        var metrics = SpanMetrics(interval: Self.minute)
        let now = Self.base + 30 * Self.second
        Self.add(&metrics, [Self.span(1, at: 80_000_000, took: 5)], now: now)
        Self.add(&metrics, [Self.span(2, at: 20_000, took: 5)], now: now)
        metrics.advance(now: now, isIdle: true)
        #expect(Self.samples(&metrics, Self.isCalls) == [])
        metrics.advance(now: Self.base + Self.minute, isIdle: true)
        #expect(Self.samples(&metrics, Self.isCalls).last == "60: \(Self.web) 2.0")
    }

    @Test func durationsFallIntoBuckets() {
        var metrics = SpanMetrics(interval: Self.minute)
        let took = [0, 2, 3, 4, 5, 1024, 1025, 16_384, 16_385, 30_000]
        Self.add(&metrics, took.enumerated().map { Self.span($0 + 1, at: 0, took: $1) })
        metrics.advance(now: Self.now, isIdle: true)
        let found = Self.samples(&metrics) { $0.metricName != "traces_spanmetrics_calls_total" }
        let last = found.filter { $0.hasPrefix("60: ") }
        let counts = [
            ("0.002", 2), ("0.004", 4), ("0.008", 5), ("0.512", 5), ("1.024", 6), ("2.048", 7),
            ("8.192", 7), ("16.384", 8), ("+Inf", 10),
        ]
        for (bound, count) in counts {
            #expect(
                last.contains { $0.contains(#"le="\#(bound)""#) && $0.hasSuffix(" \(count).0") },
                "le \(bound)"
            )
        }
        #expect(last.contains { $0.contains("latency_count") && $0.hasSuffix(" 10.0") })
        #expect(last.contains { $0.contains("latency_sum") && $0.hasSuffix(" 64.832") })
    }

    @Test func theSlowestSpanOfAWindowIsItsExemplar() throws {
        var metrics = SpanMetrics(interval: Self.minute)
        Self.add(
            &metrics,
            [
                Self.span(1, at: 0, took: 5), Self.span(2, at: 1, took: 300),
                Self.span(3, at: 2, took: 7),
            ]
        )
        metrics.advance(now: Self.now, isIdle: true)
        let exemplars = metrics.take().exemplars
        try #require(exemplars.rowCount == 1)
        #expect(exemplars.streams[0]["le"] == "0.512")
        #expect(exemplars.streams[0].metricName == "traces_spanmetrics_latency_bucket")
        #expect(exemplars.times == [Self.base + 301_000_000])
        func field(_ name: String) -> String? {
            exemplars.fields[name].map { String(decoding: $0.values[0], as: UTF8.self) }
        }
        #expect(field("") == "0.3")
        #expect(field("trace_id") == "000000000000000000000000000000ab")
        #expect(field("span_id") == "0000000000000002")
    }

    private static func edges(_ metrics: inout SpanMetrics) -> [String] {
        samples(&metrics) { $0.metricName?.hasSuffix("request_total") ?? false }
            .filter { !$0.hasPrefix("0: ") }.sorted()
    }

    private static func edge(_ client: String, _ server: String, _ type: String = "") -> String {
        let middle = type.isEmpty ? "" : #", connection_type="\#(type)""#
        return #"60: traces_service_graph_request_total{client="\#(client)"\#(middle), "#
            + #"server="\#(server)"} 1.0"#
    }

    @Test func callsBecomeEdgesInWhicheverOrderTheirHalvesCome() {
        var metrics = SpanMetrics(interval: Self.minute)
        func attributes(_ text: String) -> String { #","attributes":{\#(text)}"# }
        Self.add(
            &metrics,
            [
                Self.span(1, service: "web", kind: "client", at: 0, took: 9),
                Self.span(2, parent: 1, service: "cart", kind: "server", at: 0, took: 5),
                Self.span(4, parent: 3, service: "mail", kind: "consumer", at: 0, took: 5),
                Self.span(3, service: "cart", kind: "producer", at: 0, took: 1),
                Self.span(
                    5,
                    service: "cart",
                    kind: "client",
                    at: 0,
                    took: 1,
                    more: attributes(#""db.system":"postgresql""#)
                ),
                Self.span(
                    6,
                    service: "cart",
                    kind: "client",
                    at: 0,
                    took: 1,
                    more: attributes(#""server.address":"bank.example""#)
                ),
                Self.span(
                    7,
                    service: "cart",
                    kind: "producer",
                    at: 0,
                    took: 1,
                    more: attributes(#""messaging.system":"kafka""#)
                ),
                Self.span(8, service: "cart", kind: "client", at: 0, took: 1),
                Self.span(9, parent: 99, service: "cart", kind: "server", at: 0, took: 1),
            ]
        )
        metrics.advance(now: Self.now, isIdle: true)
        #expect(
            Self.edges(&metrics)
                == [
                    Self.edge("cart", "bank.example", "virtual_node"),
                    Self.edge("cart", "kafka", "messaging_system"),
                    Self.edge("cart", "mail", "messaging_system"),
                    Self.edge("cart", "postgresql", "database"), Self.edge("web", "cart"),
                ].sorted()
        )
    }

    @Test func tooManySeriesAreCountedAndNotMade() {
        var metrics = SpanMetrics(interval: Self.minute, slotsMax: 3)
        Self.add(&metrics, (1...9).map { Self.span($0, name: "op \($0)", at: 0, took: 1) })
        metrics.advance(now: Self.now, isIdle: true)
        #expect(Self.samples(&metrics, Self.isCalls).count == 6)
        #expect(metrics.takeOverflow() == 6)
        #expect(metrics.takeOverflow() == 0)
    }

    @Test func spansOfManyWindowsInAnyOrderAreCountedInTheirs() {
        var metrics = SpanMetrics(interval: Self.minute)
        Self.add(
            &metrics,
            (0..<100).map { Self.span($0 + 1, at: ($0 * 37 % 100) * 60_000 + 1, took: 1) }
        )
        metrics.advance(now: Self.now, isIdle: true)
        let expected =
            ["0: \(Self.web) 0.0"] + (1...100).map { "\($0 * 60): \(Self.web) \($0).0" }
        #expect(Self.samples(&metrics, Self.isCalls) == expected)
    }
}
