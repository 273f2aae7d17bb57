import Synchronization
import Testing
import WeirCore
import WeirHTTP
import WeirSystem
import WeirTestSupport

extension EndToEnd {
    /// Following logs: over HTTP, over Loki's WebSocket, and what may not be seen in either.
    @Suite struct LogTailTests {
        /// A tail as its reader sees it, on a thread of its own.
        private final class Follower: Sendable {
            private let rows = Monitor<[JSONValue]>([])
            private let cancellation = HTTPCancellation()

            init(_ server: WeirProcess, _ parameters: String) {
                let url = "\(server.base)/api/v1/logs/tail?\(parameters)"
                Thread(name: "follower") { [self] in
                    var rest: [UInt8] = []
                    _ = try? HTTPClient().sendStreaming(
                        HTTPClientRequest(url: url, timeoutSeconds: 120),
                        cancellation: cancellation
                    ) { _, bytes in
                        rest += bytes
                        guard let end = rest.lastIndex(of: 0x0A) else { return true }
                        let lines = rest[..<end].split(separator: 0x0A)
                        let found = lines.compactMap { try? JSONParser.parse(Array($0)) }
                        rest.removeSubrange(...end)
                        self.rows.update { $0 += found }
                        return true
                    }
                }.detach()
            }

            deinit { cancellation.cancel() }

            func stop() { cancellation.cancel() }

            /// The rows once `isEnough` of them; all there are after a minute.
            func rows(until isEnough: @escaping ([JSONValue]) -> Bool) -> [JSONValue] {
                rows.wait(timeoutNanoseconds: 60_000_000_000) { isEnough($0) ? $0 : nil }
                    ?? rows.read { $0 }
            }
        }

        private static func body(_ numbers: Range<Int>) -> [UInt8] {
            Array(
                numbers.map { #"{"service":"web","msg":"number \#($0)","n":\#($0)}"# + "\n" }
                    .joined().utf8
            )
        }

        /// Followers that begin at any moment see every row once, in order, whether it was there
        /// before them or came after.
        @Test func tailsLoseAndDoubleNothingWhileRowsCome() throws {
            let folder = try TemporaryDirectory()
            let server = try WeirProcess(data: "\(folder.path)/data")
            let client = WeirClient(server)
            let total = 3000
            var followers: [Follower] = []
            for start in stride(from: 0, to: total, by: 10) {
                #expect(
                    try client.post("/api/v1/logs", Self.body(start..<start + 10)).status == 200
                )
                if start % 500 == 250 {
                    followers.append(Follower(server, "limit=100000&query=number"))
                }
            }
            for follower in followers {
                let rows = follower.rows {
                    $0.contains { $0["n"]?.int == total - 1 }
                }
                #expect(rows.compactMap { $0["n"]?.int } == Array(0..<total))
                #expect(rows.allSatisfy { $0["_dropped"] == nil || $0["_dropped"]?.int == 0 })
                follower.stop()
            }
            #expect(server.terminate().code == 0)
        }

