import Testing
import WeirCore
import WeirHTTP
import WeirServer
import WeirTestSupport

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
}
