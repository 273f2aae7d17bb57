import Testing
import WeirCore
import WeirTestSupport
import WeirWire

/// Zipkin, Jaeger and Weir's JSON lines.
@Suite struct SpanWireTests {
    static let zipkin = #"""
        [{"traceId":"00000000000000ab","id":"0000000000000001","parentId":null,"name":"POST /order","kind":"SERVER",
          "timestamp":1000000,"duration":2500,"localEndpoint":{"serviceName":"shop","ipv4":"10.1.2.3","port":8080},
          "remoteEndpoint":{"serviceName":"web","ipv6":"::1","port":9},"shared":true,
          "annotations":[{"timestamp":1000100,"value":"{\"validated\":{\"items\":2}}"},{"timestamp":1000200,"value":"plain"}],
          "tags":{"n":"3","otel.status_code":"ERROR","error":"queue full","otel.scope.name":"kit","otel.scope.version":"1",
            "telemetry.sdk.language":"python","service.name":"shop","http.path":"/x"}},
         {"traceId":"zz","id":"0000000000000001","timestamp":1},
         {"traceId":"000000000000000000000000000000cd","id":"0000000000000002","annotations":[{"timestamp":7,"value":"a"}],
          "tags":{"error":""}},
         {"traceId":"00000000000000cd","id":"0000000000000003"}]
        """#

    @Test func zipkinsSpansBecomeRows() throws {
        let result = try ZipkinSpanParser.parse(
            Array(Self.zipkin.utf8),
            options: SpanRendering.options()
        )
        #expect(
            SpanRendering.rows(result) == [
                #"1000000000|resource.service.name="shop" resource.telemetry.sdk.language="python" "#
                    + #"scope:name="kit" scope:version="1" span.http.path="/x" span.n="3" "#
                    + #"span.net.host.ip="10.1.2.3" span.net.host.port=8080 span.net.peer.ip="::1" "#
                    + #"span.net.peer.port=9 span.peer.service="web" span.zipkin.shared=true "#
                    + #"span:duration=2500000 span:events=[{"at":100000,"name":"validated","#
                    + #""attributes":{"items":2}},{"at":200000,"name":"plain"}] "#
                    + #"span:id="0000000000000001" span:kind="server" span:name="POST /order" "#
                    + #"span:status="error" span:statusMessage="queue full" "#
                    + #"trace:id="000000000000000000000000000000ab""#,
                #"7000|span:duration=0 span:events=[{"at":0,"name":"a"}] "#
                    + #"span:id="0000000000000002" span:status="error" "#
                    + #"trace:id="000000000000000000000000000000cd""#,
            ]
        )
        #expect(
            SpanRendering.refusals(result) == [
                #"#2: trace id: "zz" is no id"#, "#4: timestamp is missing",
            ]
        )
        for bad in ["", "x", "[{]", "3", #"[{"a":1}] 7"#] {
            #expect(throws: SpanError.self, "\(bad)") {
                try ZipkinSpanParser.parse(Array(bad.utf8), options: SpanRendering.options())
            }
        }
    }

    static let jaeger: [UInt8] = {
        let tags = [
            Thrift().text(1, "run").i32(2, 0).text(3, "r"),
            Thrift().text(1, "f").i32(2, 1).double(4, 0.5),
            Thrift().text(1, "ok").i32(2, 2).bool(5, true),
            Thrift().text(1, "n").i32(2, 3).i64(6, -3),
            Thrift().text(1, "raw").i32(2, 4).bytes(7, [1, 2, 255]),
            Thrift().text(1, "span.kind").i32(2, 0).text(3, "consumer"),
            Thrift().text(1, "error").i32(2, 2).bool(5, true),
            Thrift().text(1, "otel.status_code").i32(2, 0).text(3, "ERROR"),
            Thrift().text(1, "otel.status_description").i32(2, 0).text(3, "no"),
            Thrift().text(1, "otel.\("library").name").i32(2, 0).text(3, "kit"),
        ]
        let log = Thrift().i64(1, 1_000_200).list(
            2,
            [
                Thrift().text(1, "message").i32(2, 0).text(3, "tick"),
                Thrift().text(1, "i").i32(2, 3).i64(6, 1),
            ]
        )
        let references = [
            Thrift().i32(1, 0).i64(2, 0xAB).i64(3, 1).i64(4, 5),
            Thrift().i32(1, 1).i64(2, 0xCD).i64(3, 0).i64(4, 6),
        ]
        let span = Thrift().i64(1, 0xAB).i64(2, 1).i64(3, 2).i64(4, 0).text(5, "step")
            .list(6, references).i32(7, 1).i64(8, 1_000_000).i64(9, 300)
            .list(10, tags).list(11, [log]).i64(99, 4)
        let bad = Thrift().i64(1, 0).i64(2, 0).i64(3, 2).text(5, "bad").i64(8, 1)
        let process = Thrift().text(1, "job").list(
            2,
            [Thrift().text(1, "host").i32(2, 0).text(3, "a")]
        )
        return Thrift().list(2, [span, bad]).structure(1, process).whole
    }()

    @Test func jaegersSpansBecomeRows() throws {
        let result = try JaegerSpanParser.parse(Self.jaeger, options: SpanRendering.options())
        #expect(
            SpanRendering.rows(result) == [
                #"1000000000|resource.host="a" resource.service.name="job" scope:name="kit" "#
                    + #"span.f=0.5 span.n=-3 span.ok=true span.raw=bytes:AQL/ span.run="r" "#
                    + #"span:duration=300000 "#
                    + #"span:events=[{"at":200000,"name":"tick","attributes":{"i":1}}] "#
                    + #"span:flags=1 span:id="0000000000000002" span:kind="consumer" "#
                    + #"span:links=[{"traceID":"000000000000000000000000000000cd","spanID":"0000000000000006"}] "#
                    + #"span:name="step" span:parentID="0000000000000005" span:status="error" "#
                    + #"span:statusMessage="no" trace:id="000000000000000100000000000000ab""#
            ]
        )
        #expect(SpanRendering.refusals(result) == ["#2: trace id: all zero"])
    }

    @Test func truncatedBatchesOfJaegerAreRefused() {
        for count in 0..<Self.jaeger.count {
            #expect(throws: SpanError.self) {
                try JaegerSpanParser.parse(
                    Array(Self.jaeger[..<count]),
                    options: SpanRendering.options()
                )
            }
        }
    }

    @Test(arguments: 0..<50) func damagedBatchesNeverTrap(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<40 {
            for source in [Self.jaeger, Array(Self.zipkin.utf8), Array(Self.lines.utf8)] {
                var bytes = source
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                        in: 0...255,
                        using: &random
                    )
                }
                let options = SpanRendering.options()
                let results = [
                    try? JaegerSpanParser.parse(bytes, options: options),
                    try? ZipkinSpanParser.parse(bytes, options: options),
                    JSONSpanParser.parse(bytes, options: options),
                ]
                for result in results.compactMap(\.self) {
                    #expect(SpanRendering.isConsistent(result), "seed \(seed)")
                }
            }
        }
    }

    static let lines = #"""
        {"trace_id":"00000000000000ab","span_id":"0000000000000001","name":"GET /","service":"web","kind":"server","status":"error","status_message":"no","start":"1970-01-01T00:00:01Z","duration":"2ms","attributes":{"n":3,"f":2.5,"ok":false,"map":{"a":[1]},"none":null},"resource":{"host":"a"},"scope":{"name":"kit","version":"1"},"events":[{"name":"e","at":"1ms","attributes":{"i":1}}],"links":[{"trace_id":"000000000000000000000000000000cd","span_id":"0000000000000002"}],"more":"x"}

