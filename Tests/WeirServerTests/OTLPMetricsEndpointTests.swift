import Testing
import WeirCore
import WeirHTTP
import WeirServer
import WeirSystem

/// `POST /v1/metrics`, as exporters call it.
@Suite struct OTLPMetricsEndpointTests {
    private static let json = [("Content-Type", "application/json")]
    private static let second: Int64 = 1_000_000_000

    private static func body(_ points: [String], kind: String = "sum", more: String = "") -> String
    {
        #"{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":"#
            + #"{"stringValue":"web"}}]},"scopeMetrics":[{"metrics":[{"name":"hits","\#(kind)":{"#
            + #"\#(more)"dataPoints":[\#(points.joined(separator: ","))]}}]}]}]}"#
    }

    private static func point(_ start: Int64, _ time: Int64, _ value: Int) -> String {
        #"{"startTimeUnixNano":"\#(start)","timeUnixNano":"\#(time)","asInt":"\#(value)"}"#
    }

    private static func value(_ server: LogServer, _ name: String) throws -> String? {
        let answer = try server.send(
            "GET",
            "/api/v1/query?query=last_over_time(\(name)%7Bjob%3D%22web%22%7D%5B1h%5D)"
        )
        let result = try answer.json()["data"]?["result"]?.array?.first
        return result?["value"]?.array?.last?.string
    }

    @Test func pointsAreTakenAndRefusedByName() throws {
        let server = try LogServer()
        let now = HostClock().nowNanoseconds()
        let good = Self.point(now - 60 * Self.second, now, 3)
        let answer = try server.post("/v1/metrics", Self.body([good]), headers: Self.json)
        #expect(answer.status == 200)
        #expect(answer.text == "{}")
        let partial = try server.post(
            "/v1/metrics",
            Self.body([Self.point(0, now + 1, 4), #"{"timeUnixNano":"1"}"#, "{}"]),
            headers: Self.json
        )
        #expect(partial.status == 200)
        let reason = try partial.json()["partialSuccess"]
        #expect(reason?["rejectedDataPoints"]?.string == "2")
        #expect(
            reason?["errorMessage"]?.string == "hits: the point has no value; 2 refused"
        )
        #expect(try Self.value(server, "hits") == "4")
        for bad in ["{", "[]", #"{"resourceSpans":[]}"#] {
            #expect(try server.post("/v1/metrics", bad, headers: Self.json).status == 400)
        }
        let protobuf = [("Content-Type", "application/x-protobuf")]
        let damaged = try server.send("POST", "/v1/metrics", [10, 200], headers: protobuf)
        #expect(damaged.status == 400)
        #expect(try server.send("POST", "/v1/metrics", [], headers: protobuf).status == 200)
    }

    /// An exponential histogram is answered as a native one; sent again under its id, its delta is
    /// added once.
    @Test func exponentialHistogramsAreNative() throws {
        let server = try LogServer()
        let start = HostClock().nowNanoseconds() - 100 * Self.second
        func send(_ from: Int64, _ to: Int64, id: String) throws {
            let point =
                #"{"startTimeUnixNano":"\#(start + from * Self.second)","timeUnixNano":"#
                + #""\#(start + to * Self.second)","count":4,"sum":2.5,"scale":0,"zeroCount":1,"#
                + #""positive":{"offset":-1,"bucketCounts":[1,2]}}"#
            let answer = try server.post(
                "/v1/metrics",
                Self.body(
                    [point],
                    kind: "exponentialHistogram",
                    more: #""aggregationTemporality":1,"#
                ),
                headers: Self.json + [("X-Weir-Batch-Id", id)]
            )
            #expect(answer.status == 200, "\(answer.text)")
        }
        try send(0, 10, id: "a")
        try send(10, 20, id: "b")
        try send(0, 10, id: "a")
        let answer = try server.send(
            "GET",
            "/api/v1/query?query=last_over_time(hits%7Bjob%3D%22web%22%7D%5B1h%5D)"
        )
        #expect(
            answer.text.contains(
                #"{"count":"8","sum":"5","buckets":[[3,"-1e-128","1e-128","2"],"#
                    + #"[0,"0.5","1","2"],[0,"1","2","4"]]}"#
            ),
            "\(answer.text)"
        )
    }

    /// A batch that is sent again under its id is stored once, and added once.
    @Test func deltaOfABatchThatComesAgainIsAddedOnce() throws {
        let server = try LogServer()
        let start = HostClock().nowNanoseconds() - 100 * Self.second
        func send(_ from: Int64, _ to: Int64, _ value: Int, id: String) throws {
            let answer = try server.post(
                "/v1/metrics",
                Self.body(
                    [
                        Self.point(
                            start + from * Self.second,
                            start + to * Self.second,
                            value
                        )
                    ],
                    more: #""aggregationTemporality":1,"isMonotonic":true,"#
                ),
                headers: Self.json + [("X-Weir-Batch-Id", id)]
            )
            #expect(answer.status == 200)
        }
        try send(0, 10, 5, id: "a")
        try send(10, 20, 2, id: "b")
        try send(0, 10, 5, id: "a")
        #expect(try Self.value(server, "hits_total") == "7")
        try send(20, 30, 1, id: "c")
        #expect(try Self.value(server, "hits_total") == "8")
    }
}
