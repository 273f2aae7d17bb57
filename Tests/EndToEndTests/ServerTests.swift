import Glibc
import Testing
import WeirCore
import WeirHTTP
import WeirSystem
import WeirTestSupport

extension EndToEnd {
    /// What `weir serve` promises to those who write to it and operate it.
    @Suite struct ServerTests {
        private static let base: Int64 = 1_790_000_000_000

        private static func text(_ response: HTTPClientResponse) -> String {
            String(decoding: response.body, as: UTF8.self)
        }

        @Test func terminationUnderLoadLosesNothing() throws {
            let folder = try TemporaryDirectory()
            let data = "\(folder.path)/data"
            let start = HostClock().nowMilliseconds() - 4 * 3_600_000
            let writers = (0..<3).map {
                CrashWriter(number: $0, startMilliseconds: start, seed: UInt64($0))
            }
            let server = try WeirProcess(data: data)
            let base = server.base
            let threads = writers.map { writer in
                Thread(name: "writer") { writer.run(base, sendsNew: true) }
            }
            let client = WeirClient(server)
            try EndToEnd.eventually("samples come in") {
                try client.value("count(crash_w0_v)", atMilliseconds: start + 600_000) ?? 0 > 0
            }
            let end = server.terminate()
            for writer in writers { writer.stop() }
            for thread in threads { thread.join() }
            #expect(end.code == 0, "\(server.log)")
            #expect(end.seconds < 10)
            let again = try WeirProcess(data: data)
            #expect(!again.log.contains("replayed"), "a stop in order leaves no journal behind")
            for writer in writers {
                writer.run(again.base, sendsNew: false)
                let finding = try writer.verify(WeirClient(again))
                #expect(finding.missing + finding.doubled + finding.wrong + finding.unsent == 0)
                #expect(writer.refusals.isEmpty, "\(writer.refusals)")
            }
            #expect(again.terminate().code == 0)
        }

        @Test func batchSeenBeforeARestartIsNotStoredAgain() throws {
            let folder = try TemporaryDirectory()
            let data = "\(folder.path)/data"
            let id = [("X-Weir-Batch-Id", "b-1")]
            for (isKilled, value) in [(true, 1), (false, 2), (true, 3)] {
                let server = try WeirProcess(data: data)
                let client = WeirClient(server)
                let response = try client.write("m v=\(value) \(Self.base)\n", headers: id)
                #expect(response.status == 204)
                #expect(response.header("x-weir-duplicate") == (value == 1 ? nil : "true"))
                #expect(try client.value("m_v", atMilliseconds: Self.base) == 1)
                if isKilled { server.kill() } else { #expect(server.terminate().code == 0) }
            }
        }

        @Test func badLinesAreRefusedByNumberAndGoodLinesKept() throws {
            let folder = try TemporaryDirectory()
            let server = try WeirProcess(data: "\(folder.path)/data")
            let client = WeirClient(server)
            let response = try client.write(
                "good v=1 \(Self.base)\nbad v=\ngood2 v=2 \(Self.base)\n"
            )
            #expect(response.status == 400)
            let answer = try JSONParser.parse(response.body)
            #expect(answer["lines"]?.array?.map { $0["line"]?.int } == [2])
            #expect(answer["taken"]?.int == 2)
            #expect(try client.value("good_v + on() good2_v", atMilliseconds: Self.base) == 3)
        }

        @Test func handshakesMethodsAndUnknownPaths() throws {
            let folder = try TemporaryDirectory()
            let server = try WeirProcess(data: "\(folder.path)/data", ["--body-max", "100000"])
            let client = WeirClient(server)
            let ping = try client.get("/ping")
            #expect(ping.status == 204)
            #expect(ping.header("x-influxdb-version") != nil)
            #expect(try client.json("/health")["status"]?.string == "pass")
            for path in ["/-/healthy", "/-/ready", "/api/v1/status/buildinfo", "/api/v1/rules"] {
                #expect(try client.get(path).status == 200, "\(path)")
            }
            let head = try client.get("/health", method: "HEAD")
            #expect(head.status == 200 && head.body.isEmpty)
            let unknown = try client.get("/nothing/here")
            #expect(unknown.status == 404)
            #expect(try JSONParser.parse(unknown.body)["error"]?.string != nil)
            let wrong = try client.get("/write")
            #expect(wrong.status == 405)
            #expect(wrong.header("allow")?.contains("POST") == true)
            #expect(try client.write("m v=1", precision: "fortnight").status == 400)
            #expect(try client.get("/api/v1/query?query=sum(").status == 400)
            // The limit counts decoded bytes: a small body that unpacks to more is refused too.
            let large = [UInt8](repeating: UInt8(ascii: " "), count: 200_000)
            #expect(try client.post("/write", large).status == 413)
            let zipped = try Self.gzip(large, in: folder.path)
            #expect(zipped.count < 10_000)
            let gzip = [("Content-Encoding", "gzip")]
            #expect(try client.post("/write", zipped, headers: gzip).status == 413)
            let small = try Self.gzip(Array("z v=5 \(Self.base)\n".utf8), in: folder.path)
            #expect(
                try client.post("/write?precision=ms", small, headers: gzip).status == 204
            )
            #expect(try client.value("z_v", atMilliseconds: Self.base) == 5)
            let torn = try client.post("/write", Array(small.dropLast(9)), headers: gzip)
            #expect(torn.status == 400)
        }

