import Synchronization
import Testing
import WeirCore
import WeirHTTP
import WeirServer
import WeirSystem
import WeirTestSupport

/// What senders of logs are told while the disk is full, and after.
@Suite struct FullDiskTests {
    /// The host's files, of which none can be written while the disk is full.
    private final class Disk: FileSystem {
        private let host = HostFileSystem()
        let isFull = Atomic<Bool>(false)

        func openForWriting(_ path: String) throws(FileError) -> any File {
            DiskFile(try host.openForWriting(path), self)
        }
        func openForReading(_ path: String) throws(FileError) -> any File {
            try host.openForReading(path)
        }
        func createDirectories(_ path: String) throws(FileError) {
            try host.createDirectories(path)
        }
        func list(_ path: String) throws(FileError) -> [String] { try host.list(path) }
        func rename(_ source: String, to target: String) throws(FileError) {
            try host.rename(source, to: target)
        }
        func hardLink(_ source: String, to target: String) throws(FileError) {
            try host.hardLink(source, to: target)
        }
        func removeFile(_ path: String) throws(FileError) { try host.removeFile(path) }
        func removeDirectory(_ path: String) throws(FileError) { try host.removeDirectory(path) }
        func syncDirectory(_ path: String) throws(FileError) { try host.syncDirectory(path) }
        func exists(_ path: String) -> Bool { host.exists(path) }
        func space(at path: String) throws(FileError) -> DiskSpace { try host.space(at: path) }
    }

    private final class DiskFile: File {
        private let file: any File
        private let disk: Disk

        init(_ file: any File, _ disk: Disk) {
            self.file = file
            self.disk = disk
        }

        var path: String { file.path }
        func size() throws(FileError) -> Int { try file.size() }
        func read(at offset: Int, count: Int) throws(FileError) -> [UInt8] {
            try file.read(at: offset, count: count)
        }
        func write(_ bytes: [UInt8], at offset: Int) throws(FileError) {
            if disk.isFull.load(ordering: .relaxed) {
                throw FileError(.write, path: path, code: 28)
            }
            try file.write(bytes, at: offset)
        }
        func sync() throws(FileError) { try file.sync() }
        func truncate(to size: Int) throws(FileError) { try file.truncate(to: size) }
    }

    @Test func logsAreRefusedWhileTheDiskIsFullAndTakenAfterwards() throws {
        let folder = try TemporaryDirectory()
        let disk = Disk()
        var configuration = ServerConfiguration()
        configuration.data = "\(folder.path)/data"
        configuration.listen = "127.0.0.1:0"
        configuration.selfInterval = 0
        configuration.diskFreeBytesMin = 0
        let server = try WeirServer(configuration, fileSystem: disk) { _ in }
        defer { server.stop(drainSeconds: 0) }
        let http = HTTPClient()
        func post(_ path: String, _ body: String) throws -> HTTPClientResponse {
            try http.send(
                HTTPClientRequest(
                    method: "POST",
                    url: "http://\(server.address)\(path)",
                    headers: [(name: "Content-Type", value: "application/json")],
                    body: Array(body.utf8),
                    timeoutSeconds: 60
                )
            )
        }
        let requests = [
            ("/api/v1/logs", #"{"service":"x","msg":"lines"}"#),
            (
                "/loki/api/v1/push",
                #"{"streams":[{"stream":{"service":"x"},"values":[["1790000000000000000","loki"]]}]}"#
            ),
            (
                "/v1/logs",
                #"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a"}}]}]}]}"#
            ),
            ("/_bulk", "{\"index\":{\"_index\":\"x\"}}\n{\"message\":\"bulk\"}\n"),
        ]
        for (path, body) in requests {
            #expect(try (200..<300).contains(post(path, body).status), "\(path)")
        }
        disk.isFull.store(true, ordering: .relaxed)
        for (path, body) in requests {
            let response = try post(path, body)
            #expect(response.status == 507, "\(path): \(response.text)")
        }
        disk.isFull.store(false, ordering: .relaxed)
        for (path, body) in requests {
            #expect(try (200..<300).contains(post(path, body).status), "\(path)")
        }
        let rows = try http.send(
            HTTPClientRequest(
                method: "GET",
                url: "http://\(server.address)/api/v1/logs/query?query=%7B%7D&start=0",
                timeoutSeconds: 60
            )
        )
        // Each was taken before and after, and none in between.
        #expect(rows.body.split(separator: 0x0A).count == 8, "\(rows.text)")
    }

    /// What a target showed while the disk was full is lost, but not that it was.
    ///
    /// `up` says so once there is room, and the target's series have a gap.
    @Test func scrapesThatTheDiskRefusesShowAsFailed() throws {
        let target = try LogServer()
        let folder = try TemporaryDirectory()
        let path = "\(folder.path)/prometheus.yml"
        let file = try HostFileSystem().openForWriting(path)
        let text = """
            scrape_configs:
              - job_name: x
                scrape_interval: 200ms
                scrape_timeout: 200ms
                static_configs: [{targets: ["\(target.server.address)"]}]
            """
        try file.write(Array(text.utf8), at: 0)
        let disk = Disk()
        var configuration = ServerConfiguration()
        configuration.data = "\(folder.path)/data"
        configuration.listen = "127.0.0.1:0"
        configuration.selfInterval = 0
        configuration.diskFreeBytesMin = 0
        configuration.scrapeConfig = path
        let server = try WeirServer(configuration, fileSystem: disk) { _ in }
        defer { server.stop(drainSeconds: 0) }
        let http = HTTPClient()
        func value(_ query: String) throws -> Double? {
            let url =
                "http://\(server.address)/api/v1/query?query=\(PercentEncoding.encode(query))"
            let answer = try http.send(HTTPClientRequest(method: "GET", url: url))
            let result = try answer.json()["data"]?["result"]?.array?.first
            return (result?["value"]?.array?.last?.string).flatMap { Double($0) }
        }
        /// Asks until the answer is there, for a minute.
        func reaches(_ query: String) throws -> Bool {
            for _ in 0..<600 {
                if try value(query) != nil { return true }
                Thread.sleep(nanoseconds: 100_000_000)
            }
            return false
        }
        #expect(try reaches("count_over_time(up[5m]) > 2"))
        disk.isFull.store(true, ordering: .relaxed)
        #expect(try reaches("vector(1) and on() (time() - timestamp(up) > 2)"))
        disk.isFull.store(false, ordering: .relaxed)
        #expect(try reaches("min_over_time(up[5m]) == 0 and up == 1"))
        // The target's own series have fewer samples than there were scrapes.
        let scrapes = try #require(try value("count_over_time(up[5m])"))
        let failed = try #require(try value("count_over_time(up[5m]) - sum_over_time(up[5m])"))
        let own = "count_over_time(weir_query_duration_seconds_count[5m])"
        let samples = try #require(try value(own))
        #expect(failed > 1)
        #expect(samples <= scrapes - failed + 2)
    }
}
