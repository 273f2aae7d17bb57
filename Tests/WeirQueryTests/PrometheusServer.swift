import Glibc
import WeirCore
import WeirTestSupport

/// Debian's Prometheus on a free port, over data that was back-filled into it.
final class PrometheusServer {
    static let program = "/usr/bin/prometheus"
    static let tool = "/usr/bin/promtool"
    private let child: ChildProcess
    private let folder: TemporaryFolder
    let port: UInt16

    static var isInstalled: Bool {
        unsafe access(program, X_OK) == 0 && access(tool, X_OK) == 0
    }

    /// - Returns: Nil when any of it fails.
    init?(openMetrics: [UInt8]) {
        guard let folder = TemporaryFolder("differential") else { return nil }
        guard let text = folder.write("data.txt", openMetrics),
            folder.write("prometheus.yml", Array("global: {}\n".utf8)) != nil,
            let fill = ChildProcess(
                Self.tool,
                ["tsdb", "create-blocks-from", "openmetrics", text, "\(folder.path)/data"],
                outputPath: "\(folder.path)/promtool.log"
            ), fill.wait() == 0, let (child, port) = Self.start(in: folder)
        else {
            folder.remove()
            return nil
        }
        self.folder = folder
        self.child = child
        self.port = port
    }

    /// A free port may be taken before the server listens on it, so this is tried a few times.
    private static func start(in folder: TemporaryFolder) -> (ChildProcess, UInt16)? {
        for _ in 0..<4 {
            guard let port = LoopbackHTTP.freePort(),
                let child = ChildProcess(
                    Self.program,
                    [
                        "--config.file=\(folder.path)/prometheus.yml",
                        "--storage.tsdb.path=\(folder.path)/data",
                        "--storage.tsdb.retention.time=100y",
                        "--web.listen-address=127.0.0.1:\(port)",
                        "--log.level=warn",
                    ],
                    outputPath: "\(folder.path)/prometheus.log"
                )
            else { return nil }
            // Readiness has no event to wait for; a minute is far more than it ever takes.
            for _ in 0..<1200 where child.isRunning {
                if let answer = LoopbackHTTP.request(port: port, path: "/-/ready"),
                    answer.status == 200
                {
                    return (child, port)
                }
                usleep(50000)
            }
            child.stop()
        }
        return nil
    }

    func stop() {
        child.stop()
        folder.remove()
    }

    func ask(_ path: String, _ form: [(String, String)]) -> (status: Int, body: [UInt8])? {
        LoopbackHTTP.request(port: port, path: path, form: form)
    }
}
