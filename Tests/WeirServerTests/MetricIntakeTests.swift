import Testing
import WeirCore
import WeirHTTP
import WeirServer
import WeirSystem
import WeirWire

/// Remote write, text and metadata over HTTP.
@Suite struct MetricIntakeTests {
    private static let write = "/api/v1/write"
    private static let time: Int64 = 1_790_000_000_000

    private static func label(_ name: String, _ value: String) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.bytes(1, Array(name.utf8))
        writer.bytes(2, Array(value.utf8))
        return writer.bytes
    }

    private static func sample(_ value: Double) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.fixed64(1, value.bitPattern)
        writer.varint(2, UInt64(time))
        return writer.bytes
    }

    private static func series(_ name: String, _ value: Double) -> [UInt8] {
        var writer = ProtobufWriter()
        if !name.isEmpty { writer.bytes(1, label("__name__", name)) }
        writer.bytes(1, label("job", "x"))
        writer.bytes(2, sample(value))
        return writer.bytes
    }

    private static func request(_ series: [[UInt8]]) -> [UInt8] {
        var writer = ProtobufWriter()
        for one in series { writer.bytes(1, one) }
        return SnappyBlock.pack(writer.bytes)
    }

    private static func headers(
        _ type: String = "application/x-protobuf"
    ) -> [(String, String)] {
        [("Content-Type", type), ("Content-Encoding", "snappy")]
    }

    private static func value(_ server: LogServer, _ name: String) throws -> String? {
        let answer = try server.send("GET", "/api/v1/query?query=\(name)&time=1790000000")
        let result = try answer.json()["data"]?["result"]?.array?.first
        return result?["value"]?.array?.last?.string
    }

    @Test func goodSeriesAreKeptBesideBadOnes() throws {
        let server = try LogServer()
        let good = try server.send(
            "POST",
            Self.write,
            Self.request([Self.series("one", 1)]),
            headers: Self.headers()
        )
        #expect(good.status == 204)
        let partial = try server.send(
            "POST",
            Self.write,
            Self.request([Self.series("two", 2), Self.series("", 3), Self.series("four", 4)]),
            headers: Self.headers("application/x-protobuf;proto=prometheus.WriteRequest")
        )
        #expect(partial.status == 400)
        #expect(
            try partial.json()["reason"]?.string
                == "1 refused, 2 taken: series 2: the series has no metric name"
        )
        for (name, value) in [("one", "1"), ("two", "2"), ("four", "4")] {
            #expect(try Self.value(server, name) == value)
        }
    }

    @Test func versionTwoTellsWhatWasWritten() throws {
        let server = try LogServer()
        var writer = ProtobufWriter()
        for symbol in ["", "__name__", "a"] { writer.bytes(4, Array(symbol.utf8)) }
        for references in [[1, 2], [1, 9]] as [[UInt8]] {
            var series = ProtobufWriter()
            series.bytes(1, references)
            series.bytes(2, Self.sample(5))
            writer.bytes(5, series.bytes)
        }
        let answer = try server.send(
            "POST",
            Self.write,
            SnappyBlock.pack(writer.bytes),
            headers: Self.headers("application/x-protobuf;proto=io.prometheus.write.v2.Request")
        )
        #expect(answer.status == 400)
        let name = "X-Prometheus-Remote-Write"
        #expect(answer.header("\(name)-Samples-Written") == "1")
        #expect(answer.header("\(name)-Histograms-Written") == "0")
        #expect(answer.header("\(name)-Exemplars-Written") == "0")
        #expect(try Self.value(server, "a") == "5")
    }

    @Test(arguments: [
        ("application/json", "snappy", 415), ("text/plain", "snappy", 415),
        ("application/x-protobuf;proto=other", "snappy", 415),
        ("application/x-protobuf", "zstd", 415), ("application/x-protobuf", "snappy", 400),
    ])
    func whatIsNoRemoteWriteIsRefused(type: String, encoding: String, status: Int) throws {
        let server = try LogServer()
        let answer = try server.send(
            "POST",
            Self.write,
            [1, 2, 3],
            headers: [("Content-Type", type), ("Content-Encoding", encoding)]
        )
        #expect(answer.status == status)
    }

    @Test func textIsTakenAndItsBadLinesAreNamed() throws {
        let server = try LogServer()
        let path = "/api/v1/import/prometheus?extra_label=job%3Dx&timestamp=\(Self.time)"
        let text = "# TYPE one gauge\n# HELP one First\none 1\nbad\ntwo{job=\"own\"} 2\n"
        let answer = try server.post(path, text)
        #expect(answer.status == 400)
        let json = try answer.json()
        #expect(json["taken"]?.int == 2)
        #expect(json["lines"]?.array?.first?["line"]?.int == 4)
        #expect(try Self.value(server, "one%7Bjob=%22x%22%7D") == "1")
        #expect(try Self.value(server, "two%7Bjob=%22x%22%7D") == "2")
        let open = "three 3 1790000000.000\n# EOF\n"
        #expect(try server.post("/api/v1/import/prometheus", open).status == 204)
        #expect(try Self.value(server, "three") == "3")
        for bad in ["extra_label=x", "timestamp=x", "format=x"] {
            let path = "/api/v1/import/prometheus?\(bad)"
            #expect(try server.post(path, "a 1\n").status == 400)
        }
    }

    @Test func metadataIsAnsweredAsPrometheusDoes() throws {
        let server = try LogServer()
        let path = "/api/v1/import/prometheus"
        let text = "# TYPE a counter\n# HELP a First\na 1\n# TYPE b gauge\nb 1\n"
        #expect(try server.post(path, text).status == 204)
        #expect(try server.post(path, "# TYPE a counter\n# HELP a Other\na 1\n").status == 204)
        func data(_ query: String) throws -> String {
            let answer = try server.send("GET", "/api/v1/metadata\(query)")
            #expect(answer.status == 200)
            return answer.text
        }
        let first = #"{"type":"counter","help":"First","unit":""}"#
        let other = #"{"type":"counter","help":"Other","unit":""}"#
        let b = #""b":[{"type":"gauge","help":"","unit":""}]"#
        #expect(
            try data("") == #"{"status":"success","data":{"a":[\#(first),\#(other)],\#(b)}}"#
        )
        #expect(
            try data("?limit=1&limit_per_metric=1")
                == #"{"status":"success","data":{"a":[\#(first)]}}"#
        )
        #expect(try data("?metric=b") == #"{"status":"success","data":{\#(b)}}"#)
        #expect(try data("?metric=none") == #"{"status":"success","data":{}}"#)
        #expect(try server.send("GET", "/api/v1/metadata?limit=x").status == 400)
    }

    @Test func openTelemetryTellsMetadataToo() throws {
        let server = try LogServer()
        let now = HostClock().nowNanoseconds()
        let body =
            #"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"work.time","unit":"s","#
            + #""description":"How long","sum":{"isMonotonic":true,"aggregationTemporality":2,"#
            + #""dataPoints":[{"timeUnixNano":"\#(now)","asInt":"1"}]}}]}]}]}"#
        let answer = try server.post(
            "/v1/metrics",
            body,
            headers: [("Content-Type", "application/json")]
        )
        #expect(answer.status == 200)
        #expect(
            try server.send("GET", "/api/v1/metadata").text
                == #"{"status":"success","data":{"work_time_seconds_total":[{"type":"counter","#
                + #""help":"How long","unit":"seconds"}]}}"#
        )
    }

    @Test func exportsTellWhatIsWrong() throws {
        let server = try LogServer()
        for query in [
            "", "?match[]=%7B", "?match[]=a&format=x", "?match[]=a&start=x",
            "?match[]=a&start=2&end=1",
        ] {
            #expect(try server.send("GET", "/api/v1/export\(query)").status == 400, "\(query)")
        }
        #expect(
            try server.post("/api/v1/import/prometheus", "a{b=\"c\"} 1 5\na 2 6\n").status == 204
        )
        let json = try server.send("GET", "/api/v1/export?match[]=a&match[]=%7Bb=%22c%22%7D").text
        #expect(
            json == #"{"metric":{"__name__":"a"},"values":[2],"timestamps":[6]}"# + "\n"
                + #"{"metric":{"__name__":"a","b":"c"},"values":[1],"timestamps":[5]}"# + "\n"
        )
    }
}
