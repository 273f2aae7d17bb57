import Glibc
import Testing
import WeirCore
import WeirHTTP
import WeirSystem
import WeirTestSupport

extension EndToEnd {
    /// `weir logs`, rules over logs, and logs across a restart.
    @Suite struct LogCommandTests {
        private static let lines = """
            {"service":"web","time":"2026-01-02T03:04:05Z","level":"info","msg":"one, two","took":1.5}
            {"service":"web","time":"2026-01-02T03:04:06.5Z","level":"error","msg":"it said \\"no\\""}

            """
        private static let span = ["--since", "2026-01-02T00:00:00Z"]

        private static let cases: [(arguments: [String], code: Int32, output: String)] = [
            (
                [#"{service="web"}"#], 0,
                """
                2026-01-02T03:04:05Z INFO  web one, two  took=1.5
                2026-01-02T03:04:06.5Z ERROR web it said "no"

                """
            ),
            (
                ["one,", "two", "--json"], 0,
                #"{"_time":"2026-01-02T03:04:05Z","_stream":{"service":"web"},"_msg":"one, two","level":"info","took":1.5}"#
                    + "\n"
            ),
            (
                ["--json", "--fields", "took,service", "| took > 1"], 0,
                #"{"_time":"2026-01-02T03:04:05Z","took":1.5,"service":"web"}"# + "\n"
            ),
            (["--raw", "-n", "1"], 0, "it said \"no\"\n"),
            (
                ["--csv", "--fields", "level,_msg"], 0,
                """
                time,level,_msg
                2026-01-02T03:04:05Z,info,"one, two"
                2026-01-02T03:04:06.5Z,error,"it said ""no\"""

                """
            ),
            (
                ["{service=\"web\"}\n| jsn"], 2,
                """
                weir: parse error at line 2, col 3: unknown stage "jsn"; a filter is written label="value"
                  | jsn
                    ^

                """
            ),
            (["nothing of the kind"], 0, ""),
        ]

        @Test func commandPrintsWhatWasAskedFor() throws {
            let folder = try TemporaryDirectory()
            let server = try WeirProcess(data: "\(folder.path)/data")
            #expect(
                try WeirClient(server).post("/api/v1/logs", Array(Self.lines.utf8)).status == 200
            )
            for one in Self.cases {
                let found = try EndToEnd.run(
                    ["logs", "--base", server.base] + Self.span + one.arguments,
                    outputPath: "\(folder.path)/output"
                )
                #expect(found.code == one.code, "\(one.arguments)")
                #expect(found.output == one.output, "\(one.arguments)")
            }
            #expect(server.terminate().code == 0)
            let alone = try EndToEnd.run(
                ["logs", "--base", server.base],
                outputPath: "\(folder.path)/output"
            )
            #expect(alone.code == 1)
            #expect(alone.output.hasPrefix("weir: cannot reach "))
        }

        @Test func followingEndsWellWithAnInterrupt() throws {
            let folder = try TemporaryDirectory()
            let server = try WeirProcess(data: "\(folder.path)/data")
            let client = WeirClient(server)
            let path = "\(folder.path)/output"
            func post(_ text: String) throws {
                _ = try client.post(
                    "/api/v1/logs",
                    Array(#"{"service":"a","msg":"\#(text)"}"#.utf8)
                )
            }
            func output() -> String {
                String(
                    decoding: (try? HostFileSystem().readFile(path, bytesMax: 1 << 20)) ?? [],
                    as: UTF8.self
                )
            }
            try post("before")
            let process = try #require(
                ChildProcess(
                    EndToEnd.binary(),
                    ["logs", "-f", "--raw", "--base", server.base, #"{service="a"}"#],
                    outputPath: path
                )
            )
            defer { process.stop() }
            try EndToEnd.eventually("history comes") { output() == "before\n" }
            try post("after")
            try EndToEnd.eventually("what arrives comes") { output() == "before\nafter\n" }
            process.send(signal: SIGINT)
            try EndToEnd.eventually("it ends") { !process.isRunning }
            #expect(process.wait() == 0)
            #expect(output() == "before\nafter\n")
            #expect(server.terminate().code == 0)
        }

        private static let rules = """
            groups:
              - name: logs
                interval: 1s
                rules:
                  - record: service:errors:count
                    expr: sum by (service) (count_over_time({service=~".+"} | level="error" [1h]))
                  - alert: ErrorsAreWritten
                    expr: sum by (service) (count_over_time({service=~".+"} | level="error" [1h])) > 1
                    annotations: {summary: "{{ $value }} errors in {{ $labels.service }}"}
            """

        /// LogQL in rules: what is written fires an alert and is recorded as a series.
        @Test func linesFireAnAlertAndAreRecorded() throws {
            let folder = try TemporaryDirectory()
            let path = "\(folder.path)/rules.yml"
            try HostFileSystem().openForWriting(path).write(Array(Self.rules.utf8), at: 0)
            let server = try WeirProcess(data: "\(folder.path)/data", ["--rules", path])
            let client = WeirClient(server)
            let body = ["error", "info", "error", "error"].map {
                #"{"service":"pay","level":"\#($0)","msg":"x"}"# + "\n"
            }.joined()
            #expect(try client.post("/api/v1/logs", Array(body.utf8)).status == 200)
            try EndToEnd.eventually("the series is recorded") {
                try client.value(#"service:errors:count{service="pay"}"#) == 3
            }
            var alert: JSONValue?
            try EndToEnd.eventually("the alert fires") {
                alert = try client.json("/api/v1/alerts")["data"]?["alerts"]?.array?.first
                return alert?["state"]?.string == "firing"
            }
            #expect(alert?["labels"]?["alertname"]?.string == "ErrorsAreWritten")
            #expect(alert?["labels"]?["service"]?.string == "pay")
            #expect(alert?["annotations"]?["summary"]?.string == "3 errors in pay")
            #expect(server.terminate().code == 0)
        }

        /// Rows that were confirmed are there after a kill, once, on every path that reads them.
        @Test func logsSurviveAKillAndAreAskedForAsBefore() throws {
            let folder = try TemporaryDirectory()
            var server = try WeirProcess(data: "\(folder.path)/data")
            #expect(
                try WeirClient(server).post(
                    "/api/v1/logs",
                    Array(Self.lines.utf8),
                    headers: [("X-Weir-Sync", "always")]
                ).status == 200
            )
            let paths = [
                "/api/v1/logs/query?query=&direction=forward",
                "/loki/api/v1/series?start=1767312000&end=1767398400",
                "/api/v1/logs/facets?start=1767312000&end=1767398400",
            ]
            func answers(_ client: WeirClient) throws -> [String] {
                try paths.map { path in
                    let text = String(decoding: try client.get(path).body, as: UTF8.self)
                    // What the query cost may differ.
                    return text.firstRange(of: "\"stats\"").map { String(text[..<$0.lowerBound]) }
                        ?? text
                }
            }
            let before = try answers(WeirClient(server))
            #expect(before[0].split(separator: "\n").count == 2)
            for _ in 0..<2 {
                server.kill()
                server = try WeirProcess(data: "\(folder.path)/data")
                #expect(try answers(WeirClient(server)) == before)
            }
            #expect(server.terminate().code == 0)
        }
    }
}
