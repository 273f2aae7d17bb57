import Testing
import WeirCore
import WeirHTTP
import WeirServer
import WeirSystem

/// Prometheus's `/api/v1/admin/tsdb`.
@Suite struct AdminTSDBTests {
    private static let path = "/api/v1/admin/tsdb"

    private static func server(_ isOn: Bool = true) throws -> LogServer {
        let server = try LogServer { $0.hasAdminAPI = isOn }
        let text = """
            a{host="x"} 1 1790000000000
            a{host="y"} 2 1790000000000
            b{host="x"} 3 1790000000000

            """
        #expect(try server.post("/api/v1/import/prometheus", text).status == 204)
        return server
    }

    private static func names(_ server: LogServer) throws -> [String] {
        let answer = try server.send("GET", "/api/v1/series?match[]={host=~\".%2B\"}").json()
        return (answer["data"]?.array ?? []).map {
            "\($0["__name__"]?.string ?? "") \($0["host"]?.string ?? "")"
        }
    }

    @Test func nothingIsAnsweredWithoutTheSwitch() throws {
        let server = try Self.server(false)
        for action in ["delete_series?match[]=a", "clean_tombstones", "snapshot"] {
            let answer = try server.post("\(Self.path)/\(action)", "")
            #expect(answer.status == 503)
            #expect(try answer.json()["errorType"]?.string == "unavailable")
            #expect(try answer.json()["error"]?.string == "admin APIs disabled")
        }
        #expect(try Self.names(server).count == 3)
    }

    @Test func deletedSeriesAreGoneAndCounted() throws {
        let server = try Self.server()
        let answer = try server.post(
            "\(Self.path)/delete_series?match[]=a{host=\"x\"}&match[]=b&receipt=1",
            ""
        )
        #expect(answer.status == 200)
        let receipt = try answer.json()["data"]
        #expect(receipt?["series"]?.int == 2)
        #expect(receipt?["rows"]?.int == 2)
        #expect(receipt?["rowsBySignal"]?["metrics"]?.int == 2)
        #expect(receipt?["segmentsRewritten"]?.int == 1)
        #expect(try Self.names(server) == ["a y"])
        let bare = try server.send("PUT", "\(Self.path)/delete_series?match[]=a")
        #expect(bare.status == 204 && bare.body.isEmpty)
        #expect(try Self.names(server).isEmpty)
        #expect(try server.post("\(Self.path)/clean_tombstones", "").status == 204)
    }

    @Test func badRequestsAreRefusedAsPrometheusDoes() throws {
        let server = try Self.server()
        for (query, error) in [
            ("", "no match[] parameter provided"),
            (
                "?match[]=a&start=yesterday",
                "invalid parameter \"start\": invalid time value for 'start': "
                    + "cannot parse \"yesterday\" to a valid timestamp"
            ),
        ] {
            let answer = try server.post("\(Self.path)/delete_series\(query)", "")
            #expect(answer.status == 400)
            #expect(try answer.json()["errorType"]?.string == "bad_data")
            #expect(try answer.json()["error"]?.string == error)
        }
        #expect(try server.post("\(Self.path)/delete_series?match[]=a{", "").status == 400)
        #expect(try Self.names(server).count == 3)
    }

    @Test func aSnapshotIsNamedAndThere() throws {
        let server = try Self.server()
        let answer = try server.post("\(Self.path)/snapshot", "")
        #expect(answer.status == 200)
        let name = try #require(try answer.json()["data"]?["name"]?.string)
        let parts = name.split(separator: "-")
        #expect(parts.count == 2 && parts[0].utf8.count == 16 && parts[1].utf8.count == 16)
        #expect(HostFileSystem().exists("\(server.dataFolder)/snapshots/\(name)/catalog.sqlite"))
        #expect(try answer.json()["warnings"] == nil)
    }

    @Test func aSnapshotNamesWhatIsSetAside() throws {
        let server = try Self.server()
        #expect(try server.post("/api/v1/admin/flush", "").status == 200)
        let host = HostFileSystem()
        let root = "\(server.dataFolder)/data/default/metrics"
        let day = try #require(try host.list(root).first)
        let name = try #require(try host.list("\(root)/\(day)").first)
        let file = try host.openForWriting("\(root)/\(day)/\(name)")
        try file.write([UInt8](repeating: 0, count: try file.size() / 2), at: 0)
        _ = try Self.names(server)
        _ = try server.send("GET", "/api/v1/query?query=a&time=1790000000")
        let path = "data/default/metrics/\(day)/\(name)"
        let answer = try server.post("\(Self.path)/snapshot", "")
        #expect(answer.status == 200)
        let warnings = try answer.json()["warnings"]?.array?.compactMap(\.string) ?? []
        #expect(warnings.count == 1)
        #expect(warnings.first?.hasPrefix("\(path) is set aside, and in the snapshot") == true)
        let target = "\(server.dataFolder)-copy"
        let other = try server.post("/api/v1/admin/snapshot?directory=\(target)", "")
        #expect(try other.json()["warnings"]?.array?.compactMap(\.string) == warnings)
    }
}