        {"traceId":"000000000000000000000000000000ab","spanId":"0000000000000002","parentId":"0000000000000001","name":"b","start":1700000000,"end":1700000001.5}
        nonsense
        {"trace_id":"ab","span_id":"0000000000000002","start":1}
        {"trace_id":"00000000000000ab","span_id":"0000000000000002","start":1,"kind":"odd"}
        {"trace_id":"00000000000000ab","span_id":"0000000000000002","start":"soon"}
        {"trace_id":"00000000000000ab","span_id":"0000000000000002"}
        {"span_id":"0000000000000002"} trailing
        """#

    @Test func linesOfJSONBecomeRows() {
        let result = JSONSpanParser.parse(Array(Self.lines.utf8), options: SpanRendering.options())
        #expect(
            SpanRendering.rows(result) == [
                #"1000000000|resource.host="a" resource.service.name="web" scope:name="kit" "#
                    + #"scope:version="1" span.f=2.5 span.map={"a":[1]} span.more="x" span.n=3 "#
                    + #"span.none=null span.ok=false span:duration=2000000 "#
                    + #"span:events=[{"at":1000000,"name":"e","attributes":{"i":1}}] "#
                    + #"span:id="0000000000000001" span:kind="server" "#
                    + #"span:links=[{"traceID":"000000000000000000000000000000cd","spanID":"0000000000000002"}] "#
                    + #"span:name="GET /" span:status="error" span:statusMessage="no" "#
                    + #"trace:id="000000000000000000000000000000ab""#,
                #"1700000000000000000|span:duration=1500000000 span:id="0000000000000002" "#
                    + #"span:name="b" span:parentID="0000000000000001" "#
                    + #"trace:id="000000000000000000000000000000ab""#,
            ]
        )
        #expect(
            SpanRendering.refusals(result) == [
                #"4: byte 1: "n" where an object is expected"#,
                #"5: trace id: "ab" is no id"#, #"6: kind: "odd" is not known"#,
                #"7: start: "soon" is no time"#, #"8: "start" is missing"#,
                #"9: byte 32: "t" where the end of the line is expected"#,
            ]
        )
    }

    @Test func deepNestingIsRefusedWhole() {
        let deep = String(repeating: "[", count: 100_000)
        let options = SpanRendering.options()
        #expect(throws: SpanError.self) {
            try ZipkinSpanParser.parse(Array(deep.utf8), options: options)
        }
        #expect(throws: SpanError.self) {
            try OTLPSpanJSONParser.parse(
                Array(("{\"resourceSpans\":" + deep).utf8),
                options: options
            )
        }
        #expect(
            JSONSpanParser.parse(Array(("{\"a\":" + deep).utf8), options: options).refusedCount == 1
        )
        // Lists of lists, as a field that is not known.
        var thrift: [UInt8] = [15, 0, 50]
        for _ in 0..<10_000 { thrift += [15, 0, 0, 0, 1] }
        #expect(throws: SpanError.self) { try JaegerSpanParser.parse(thrift, options: options) }
    }
}