        private static func gzip(_ bytes: [UInt8], in folder: String) throws -> [UInt8] {
            let path = "\(folder)/body"
            let files = HostFileSystem()
            let file = try files.openForWriting(path)
            try file.truncate(to: 0)
            try file.write(bytes, at: 0)
            let process = ChildProcess("/bin/sh", ["-c", "gzip -c '\(path)' > '\(path).gz'"])
            try #require(process?.wait() == 0)
            return try files.readFile("\(path).gz", bytesMax: 1 << 20)
        }

        @Test func ownMetricsAreInPrometheusFormat() throws {
            let folder = try TemporaryDirectory()
            let server = try WeirProcess(data: "\(folder.path)/data")
            let client = WeirClient(server)
            try client.write("m v=1 \(Self.base)\n")
            let metrics = Self.text(try client.get("/metrics"))
            #expect(metrics.contains("\n# TYPE weir_query_duration_seconds histogram\n"))
            for line in metrics.split(separator: "\n") where !line.hasPrefix("#") {
                #expect(line.split(separator: " ").last.flatMap { Double($0) } != nil, "\(line)")
            }
            let path = "\(folder.path)/metrics.txt"
            try HostFileSystem().openForWriting(path).write(Array(metrics.utf8), at: 0)
            let command =
                "command -v promtool >/dev/null || exit 0; promtool check metrics < '\(path)'"
            let check = try #require(
                ChildProcess("/bin/sh", ["-c", command], outputPath: "\(folder.path)/check")
            )
            let code = check.wait()
            let output = try HostFileSystem().readFile("\(folder.path)/check", bytesMax: 1 << 20)
            #expect(code == 0, "\(String(decoding: output, as: UTF8.self))")
        }

        @Test func snapshotIsServedByAnotherServer() throws {
            let folder = try TemporaryDirectory()
            let server = try WeirProcess(data: "\(folder.path)/data")
            let client = WeirClient(server)
            try client.write("m v=1 \(Self.base)\n")
            let copy = "\(folder.path)/copy"
            let outcome = try EndToEnd.run(
                ["snapshot", copy, "--base", server.base],
                outputPath: "\(folder.path)/output"
            )
            #expect(outcome.code == 0, "\(outcome.output)")
            try client.write("m v=2 \(Self.base + 1000)\n")
            let other = try WeirProcess(data: copy)
            let samples = try WeirClient(other).samples("m_v[1m]", atMilliseconds: Self.base + 2000)
            #expect(samples.map(\.value) == [1])
            #expect(try client.samples("m_v[1m]", atMilliseconds: Self.base + 2000).count == 2)
            #expect(other.terminate().code == 0)
            let check = try EndToEnd.run(["check", copy], outputPath: "\(folder.path)/output")
            #expect(check.code == 0, "\(check.output)")
        }

