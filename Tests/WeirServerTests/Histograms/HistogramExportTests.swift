import Testing
import WeirCore
import WeirHTTP
import WeirServer
import WeirTestSupport
import WeirWire

/// Native histograms that are exported and imported again are the same.
@Suite struct HistogramExportTests {
    @Test func exportedHistogramsComeBack() throws {
        let first = try LogServer { configuration in
            do {
                try HistogramComparisonTests.fill(configuration, HistogramData(seed: 9).batches())
            } catch {
                Issue.record("\(error)")
            }
        }
        let path = "/api/v1/export?match[]={__name__!=\"\"}&match[]=requests&format=prometheus"
        let text = try first.send("GET", path).body
        let lines = text.split(separator: 0x0A)
        #expect(lines.filter { $0.contains(UInt8(ascii: "[")) }.count > 1000)
        let second = try LogServer()
        let taken = try second.send("POST", "/api/v1/import/prometheus", text)
        #expect(taken.status == 204, "\(String(decoding: taken.body.prefix(500), as: UTF8.self))")
        let again = try second.send("GET", path).body
        #expect(again == text)
        // Stale markers have no text; windows do not look at them.
        func asked(_ server: LogServer) throws -> JSONValue? {
            let answer = try #require(
                LoopbackHTTP.request(
                    port: UInt16(server.server.port),
                    path: "/api/v1/query_range",
                    form: [
                        ("query", "rate(requests[2m])"), ("start", "1700000000"),
                        ("end", "1700002390"), ("step", "90"),
                    ]
                )
            )
            return try JSONParser.parse(answer.body)["data"]?["result"]
        }
        let rates = try #require(try asked(first))
        #expect(rates.array?.isEmpty == false)
        #expect(try asked(second) == rates)
        for format in ["json", "openmetrics", "line"] {
            let other = try first.send(
                "GET",
                "/api/v1/export?match[]=requests&format=\(format)"
            )
            #expect(other.status == 200)
            #expect(!other.body.contains(UInt8(ascii: "[")) || format == "json")
        }
    }

    private static func server(memory: Int) throws -> LogServer {
        try LogServer { configuration in
            configuration.queryMemoryBytesMax = memory
            do {
                try HistogramComparisonTests.fill(configuration, HistogramData(seed: 9).batches())
            } catch {
                Issue.record("\(error)")
            }
        }
    }

    /// Whole, or less than that.
    private static func exported(_ server: LogServer) -> [UInt8] {
        let path = "/api/v1/export?match[]=requests&format=prometheus"
        return (try? server.send("GET", path).body) ?? []
    }

    @Test func exportsTakeNoMoreThanAQueryMay() throws {
        let whole = Self.exported(try Self.server(memory: 1 << 30))
        #expect(whole.count > 100_000)
        // A series at a time.
        #expect(try Self.exported(Self.server(memory: 1 << 20)) == whole)
        #expect(try Self.exported(Self.server(memory: 8 << 10)).count < whole.count)
    }

    /// Asks for all of `requests`, with chunks or samples.
    private static func remoteRead(
        _ server: LogServer,
        _ type: UInt64
    ) throws -> (status: Int, body: [UInt8]) {
        var matcher = ProtobufWriter()
        matcher.varint(1, 0)
        matcher.bytes(2, Array("__name__".utf8))
        matcher.bytes(3, Array("requests".utf8))
        var query = ProtobufWriter()
        query.varint(1, UInt64(HistogramData.start))
        query.varint(2, UInt64(HistogramData.start + 3_600_000))
        query.bytes(3, matcher.bytes)
        var request = ProtobufWriter()
        request.bytes(1, query.bytes)
        request.varint(2, type)
        let answer = try #require(
            LoopbackHTTP.request(
                port: UInt16(server.server.port),
                path: "/api/v1/read",
                headers: [],
                body: SnappyBlock.pack(request.bytes)
            )
        )
        return (answer.status, answer.body)
    }

    @Test(arguments: [UInt64(0), 1])
    func remoteReadTakesNoMoreThanAQueryMay(type: UInt64) throws {
        let whole = try Self.remoteRead(try Self.server(memory: 64 << 20), type)
        #expect(whole.status == 200 && whole.body.count > 10_000)
        let refused = try Self.remoteRead(try Self.server(memory: 128 << 10), type)
        #expect(refused.status == 400)
        #expect(String(decoding: refused.body, as: UTF8.self).contains("query memory bytes"))
    }
}
