import Testing
import WeirCore
import WeirHTTP
import WeirServer
import WeirWire

@Suite struct SpansEndpointTests {
    private static let trace = "000000000000000000000000000000ab"

    private static func line(_ id: String, start: String = "1700000000") -> String {
        #"{"trace_id":"\#(trace)","span_id":"\#(id)","name":"a","service":"web","start":\#(start),"duration":5}"#
    }

    @Test func linesAreAnsweredWithCountsAndReasons() throws {
        let server = try LogServer()
        let good = Self.line("0000000000000001")
        let answer = try server.post("/api/v1/spans", good + "\nbad\n")
        #expect(answer.status == 200)
        #expect(
            answer.text
                == #"{"taken":1,"refused":1,"refusals":[{"line":2,"span":2,"reason":"byte 1: \"b\" where an object is expected"}]}"#
                + "\n"
        )
        let lost = try server.post("/api/v1/spans", "bad")
        #expect(lost.status == 400)
        #expect(try lost.json()["error"]?.string == "nothing_taken")
        #expect(try server.metric(#"weir_spans_total{wire="json"}"#) == 1)
        #expect(try server.metric(#"weir_spans_refused_total{wire="json"}"#) == 2)
    }

    @Test func spansThatComeAgainAreLeftOut() throws {
        let server = try LogServer()
        let first = Self.line("0000000000000001")
        let second = Self.line("0000000000000002")
        #expect(try server.post("/api/v1/spans", first + "\n" + first).status == 200)
        #expect(try server.post("/api/v1/spans", first + "\n" + second).status == 200)
        #expect(try server.post("/api/v1/spans", second).status == 200)
        // Another start is another span.
        let later = Self.line("0000000000000002", start: "1700000001")
        #expect(try server.post("/api/v1/spans", later).status == 200)
        #expect(try server.metric(#"weir_spans_total{wire="json"}"#) == 3)
        #expect(try server.metric(#"weir_spans_duplicate_total{wire="json"}"#) == 3)
    }

    @Test func aBodyThatIsNeitherProtobufNorJSONIsRefusedForThat() throws {
        let server = try LogServer()
        for path in ["/v1/traces", "/v1/logs"] {
            let form = [("Content-Type", "application/x-www-form-urlencoded")]
            let answer = try server.send("POST", path, Array("{}".utf8), headers: form)
            #expect(answer.status == 415)
            #expect(try answer.json()["error"]?.string == "unknown_content_type")
        }
        let json = [("Content-Type", "application/json; charset=utf-8")]
        #expect(
            try server.send("POST", "/v1/traces", Array("{}".utf8), headers: json).status == 200
        )
        #expect(
            try server.send("POST", "/v1/traces", Array("[]".utf8), headers: json).status == 400
        )
    }

    @Test func aNameMayHaveASlash() throws {
        let server = try LogServer()
        let line =
            #"{"trace_id":"\#(Self.trace)","span_id":"0000000000000001","name":"a","service":"team/api","start":1700000000,"attributes":{"app.io/name":"x"}}"#
        #expect(try server.post("/api/v1/spans", line).status == 200)
        let operations = try server.send("GET", "/api/services/team%2Fapi/operations", [])
        #expect(try operations.json()["data"]?.array?.first?.string == "a")
        let values = try server.send(
            "GET",
            "/api/v2/search/tag/span.app.io%2Fname/values?start=1699999999&end=1700000001",
            []
        )
        #expect(
            try values.json()["tagValues"]?.array?.first?["value"]?.string == "x"
        )
    }

    @Test func zipkinAndJaegerAreAccepted() throws {
        let server = try LogServer()
        let json = [("Content-Type", "application/json")]
        let span =
            #"{"traceId":"00000000000000ab","id":"0000000000000001","timestamp":1700000000000000}"#
        let zipkin = try server.post("/api/v2/spans", "[\(span)]", headers: json)
        #expect(zipkin.status == 202)
        #expect(zipkin.body.isEmpty)
        #expect(try server.post("/api/v2/spans", "[{}, \(span)]", headers: json).status == 202)
        #expect(try server.post("/api/v2/spans", "[{}]", headers: json).status == 400)
        #expect(try server.post("/api/v2/spans", "[{]", headers: json).status == 400)
        let thrift = [("Content-Type", "application/x-thrift")]
        let jaeger = try server.send("POST", "/api/traces", [0], headers: thrift)
        #expect(jaeger.status == 202)
        #expect(try server.send("POST", "/api/traces", [1, 2], headers: thrift).status == 400)
    }

    @Test func otlpIsAnsweredInItsOwnEncoding() throws {
        let server = try LogServer()
        let json = [("Content-Type", "application/json")]
        func body(_ spans: String) -> String {
            #"{"resourceSpans":[{"scopeSpans":[{"spans":[\#(spans)]}]}]}"#
        }
        let good =
            #"{"traceId":"\#(Self.trace)","spanId":"0000000000000001","startTimeUnixNano":"1700000000000000000"}"#
        let answer = try server.post("/v1/traces", body(good), headers: json)
        #expect(answer.status == 200)
        #expect(answer.text == "{}")
        let partial = try server.post("/v1/traces", body(good + ",{}"), headers: json)
        #expect(partial.status == 200)
        let reason = try partial.json()["partialSuccess"]
        #expect(reason?["rejectedSpans"]?.string == "1")
        #expect(reason?["errorMessage"]?.string == #"span 2: trace id: "" is no id; 1 refused"#)
        let bad = try server.send(
            "POST",
            "/v1/traces",
            [0xFF],
            headers: [("Content-Type", "application/x-protobuf")]
        )
        #expect(bad.status == 400)
        #expect(bad.header("content-type") == "application/x-protobuf")
    }
}
