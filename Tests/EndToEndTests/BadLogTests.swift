import Testing
import WeirCore
import WeirHTTP
import WeirTestSupport

extension EndToEnd {
    /// What nobody should send, to the real server: each has a clear answer, nothing beside it is
    /// lost, and the server goes on.
    @Suite struct BadLogTests {
        private static let second = 1_700_000_000

        private static func text(_ response: HTTPClientResponse) -> String {
            String(decoding: response.body, as: UTF8.self)
        }

        /// Rows of a query, oldest first.
        private static func rows(_ client: WeirClient, _ query: String) throws -> [JSONValue] {
            let response = try client.get(
                "/api/v1/logs/query?query=\(PercentEncoding.encode(query))"
                    + "&start=0&direction=forward"
            )
            try #require(response.status == 200, "\(query): \(text(response))")
            return try response.body.split(separator: 0x0A).map { try JSONParser.parse(Array($0)) }
        }

        private static func line(_ number: Int, _ members: String) -> String {
            "{\"service\":\"bad\",\"time\":\(second + number),\"n\":\(number),\(members)}\n"
        }

        /// Sends the rows, of which those numbered in `refused` (lines from 1) are named as refused
        /// with a reason that holds the words.
        private static func send(
            _ client: WeirClient,
            _ body: [UInt8],
            taken: Int,
            refused: [Int: String]
        ) throws {
            let response = try client.post("/api/v1/logs", body)
            #expect(response.status == 200, "\(text(response))")
            let answer = try JSONParser.parse(response.body)
            #expect(answer["taken"]?.int == taken, "\(text(response))")
            #expect(answer["refused"]?.int == refused.count, "\(text(response))")
            for refusal in answer["refusals"]?.array ?? [] {
                let line = refusal["line"]?.int ?? 0
                let words = refused[line] ?? "a line that was not to be refused"
                let reason = refusal["reason"]?.string ?? ""
                #expect(reason.contains(words), "line \(line): \(reason)")
            }
        }