        @Test func settingsArePrintedAndUnknownOnesRefusedWithTheNearest() throws {
            let folder = try TemporaryDirectory()
            let output = "\(folder.path)/output"
            let printed = try EndToEnd.run(
                ["serve", "--print-config", "--series-max", "7"],
                outputPath: output
            )
            #expect(printed.code == 0)
            #expect(printed.output.contains("\nseries-max: \"7\"\n"))
            let file = "\(folder.path)/weir.yaml"
            try HostFileSystem().openForWriting(file).write(Array(printed.output.utf8), at: 0)
            let again = try EndToEnd.run(
                ["serve", "--print-config", "--config", file],
                outputPath: output
            )
            #expect(again.output == printed.output)
            let unknown = try EndToEnd.run(["serve", "--serie-max", "7"], outputPath: output)
            #expect(unknown.code != 0)
            #expect(unknown.output.contains("series-max"), "\(unknown.output)")
        }

        @Test func seriesPastTheLimitAreRefusedByNameAndOldOnesTaken() throws {
            let folder = try TemporaryDirectory()
            let server = try WeirProcess(data: "\(folder.path)/data", ["--series-max", "2"])
            let client = WeirClient(server)
            #expect(
                try client.write("m,h=a v=1 \(Self.base)\nm,h=b v=1 \(Self.base)\n").status == 204
            )
            let response = try client.write(
                "m,h=a v=2 \(Self.base + 1)\nm,h=c v=1 \(Self.base)\n"
            )
            #expect(response.status == 400)
            let reason = try JSONParser.parse(response.body)["reason"]?.string ?? ""
            #expect(reason.contains("series-max") && reason.contains("2 of 2"), "\(reason)")
            #expect(reason.contains("h=\"c\""), "\(reason)")
            #expect(try client.value("m_v{h=\"a\"}", atMilliseconds: Self.base + 1) == 2)
        }

        @Test func damagedSegmentIsNamedAndTheRestServedWithAWarning() throws {
            let folder = try TemporaryDirectory()
            let data = "\(folder.path)/data"
            let first = try WeirProcess(data: data)
            let day: Int64 = 86_400_000
            try WeirClient(first).write("m v=1 \(Self.base - day)\nm v=2 \(Self.base)\n")
            #expect(first.terminate().code == 0)
            let files = HostFileSystem()
            let root = "\(data)/data/default/metrics"
            let damagedDay = try #require(try files.list(root).first)
            let name = try #require(try files.list("\(root)/\(damagedDay)").first)
            let file = try files.openForWriting("\(root)/\(damagedDay)/\(name)")
            let middle = try file.size() / 2
            try file.write(try file.read(at: middle, count: 1).map { $0 ^ 0xFF }, at: middle)
            let check = try EndToEnd.run(["check", data], outputPath: "\(folder.path)/output")
            #expect(check.code == 1 && check.output.contains(name), "\(check.output)")
            let server = try WeirProcess(data: data)
            let client = WeirClient(server)
            for _ in 0..<2 {
                let path = "/api/v1/query?query=m_v%5B2d%5D&time=\(Self.base / 1000)"
                let answer = try client.json(path)
                let values = answer["data"]?["result"]?.array?.first?["values"]?.array
                #expect(values?.map { $0.array?.last?.string } == ["2"])
                let warnings = answer["warnings"]?.array?.compactMap(\.string) ?? []
                #expect(warnings.contains { $0.contains(name) }, "\(answer)")
            }
            let named = try client.json("/api/v1/status")["quarantined"]?.array
            #expect(named?.count == 1 && named?[0]["path"]?.string?.hasSuffix(name) == true)
            #expect(server.log.contains("quarantined"))
        }

        @Test func certificateAndKeyGiveTLS() throws {
            let folder = try TemporaryDirectory()
            let (certificate, key) = ("\(folder.path)/cert.pem", "\(folder.path)/key.pem")
            let command =
                "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 "
                + "-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 "
                + "-keyout '\(key)' -out '\(certificate)'"
            guard ChildProcess("/bin/sh", ["-c", command])?.wait() == 0 else {
                print("skipped: there is no openssl command to make a certificate with")
                return
            }
            let server = try WeirProcess(
                data: "\(folder.path)/data",
                ["--tls-certificate", certificate, "--tls-key", key]
            )
            let client = WeirClient(
                "https://\(server.address)",
                certificateAuthorityFile: certificate
            )
            #expect(try client.write("m v=1 \(Self.base)\n").status == 204)
            #expect(try client.value("m_v", atMilliseconds: Self.base) == 1)
            #expect(throws: HTTPClientError.self) {
                try WeirClient("https://\(server.address)").get("/ping")
            }
            #expect(server.terminate().code == 0)
        }
    }
}
