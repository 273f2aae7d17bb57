import Testing
import WeirCore
import WeirHTTP
import WeirSystem
import WeirTestSupport

extension EndToEnd {
    /// `weir import` and `weir export` with files of Prometheus's own tools.
    @Suite struct ImportTests {
        private static func isMissing(_ name: String) -> Bool {
            PrometheusProcess.peer(name) == nil
        }

        /// A program's output in a file.
        private static func run(_ program: String, _ arguments: [String], to path: String) throws {
            let process = try #require(ChildProcess(program, arguments, outputPath: path))
            let code = process.wait()
            try #require(code == 0, "\(program) \(arguments): exit \(code)")
        }

        /// All samples of `up` and of the scrape's own series, as the server has them.
        private static func export(_ base: String, to path: String) throws -> [UInt8] {
            let result = try EndToEnd.run(
                ["export", "{__name__=~\"up|scrape_.*|go_gc_duration_seconds\"}", "--base", base],
                outputPath: path
            )
            try #require(result.code == 0, "\(result.output)")
            return Array(result.output.utf8)
        }

        @Test(.disabled(if: isMissing("promtool") || isMissing("prometheus")))
        func dumpsOfPrometheusComeBackWhole() throws {
            let folder = try TemporaryDirectory()
            let prometheus = try PrometheusProcess(
                #require(PrometheusProcess.peer("prometheus")),
                folder: "\(folder.path)/prometheus",
                configuration: """
                    global: {scrape_interval: 1s}
                    scrape_configs:
                      - {job_name: self, static_configs: [{targets: ['SELF']}]}
                    """
            )
            let source = WeirClient(prometheus.base)
            var end: Int64 = 0
            try EndToEnd.eventually("five scrapes are there") {
                end = HostClock().nowNanoseconds() / 1_000_000
                return try source.samples("up[1m]", atMilliseconds: end).count >= 5
            }
            func values(_ client: WeirClient) throws -> [String: [String]] {
                var found: [String: [String]] = [:]
                let query = "{job=\"self\"}[1m]"
                for series in try client.query(query, atMilliseconds: end - 500) {
                    let labels = (series["metric"]?.members ?? []).map {
                        ($0.key, $0.value.string ?? "")
                    }
                    found[Labels(labels).description] = (series["values"]?.array ?? []).map {
                        "\($0.array?.first?.double ?? 0) \($0.array?.last?.string ?? "")"
                    }
                }
                return found
            }
            let expected = try values(source)
            #expect(expected.count > 300)
            prometheus.terminate()
            let promtool = try #require(PrometheusProcess.peer("promtool"))
            for command in ["dump", "dump-openmetrics"] {
                let file = "\(folder.path)/\(command).txt"
                let data = "\(folder.path)/prometheus/data"
                try Self.run(promtool, ["tsdb", command, data], to: file)
                let server = try WeirProcess(data: "\(folder.path)/\(command)")
                let result = try EndToEnd.run(
                    ["import", file, "--base", server.base],
                    outputPath: "\(folder.path)/output"
                )
                #expect(result.code == 0, "\(command): \(result.output)")
                let found = try values(WeirClient(server))
                #expect(found.count == expected.count, "\(command)")
                for (labels, samples) in expected { #expect(found[labels] == samples, "\(labels)") }
                try Self.roundTrip(server, folder.path, promtool)
            }
        }

        /// What a server gives out, another takes in, and gives out the same; Prometheus's own tool makes
        /// blocks of it.
        private static func roundTrip(
            _ server: WeirProcess,
            _ folder: String,
            _ promtool: String
        ) throws {
            let before = try export(server.base, to: "\(folder)/before.json")
            #expect(before.count > 500)
            for format in ["openmetrics", "prometheus", "line"] {
                let file = "\(folder)/export.\(format)"
                let written = try EndToEnd.run(
                    ["export", "--format", format, "--base", server.base],
                    outputPath: file
                )
                try #require(written.code == 0, "\(written.output)")
                if format == "openmetrics" {
                    try run(
                        promtool,
                        [
                            "tsdb", "create-blocks-from", "openmetrics", file,
                            "\(folder)/blocks-\(server.identifier)",
                        ],
                        to: "\(folder)/blocks.log"
                    )
                }
                let other = try WeirProcess(
                    data: "\(folder)/again-\(format)-\(server.identifier)"
                )
                let read = try EndToEnd.run(
                    ["import", file, "--base", other.base],
                    outputPath: "\(folder)/output"
                )
                #expect(read.code == 0, "\(format): \(read.output)")
                #expect(read.output.contains("reading \(format)"))
                let after = try export(other.base, to: "\(folder)/after.json")
                // Line protocol has no name without an underscore.
                if format != "line" { #expect(after == before, "\(format)") }
            }
        }

        @Test func filesAreUnpackedAndTheirBadLinesNamed() throws {
            let folder = try TemporaryDirectory()
            let server = try WeirProcess(data: "\(folder.path)/data")
            let client = WeirClient(server)
            var text = "# TYPE a gauge\n"
            for number in 0..<50_000 {
                text += number == 40_000 ? "a{ 1\n" : "a{n=\"\(number % 500)\"} \(number) "
                if number != 40_000 { text += "\(1_790_000_000_000 + number)\n" }
            }
            let file = "\(folder.path)/file.gz"
            try HostFileSystem().writeFileAtomically(
                GzipEncoder.encode(Array(text.utf8), level: 1),
                to: file,
                inDirectory: folder.path
            )
            let result = try EndToEnd.run(
                ["import", file, "--labels", "from=file", "--base", server.base],
                outputPath: "\(folder.path)/output"
            )
            #expect(result.code == 1)
            #expect(result.output.contains("weir: line 40002: labels without closing brace"))
            #expect(result.output.contains("49999 lines taken, 1 refused"))
            let count = try client.value(
                "sum(count_over_time(a{from=\"file\"}[10m]))",
                atMilliseconds: 1_790_000_060_000
            )
            #expect(count == 49_999)
            try Self.cutFile(file, folder.path, server)
        }

        private static func cutFile(
            _ file: String,
            _ folder: String,
            _ server: WeirProcess
        ) throws {
            let whole = try HostFileSystem().readFile(file, bytesMax: 1 << 24)
            try HostFileSystem().writeFileAtomically(
                Array(whole.dropLast(100)),
                to: "\(folder)/cut.gz",
                inDirectory: folder
            )
            let result = try EndToEnd.run(
                ["import", "\(folder)/cut.gz", "--base", server.base],
                outputPath: "\(folder)/output"
            )
            #expect(result.code == 1)
            #expect(result.output.contains("damaged or cut short"))
        }
    }
}
