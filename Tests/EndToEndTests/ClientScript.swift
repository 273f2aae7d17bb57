import Testing
import WeirSystem
import WeirTestSupport

extension EndToEnd {
    /// Scripts of `Clients/`, run in the environment of `Scripts/client-venv.sh`.
    enum ClientScript {
        /// `WEIR_SKIP_CLIENTS=1` leaves the real clients out where there is no way to PyPI.
        static var isSkipped: Bool { EndToEnd.environment("WEIR_SKIP_CLIENTS") == "1" }

        private static let root: String = {
            let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
            return parts.dropLast(3).joined(separator: "/")
        }()

        /// Runs a script to its end; throws what it wrote when it failed.
        static func run(_ script: String, _ arguments: [String]) throws {
            let folder = try TemporaryDirectory()
            let command = """
                '\(root)/Scripts/client-venv.sh' && exec '\(root)/.venv/bin/python' \
                '\(root)/Tests/EndToEndTests/Clients/\(script)' \(arguments.joined(separator: " "))
                """
            var environment = ["LC_ALL=C.UTF-8", "HOME=/tmp", "PYTHONDONTWRITEBYTECODE=1"]
            for name in ["PATH", "PIP_INDEX_URL", "HTTPS_PROXY", "https_proxy", "PIP_CERT"] {
                if let value = EndToEnd.environment(name) { environment.append("\(name)=\(value)") }
            }
            let process = try #require(
                ChildProcess(
                    "/bin/sh",
                    ["-c", command],
                    environment: environment,
                    outputPath: "\(folder.path)/output"
                )
            )
            let code = process.wait()
            let output = try HostFileSystem().readFile(
                "\(folder.path)/output",
                bytesMax: 1 << 20
            )
            try #require(
                code == 0,
                "\(script): exit \(code); WEIR_SKIP_CLIENTS=1 leaves these tests out: \(String(decoding: output, as: UTF8.self))"
            )
        }
    }
}
