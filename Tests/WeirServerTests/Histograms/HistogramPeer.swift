import Glibc
import WeirCore
import WeirHTTP
import WeirTestSupport

/// A real Prometheus 3 that takes native histograms by remote write.
final class HistogramPeer {
    private static let program: String = {
        let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        return "/\(root)/.peers/bin/prometheus"
    }()

    private let child: ChildProcess
    private let folder: TemporaryFolder
    private let http = HTTPClient()
    private let port: UInt16

    /// Whether the program of `Scripts/peers.sh` is there.
    static var isThere: Bool { unsafe access(program, X_OK) == 0 }

    /// - Returns: Nil when it does not start.
    init?(configuration: String = "global: {}\n") {
        guard let folder = TemporaryFolder("histogram-peer") else { return nil }
        guard folder.write("prometheus.yml", Array(configuration.utf8)) != nil,
            let port = LoopbackHTTP.freePort(),
            let child = ChildProcess(
                Self.program,
                [
                    "--config.file=\(folder.path)/prometheus.yml",
                    "--storage.tsdb.path=\(folder.path)/data",
                    "--storage.tsdb.retention.time=100y",
                    "--web.listen-address=127.0.0.1:\(port)",
                    "--web.enable-remote-write-receiver",
                    "--enable-feature=native-histograms,promql-experimental-functions",
                    "--log.level=warn",
                ],
                outputPath: "\(folder.path)/prometheus.log"
            )
        else {
            folder.remove()
            return nil
        }
        self.folder = folder
        self.child = child
        self.port = port
        // Readiness has no event to wait for; a minute is far more than it ever takes.
        for _ in 0..<1200 where child.isRunning {
            if let answer = LoopbackHTTP.request(port: port, path: "/-/ready"),
                answer.status == 200
            {
                return
            }
            usleep(50000)
        }
        stop()
        return nil
    }

    func stop() {
        child.stop()
        folder.remove()
    }

    func write(_ request: [UInt8]) throws -> HTTPClientResponse {
        try http.send(
            HTTPClientRequest(
                method: "POST",
                url: "http://127.0.0.1:\(port)/api/v1/write",
                headers: [
                    ("Content-Type", "application/x-protobuf"), ("Content-Encoding", "snappy"),
                    ("X-Prometheus-Remote-Write-Version", "0.1.0"),
                ],
                body: Self.snappyBlock(request)
            )
        )
    }

    func ask(_ path: String, _ form: [(String, String)]) -> (status: Int, body: [UInt8])? {
        LoopbackHTTP.request(port: port, path: path, form: form)
    }

    /// Snappy's block format with nothing packed: literals of 60 bytes.
    private static func snappyBlock(_ bytes: [UInt8]) -> [UInt8] {
        var block: [UInt8] = []
        UInt64(bytes.count).appendVarint(to: &block)
        for start in stride(from: 0, to: bytes.count, by: 60) {
            let part = bytes[start..<min(start + 60, bytes.count)]
            block.append(UInt8(part.count - 1) << 2)
            block.append(contentsOf: part)
        }
        return block
    }
}
