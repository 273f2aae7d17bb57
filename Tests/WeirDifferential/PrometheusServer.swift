internal import Glibc
internal import WeirCore
internal import WeirTestSupport

/// A real Prometheus on a free port, over data that was written to it.
package final class PrometheusServer {
    /// Which Prometheus there is.
    package struct Program: Sendable {
        package let path: String
        /// Version 3, with its features; else Debian's 2.42.
        package let isVersion3: Bool

        /// The one below `.peers`, else the installed one.
        package static func find(below folder: String) -> Self? {
            let peer = "\(folder)/.peers/bin/prometheus"
            if unsafe access(peer, X_OK) == 0 { return Self(path: peer, isVersion3: true) }
            let installed = "/usr/bin/prometheus"
            if unsafe access(installed, X_OK) == 0 {
                return Self(path: installed, isVersion3: false)
            }
            return nil
        }
    }

    private let child: ChildProcess
    private let folder: TemporaryFolder
    package let port: UInt16

    /// - Returns: Nil when any of it fails.
    package init?(_ program: Program, series: [ArraySource.Series]) {
        guard let folder = TemporaryFolder("differential") else { return nil }
        let configuration = "storage:\n  tsdb:\n    out_of_order_time_window: 30d\n"
        guard folder.write("prometheus.yml", Array(configuration.utf8)) != nil,
            let (child, port) = Self.start(program, in: folder)
        else {
            folder.remove()
            return nil
        }
        self.folder = folder
        self.child = child
        self.port = port
        for body in RemoteWriteBody.all(series) {
            let answer = LoopbackHTTP.request(
                port: port,
                path: "/api/v1/write",
                headers: [
                    ("Content-Encoding", "snappy"), ("Content-Type", "application/x-protobuf"),
                    ("X-Prometheus-Remote-Write-Version", "0.1.0"),
                ],
                body: body
            )
            if answer?.status == 204 { continue }
            let text = answer.map { String(decoding: $0.body, as: UTF8.self) } ?? "no answer"
            print("prometheus did not take the data: \(text)")
            stop()
            return nil
        }
    }

    /// A free port may be taken before the server listens on it, so this is tried a few times.
    private static func start(
        _ program: Program,
        in folder: TemporaryFolder
    ) -> (ChildProcess, UInt16)? {
        var arguments = [
            "--config.file=\(folder.path)/prometheus.yml",
            "--storage.tsdb.path=\(folder.path)/data",
            "--storage.tsdb.retention.time=100y",
            "--web.enable-remote-write-receiver",
            "--log.level=error",
        ]
        if program.isVersion3 {
            arguments.append(
                "--enable-feature=native-histograms,promql-experimental-functions"
            )
        }
        for _ in 0..<4 {
            guard let port = LoopbackHTTP.freePort(),
                let child = ChildProcess(
                    program.path,
                    arguments + ["--web.listen-address=127.0.0.1:\(port)"],
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

    package func stop() {
        child.stop()
        folder.remove()
    }

    package func ask(
        _ path: String,
        _ form: [(String, String)]
    ) -> (status: Int, body: [UInt8])? {
        LoopbackHTTP.request(port: port, path: path, form: form)
    }
}
