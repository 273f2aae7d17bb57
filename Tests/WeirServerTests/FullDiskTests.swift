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
}