        @Test func whatNobodyShouldSendHasAClearAnswerAndItsNeighboursAreKept() throws {
            let folder = try TemporaryDirectory()
            var server = try WeirProcess(data: "\(folder.path)/data")
            var client = WeirClient(server)

            // Bytes that are no UTF-8, and NULs, raw and escaped.
            let raw: [UInt8] = [0xFF, 0x61, 0xC3, 0x28, 0xF0, 0x9F]
            try Self.send(
                client,
                Array("{\"service\":\"raw\",\"time\":\(Self.second),\"msg\":\"".utf8) + raw
                    + Array("\"}\n".utf8) + Array(Self.line(1, "\"msg\":\"nul\\u0000nul\"").utf8),
                taken: 2,
                refused: [:]
            )
            let plain = try client.post(
                "/api/v1/logs?format=text&labels=service=plain",
                Array("a".utf8) + [0] + Array("b\n".utf8) + [0xFE, 0x0A]
            )
            #expect(plain.status == 200)

            // A line of ten megabytes is cut, and says so.
            let long = String(repeating: "long ", count: 2 << 20)
            try Self.send(
                client,
                Array((Self.line(2, "\"msg\":\"\(long)\"") + Self.line(3, "\"a\":1")).utf8),
                taken: 2,
                refused: [:]
            )

            // Deep nesting, too many fields, times out of range, and good rows between them.
            let deep =
                String(repeating: "{\"a\":", count: 2000) + "1"
                + String(repeating: "}", count: 2000)
            let many = (0..<10_000).map { "\"f\($0)\":\($0)" }.joined(separator: ",")
            let body =
                Self.line(4, "\"deep\":\(deep)") + Self.line(5, "\"msg\":\"five\"")
                + Self.line(6, many) + Self.line(7, "\"msg\":\"seven\"")
                + "{\"service\":\"bad\",\"time\":\"0001-01-01T00:00:00Z\",\"msg\":\"early\"}\n"
                + "{\"service\":\"bad\",\"time\":\"9999-12-31T23:59:59Z\",\"msg\":\"late\"}\n"
                + Self.line(8, "\"twice\":1,\"msg\":\"first\",\"twice\":2,\"msg\":\"second\"")
            try Self.send(
                client,
                Array(body.utf8),
                taken: 3,
                refused: [1: "32", 3: "1000", 5: "", 6: ""]
            )

            // A hundred megabytes in a hundred kilobytes, cut short, and no gzip at all.
            let gzip = [("Content-Encoding", "gzip")]
            let bomb = GzipEncoder.encode([UInt8](repeating: 0x20, count: 100 << 20), level: 1)
            for path in ["/api/v1/logs", "/loki/api/v1/push", "/_bulk", "/v1/logs"] {
                let response = try client.post(path, bomb, headers: gzip)
                #expect(response.status == 413, "\(path)")
                #expect(
                    Self.text(response).contains("body-max")
                        || Self.text(response).contains("\(64 << 20)"),
                    "\(path): \(Self.text(response))"
                )
            }
            #expect(
                try client.post("/api/v1/logs", Array(bomb.prefix(99)), headers: gzip).status == 400
            )
            #expect(
                try client.post("/api/v1/logs", Array("{}".utf8), headers: gzip).status == 400
            )

            // Snappy that ends early, or claims four gigabytes.
            let proto = [("Content-Type", "application/x-protobuf")]
            for (body, status) in [
                ([0x50, 0x01, 0x02], 400), ([0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x00], 413), ([], 400),
            ] as [([UInt8], Int)] {
                let response = try client.post("/loki/api/v1/push", body, headers: proto)
                #expect(response.status == status, "\(body): \(Self.text(response))")
                #expect(Self.text(response).contains("snappy"), "\(Self.text(response))")
            }

            // Half a WebSocket: the head alone, and a frame that is cut off.
            let port = try #require(Int(server.address.split(separator: ":").last ?? ""))
            let query = PercentEncoding.encode("{service=\"bad\"}")
            let head = Array(
                ("GET /loki/api/v1/tail?query=\(query) HTTP/1.1\r\nHost: x\r\n"
                    + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                    + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").utf8
            )
            for piece in [Array(head.dropLast(2)), head, head + [0x81, 0xFE, 0xFF]] {
                #expect(LoopbackSender.send(stream: [piece], port: port))
            }

            func verify(_ client: WeirClient) throws {
                let found = try Self.rows(client, "{service=\"bad\"}")
                #expect(found.map { $0["n"]?.int } == [1, 2, 3, 5, 7, 8])
                #expect(found[0]["_msg"]?.string == "nul\u{0}nul")
                #expect(found[1]["_msg"]?.string?.utf8.count ?? 0 <= 256 << 10)
                #expect(found[1]["_msg"]?.string?.utf8.count ?? 0 > 255 << 10)
                #expect(found[1]["_truncated"]?.int == 10 << 20)
                #expect(found[5]["twice"]?.int == 2)
                #expect(found[5]["_msg"]?.string == "second")
                let shown = try Self.rows(client, "{service=\"raw\"}")
                #expect(shown.map { $0["_msg"]?.string } == ["\u{FFFD}a\u{FFFD}(\u{FFFD}"])
                let lines = try Self.rows(client, "{service=\"plain\"}")
                #expect(Set(lines.map { $0["_msg"]?.string }) == ["a\u{0}b", "\u{FFFD}"])
                // The bytes that were sent, not those that are shown.
                let sum = PercentEncoding.encode("sum(bytes_over_time({service=\"raw\"}[1h]))")
                let answer = try client.json(
                    "/loki/api/v1/query?query=\(sum)&time=\(Self.second + 60)"
                )
                let value = answer["data"]?["result"]?.array?.first?["value"]?.array?.last?.string
                #expect(value == "\(raw.count)", "\(answer)")
            }
            try verify(client)
            #expect(try client.post("/api/v1/admin/flush").status == 200)
            try verify(client)
            #expect(server.terminate().code == 0)
            server = try WeirProcess(data: "\(folder.path)/data")
            client = WeirClient(server)
            try verify(client)
            #expect(server.terminate().code == 0)
        }

        @Test func regularExpressionsThatWouldRunAwayAreStoppedByName() throws {
            let folder = try TemporaryDirectory()
            let server = try WeirProcess(data: "\(folder.path)/data")
            let client = WeirClient(server)
            let body = (0..<50).map { number in
                Self.line(number, "\"msg\":\"\(String(repeating: "a", count: 5000)) \(number)!\"")
            }
            try Self.send(client, Array(body.joined().utf8), taken: 50, refused: [:])
            for isFlushed in [false, true] {
                if isFlushed { #expect(try client.post("/api/v1/admin/flush").status == 200) }
                for pattern in ["(a+)+$", "(a|aa)+$"] {
                    let query = PercentEncoding.encode("{service=\"bad\"} |~ \"\(pattern)\"")
                    let range = "&start=\(Self.second)&end=\(Self.second + 100)"
                    let response = try client.get(
                        "/loki/api/v1/query_range?query=\(query)\(range)"
                    )
                    #expect((400..<500).contains(response.status), "\(pattern)")
                    #expect(
                        Self.text(response).contains("regular expression steps"),
                        "\(pattern): \(Self.text(response))"
                    )
                    let rows = try client.get("/api/v1/logs/query?query=\(query)&start=0")
                    // Its status is out before the rows are: the error is the last line then.
                    #expect(
                        rows.status != 200 || Self.text(rows).contains("\"_error\""),
                        "\(pattern): \(Self.text(rows))"
                    )
                }
                #expect(try Self.rows(client, "{service=\"bad\"} |= \" 7!\"").count == 1)
            }
            #expect(server.terminate().code == 0)
        }
    }
}