        @Test func rowsOfATailAreThoseOfAQuery() throws {
            let folder = try TemporaryDirectory()
            let server = try WeirProcess(data: "\(folder.path)/data")
            let client = WeirClient(server)
            let follower = Follower(server, "since=0&query=")
            let row =
                #"{"service":"web","time":"2026-01-02T03:04:05.120Z","msg":"x","n":1.50,"ok":true,"a":{"b":[1]}}"#
            func named(_ n: Int) -> [UInt8] { Array(#"{"service":"w","n":\#(n)}"#.utf8) }
            // The tail is there once it shows something.
            var n = 0
            try EndToEnd.eventually("the tail follows") {
                n += 1
                _ = try client.post("/api/v1/logs", named(n))
                return !follower.rows { _ in true }.isEmpty
            }
            _ = try client.post("/api/v1/logs", Array(row.utf8))
            let live = follower.rows { $0.contains { $0["_msg"]?.string == "x" } }
                .first { $0["_msg"]?.string == "x" }
            let asked = try JSONParser.parse(
                try client.get("/api/v1/logs/query?query=%7Bservice%3D%22web%22%7D").body
            )
            func members(_ value: JSONValue?) -> Set<String> {
                Set(
                    (value?.members ?? []).map { member in
                        var writer = JSONWriter()
                        writer.value(member.value)
                        return "\(member.key)=\(writer.text)"
                    }
                )
            }
            #expect(
                members(asked) == [
                    #"_time="2026-01-02T03:04:05.12Z""#, #"_stream={"service":"web"}"#,
                    #"_msg="x""#, "n=1.50", "ok=true", "a.b=[1]",
                ]
            )
            #expect(members(live) == members(asked))
            follower.stop()
            #expect(server.terminate().code == 0)
        }

        @Test func lokisTailSpeaksWebSocket() throws {
            let folder = try TemporaryDirectory()
            let server = try WeirProcess(data: "\(folder.path)/data")
            let client = WeirClient(server)
            let port = try #require(server.address.split(separator: ":").last.flatMap { Int($0) })
            func push(_ line: String) throws {
                let now = HostClock().nowNanoseconds()
                let body =
                    #"{"streams":[{"stream":{"app":"a"},"values":[["\#(now)","\#(line)"]]}]}"#
                let answer = try client.post(
                    "/loki/api/v1/push",
                    Array(body.utf8),
                    headers: [("Content-Type", "application/json")]
                )
                #expect(answer.status == 204)
            }
            try push("the first")
            let query = PercentEncoding.encode(#"{app="a"} |= "the""#)
            let socket = try #require(
                RawWebSocket(port: port, path: "/loki/api/v1/tail?query=\(query)")
            )
            #expect(socket.answer.hasPrefix("HTTP/1.1 101"))
            func line() throws -> String? {
                while let frame = socket.receive() {
                    guard frame.opcode == 1 else { continue }
                    let stream = try JSONParser.parse(frame.payload)["streams"]?.array?.first
                    #expect(stream?["stream"]?["app"]?.string == "a")
                    return stream?["values"]?.array?.first?.array?.last?.string
                }
                return nil
            }
            #expect(try line() == "the first")
            try push("a word")
            try push("the second")
            #expect(try line() == "the second")
            let refused = try #require(
                RawWebSocket(port: port, path: "/loki/api/v1/tail?query=%7B")
            )
            #expect(refused.answer.hasPrefix("HTTP/1.1 400"))
            #expect(refused.answer.lowercased().contains("text/plain"))
            #expect(server.terminate().code == 0)
        }

        /// Rows of streams beyond the limit are nowhere: not stored, not followed, not confirmed.
        @Test func rowsThatTheStreamLimitRefusesAreNotFollowed() throws {
            let folder = try TemporaryDirectory()
            let server = try WeirProcess(data: "\(folder.path)/data", ["--series-max", "1"])
            let client = WeirClient(server)
            let bulk = ["one", "two", "one", "two"].enumerated().map { number, index in
                #"{"create":{"_index":"\#(index)"}}"# + "\n"
                    + #"{"message":"\#(index) \#(number)"}"# + "\n"
            }.joined()
            #expect(
                try client.post("/api/v1/logs?labels=index=one", Self.row("{\"msg\":\"zero\"}"))
                    .status == 200
            )
            let follower = Follower(server, "query=")
            #expect(follower.rows { !$0.isEmpty }.count == 1)
            let answer = try client.post(
                "/_bulk",
                Array(bulk.utf8),
                headers: [("Content-Type", "application/x-ndjson")]
            )
            let items = try JSONParser.parse(answer.body)
            #expect(answer.status == 200)
            let created = items["items"]?.array?.compactMap { $0["create"] } ?? []
            #expect(created.map { $0["status"]?.int } == [201, 400, 201, 400])
            #expect(created.last?["error"]?["reason"]?.string?.contains("series-max") == true)
            #expect(try client.post("/_bulk", Array(bulk.utf8)).status == 200)
            let rows = follower.rows { $0.filter { $0["_msg"] != nil }.count >= 5 }
            #expect(
                rows.compactMap { $0["_msg"]?.string }
                    == ["zero", "one 0", "one 2", "one 0", "one 2"]
            )
            follower.stop()
            #expect(server.terminate().code == 0)
        }

        private static func row(_ text: String) -> [UInt8] { Array(text.utf8) }
    }
}
