import Testing
import WeirCore
import WeirHTTP
import WeirSystem
import WeirTestSupport

/// A running Prometheus, killed with the value at the latest.
final class PrometheusProcess {
    let base: String
    private let process: ChildProcess
    private let logPath: String

    var log: String {
        let bytes = (try? HostFileSystem().readFile(logPath, bytesMax: 64 << 20)) ?? []
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let root: String = {
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        return parts.dropLast(3).joined(separator: "/")
    }()

    /// What `Scripts/peers.sh` fetched; nil where it could not.
    static func peer(_ name: String) -> String? {
        let path = "\(root)/.peers/bin/\(name)"
        return HostFileSystem().exists(path) ? path : nil
    }

    /// The installed one; nil where there is none.
    static var installed: String? {
        HostFileSystem().exists("/usr/bin/prometheus") ? "/usr/bin/prometheus" : nil
    }

    /// Starts `program` with its data and its log in `folder`, and returns when it is ready.
    ///
    /// In `configuration`, `SELF` stands for its own address.
    init(
        _ program: String,
        folder: String,
        configuration: String,
        _ arguments: [String] = []
    ) throws {
        let port = try #require(LoopbackHTTP.freePort())
        let address = "127.0.0.1:\(port)"
        base = "http://\(address)"
        try HostFileSystem().createDirectories(folder)
        try HostFileSystem().writeFileAtomically(
            Array(configuration.split(separator: "SELF").joined(separator: address).utf8),
            to: "\(folder)/prometheus.yml",
            inDirectory: folder
        )
        logPath = "\(folder)/log"
        process = try #require(
            ChildProcess(
                program,
                [
                    "--config.file=\(folder)/prometheus.yml", "--storage.tsdb.path=\(folder)/data",
                    "--web.listen-address=\(address)",
                ] + arguments,
                outputPath: logPath
            )
        )
        let client = WeirClient(base)
        try EndToEnd.eventually("Prometheus is ready", seconds: 60) {
            guard process.isRunning else { return true }
            return (try? client.get("/-/ready").status) == 200
        }
        try #require(process.isRunning, "Prometheus ended: \(log)")
    }

    deinit { process.stop() }

    /// Asks it to stop, and waits.
    func terminate() {
        process.send(signal: 15)
        process.wait()
    }
}
