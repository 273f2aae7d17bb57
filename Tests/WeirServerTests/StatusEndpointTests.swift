import Testing
import WeirCore
import WeirHTTP
import WeirServer
import WeirSystem
import WeirTestSupport

/// `/api/v1/status/…`: what costs, and the queries.
@Suite struct StatusEndpointTests {
    private static func server(
        _ configure: (inout ServerConfiguration) -> Void = { _ in }
    ) throws -> LogServer {
        let server = try LogServer(configure)
        let text = """
            a{host="x"} 1 1790000000000
            a{host="y"} 2 1790000000000
            b{host="x"} 3 1790000060000

            """
        #expect(try server.post("/api/v1/import/prometheus", text).status == 204)
        return server
    }

    private static func get(_ server: LogServer, _ path: String) throws -> JSONValue {
        try server.send("GET", path).json()
    }

    private static func list(_ value: JSONValue?) -> [String] {
        (value?.array ?? []).map { "\($0["name"]?.string ?? "") \($0["value"]?.int ?? -1)" }
    }

    @Test func tsdbStatusHasPrometheusShape() throws {
        let server = try Self.server()
        let data = try #require(try Self.get(server, "/api/v1/status/tsdb?limit=2")["data"])
        #expect(
            (data.members ?? []).map(\.key) == [
                "headStats", "seriesCountByMetricName", "labelValueCountByLabelName",
                "memoryInBytesByLabelName", "seriesCountByLabelValuePair",
            ]
        )
        #expect(
            (data["headStats"]?.members ?? []).map(\.key) == [
                "numSeries", "numLabelPairs", "chunkCount", "minTime", "maxTime",
            ]
        )
        #expect(data["headStats"]?["numSeries"]?.int == 3)
        #expect(data["headStats"]?["numLabelPairs"]?.int == 4)
        #expect(data["headStats"]?["minTime"]?.int == 1_790_000_000_000)
        #expect(data["headStats"]?["maxTime"]?.int == 1_790_000_060_000)
        #expect(Self.list(data["seriesCountByMetricName"]) == ["a 2", "b 1"])
        #expect(Self.list(data["labelValueCountByLabelName"]) == ["__name__ 2", "host 2"])
        #expect(Self.list(data["memoryInBytesByLabelName"]) == ["__name__ 3", "host 3"])
        #expect(Self.list(data["seriesCountByLabelValuePair"]) == ["__name__=a 2", "host=x 2"])
        #expect(try server.send("GET", "/api/v1/status/tsdb?limit=0").status == 400)
    }

    @Test func metricsThatNoQueryReadAreNamed() throws {
        let server = try Self.server()
        func unread() throws -> [String] {
            let answer = try Self.get(server, "/api/v1/status/cardinality")
            return Self.list(answer["data"]?["unread"]?["top"])
        }
        #expect(try unread() == ["a 2", "b 1"])
        // To look a series up is not to read it.
        _ = try Self.get(server, "/api/v1/series?match[]=b")
        #expect(try unread() == ["a 2", "b 1"])
        _ = try Self.get(server, "/api/v1/query?query=a&time=1790000000")
        #expect(try unread() == ["b 1"])
        let churn = try Self.get(server, "/api/v1/status/cardinality")["data"]?["churn"]
        #expect(churn?["begunInHour"]?.int == 3)
        #expect(churn?["endedInHour"]?.int == 0)
    }

    @Test func queriesAreCountedAndLogged() throws {
        let folder = try TemporaryDirectory()
        let path = "\(folder.path)/queries.log"
        let server = try Self.server { $0.queryLog = path }
        // Rows in memory are not counted.
        #expect(try server.post("/api/v1/admin/flush", "").status == 200)
        for _ in 0..<3 { _ = try Self.get(server, "/api/v1/query?query=a&time=1790000000") }
        _ = try Self.get(
            server,
            "/api/v1/query_range?query=b&start=1790000000&end=1790003600&step=60"
        )
        let top = try Self.get(server, "/api/v1/status/top_queries?topN=1&maxLifetime=1h")
        #expect(top["status"]?.string == "ok" && top["topN"]?.string == "1")
        let first = top["topByCount"]?.array?.first
        #expect(first?["query"]?.string == "a" && first?["count"]?.int == 3)
        #expect(first?["timeRangeSeconds"]?.int == 0)
        #expect(top["topByCount"]?.array?.count == 1)
        let files = HostFileSystem()
        func lines(_ path: String) throws -> [JSONValue] {
            let bytes = try files.readFile(path, bytesMax: 1 << 20)
            return try bytes.split(separator: 0x0A).map { try JSONParser.parse(Array($0)) }
        }
        let logged = try lines(path)
        #expect(logged.map { $0["params"]?["query"]?.string } == ["a", "a", "a", "b"])
        #expect(logged[3]["params"]?["step"]?.string == "60")
        #expect(logged[3]["httpRequest"]?["path"]?.string == "/api/v1/query_range")
        // The rows of the one block.
        #expect(logged[0]["stats"]?["samples"]?["totalQueryableSamples"]?.int == 3)
        // As logrotate does: moved away, and told.
        try files.rename(path, to: "\(path).1")
        server.server.reload()
        _ = try Self.get(server, "/api/v1/query?query=up")
        #expect(try lines("\(path).1").count == 4)
        #expect(try lines(path).map { $0["params"]?["query"]?.string } == ["up"])
    }

    @Test func aQueryThatIsNotThereCannotBeCancelled() throws {
        let server = try Self.server()
        let active = try Self.get(server, "/api/v1/status/active_queries")
        #expect(active["data"]?.array?.isEmpty == true)
        for id in ["7", "x", ""] {
            let answer = try server.post("/api/v1/admin/queries/cancel?id=\(id)", "")
            #expect(answer.status == 404)
        }
    }

    @Test func settingsAndProcessAreTold() throws {
        let server = try Self.server()
        let flags = try Self.get(server, "/api/v1/status/flags")["data"]
        #expect(flags?["admin-api"]?.string == "false")
        let yaml = try Self.get(server, "/api/v1/status/config")["data"]?["yaml"]?.string
        #expect(yaml?.contains("admin-api") == true)
        let info = try Self.get(server, "/api/v1/status/runtimeinfo")["data"]
        #expect(info?["startTime"]?.string?.isEmpty == false)
        #expect(info?["corruptionCount"]?.int == 0)
    }
}
