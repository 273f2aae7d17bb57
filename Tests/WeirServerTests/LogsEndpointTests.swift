import Testing
import WeirCore
import WeirHTTP
import WeirServer
import WeirTestSupport

@Suite struct LogsEndpointTests {
    @Test func linesAreCountedAndRefusalsNamed() throws {
        let server = try LogServer()
        let good = try server.post("/api/v1/logs", "{\"msg\":\"a\"}\n{\"msg\":\"b\"}\n")
        #expect(good.status == 200)
        #expect(good.text == "{\"taken\":2,\"refused\":0}\n")
        #expect(good.header("x-weir-durability") == "interval")

        let mixed = try server.post("/insert/jsonline?_stream_fields=a", "{\"msg\":\"a\"}\nno\n[7]")
        #expect(mixed.status == 200)
        let tree = try mixed.json()
        #expect(tree["taken"]?.int == 1)
        #expect(tree["refused"]?.int == 2)
        #expect(tree["refusals"]?.array?.map { $0["line"]?.int } == [2, 3])
        #expect(
            tree["refusals"]?.array?.first?["reason"]?.string
                == "byte 1: \"n\" where an object is expected"
        )

        let bad = try server.post("/api/v1/logs", (0..<30).map { "no \($0)\n" }.joined())
        #expect(bad.status == 400)
        #expect(try bad.json()["error"]?.string == "nothing_taken")
        #expect(try bad.json()["refused"]?.int == 30)
        #expect(try bad.json()["refusals"]?.array?.count == 20)

        #expect(try server.post("/api/v1/logs", "").status == 200)
        let logfmt = try server.post("/api/v1/logs?format=logfmt", "a=1\nb=2\n")
        #expect(logfmt.text.hasPrefix("{\"taken\":2"))
        let text = try server.post("/api/v1/logs?format=text&labels=job=x", "one\ntwo\nthree")
        #expect(text.text.hasPrefix("{\"taken\":3"))
        #expect(try server.post("/api/v1/logs?format=xml", "<a/>").status == 400)

        #expect(try server.metric("weir_log_rows_total{format=\"json\"}") == 3)
        #expect(try server.metric("weir_log_rows_total{format=\"text\"}") == 3)
        #expect(try server.metric("weir_log_refused_rows_total{format=\"json\"}") == 32)
    }

    @Test func batchesAreTakenOnce() throws {
        let server = try LogServer()
        let headers = [("X-Weir-Batch-Id", "one"), ("X-Weir-Sync", "always")]
        let first = try server.post("/api/v1/logs", "{\"msg\":\"a\"}", headers: headers)
        #expect(first.header("x-weir-durability") == "synced")
        let second = try server.post("/api/v1/logs", "{\"msg\":\"a\"}", headers: headers)
        #expect(second.status == 200)
        #expect(second.header("x-weir-duplicate") == "true")
        #expect(try server.metric("weir_log_rows_total{format=\"json\"}") == 1)
        let long = [("X-Weir-Batch-Id", String(repeating: "x", count: 200))]
        #expect(try server.post("/api/v1/logs", "{\"a\":1}", headers: long).status == 400)
        let never = [("X-Weir-Sync", "never")]
        #expect(try server.post("/api/v1/logs", "{\"a\":1}", headers: never).status == 400)
    }

    @Test func limitsHaveClearAnswers() throws {
        let server = try LogServer {
            $0.logRowsMax = 3
            $0.logLineBytesMax = 100
            $0.logFieldsMax = 2
            $0.bodyBytesMax = 100_000
        }
        let rows = try server.post("/api/v1/logs", String(repeating: "{\"a\":1}\n", count: 4))
        #expect(rows.status == 413)
        #expect(try rows.json()["error"]?.string == "too_many_rows")
        let long = String(repeating: "x", count: 10_000)
        let cut = try server.post("/api/v1/logs", "{\"msg\":\"\(long)\"}")
        #expect(cut.text == "{\"taken\":1,\"refused\":0,\"cut\":1}\n")
        let wide = try server.post("/api/v1/logs", "{\"a\":1,\"b\":2,\"c\":3}\n{\"a\":1}")
        #expect(wide.status == 200)
        #expect(wide.text.contains("more than 2 fields in a row"))
        let body = String(repeating: " ", count: 200_000)
        #expect(try server.post("/api/v1/logs", body).status == 413)
        // Ten megabytes of zeros in ten kilobytes.
        let bomb = GzipEncoder.encode([UInt8](repeating: 0x20, count: 10 << 20), level: 9)
        let packed = try server.send(
            "POST",
            "/api/v1/logs",
            bomb,
            headers: [("Content-Encoding", "gzip")]
        )
        #expect(packed.status == 413)
        let truncated = try server.send(
            "POST",
            "/api/v1/logs",
            Array(bomb.prefix(100)),
            headers: [("Content-Encoding", "gzip")]
        )
        #expect(truncated.status == 400)
        let zstd = try server.post("/api/v1/logs", "x", headers: [("Content-Encoding", "zstd")])
        #expect(zstd.status == 415)
        #expect(zstd.text.contains("zstd"))
    }

    @Test func packedBodiesAreTaken() throws {
        let server = try LogServer()
        let body = GzipEncoder.encode(Array("[{\"msg\":\"a\"},{\"msg\":\"b\"}]".utf8), level: 1)
        let response = try server.send(
            "POST",
            "/api/v1/logs",
            body,
            headers: [("Content-Encoding", "gzip"), ("Content-Type", "application/json")]
        )
        #expect(response.text == "{\"taken\":2,\"refused\":0}\n")
    }

    @Test func lokiPushesAnswerAsLokiDoes() throws {
        let server = try LogServer()
        let json = [("Content-Type", "application/json")]
        let good = "{\"streams\":[{\"stream\":{\"a\":\"b\"},\"values\":[[\"1\",\"x\"]]}]}"
        #expect(try server.post("/loki/api/v1/push", good, headers: json).status == 204)
        let mixed =
            "{\"streams\":[{\"stream\":{\"a\":\"b\"},\"values\":[[\"1\",\"x\"],[\"y\",\"x\"]]}]}"
        let partial = try server.post("/loki/api/v1/push", mixed, headers: json)
        #expect(partial.status == 200)
        #expect(try partial.json()["refused"]?.int == 1)
        #expect(try server.post("/loki/api/v1/push", "{", headers: json).status == 400)
        // An empty push: a block of no bytes.
        for encoding in [[], [("Content-Encoding", "snappy")]] {
            let proto = [("Content-Type", "application/x-protobuf")] + encoding
            #expect(
                try server.send("POST", "/loki/api/v1/push", [0], headers: proto).status == 204
            )
            let truncated = try server.send(
                "POST",
                "/loki/api/v1/push",
                [0x50, 0x01, 0x02],
                headers: proto
            )
            #expect(truncated.status == 400)
            #expect(truncated.text.contains("snappy"))
            let huge = try server.send(
                "POST",
                "/loki/api/v1/push",
                [0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x00],
                headers: proto
            )
            #expect(huge.status == 413)
        }
    }

    @Test func otlpAnswersInTheEncodingItWasAskedIn() throws {
        let server = try LogServer()
        let json = [("Content-Type", "application/json")]
        let proto = [("Content-Type", "application/x-protobuf")]
        let good =
            #"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a"}}]}]}]}"#
        let taken = try server.post("/v1/logs", good, headers: json)
        #expect(taken.status == 200 && taken.text == "{}")
        let mixed =
            #"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a"}},{}]}]}]}"#
        let partial = try server.post("/v1/logs", mixed, headers: json)
        #expect(partial.status == 200)
        #expect(try partial.json()["partialSuccess"]?["rejectedLogRecords"]?.string == "1")
        #expect(try server.post("/v1/logs", "{}", headers: json).status == 400)
        // An empty request, and one whose only record has nothing in it.
        let empty = try server.send("POST", "/v1/logs", [], headers: proto)
        #expect(empty.status == 200 && empty.body.isEmpty)
        #expect(empty.header("content-type") == "application/x-protobuf")
        let refused = try server.send(
            "POST",
            "/v1/logs",
            [0x0A, 0x04, 0x12, 0x02, 0x12, 0x00],
            headers: proto
        )
        #expect(refused.status == 200)
        #expect(Array(refused.body.prefix(4)) == [0x0A, UInt8(refused.body.count - 2), 0x08, 1])
        let damaged = try server.send("POST", "/v1/logs", [0x0A, 0x7F], headers: proto)
        #expect(damaged.status == 400)
        #expect(damaged.header("content-type") == "application/x-protobuf")
        #expect(damaged.body.first == 0x08)
    }

    @Test func elasticsearchClientsFindWhatTheyAskFor() throws {
        let server = try LogServer()
        let accept = [("Accept", "application/vnd.elasticsearch+json; compatible-with=9")]
        for path in ["/", "/_cluster/health", "/_license"] {
            let response = try server.send("GET", path, headers: accept)
            #expect(response.status == 200)
            #expect(response.header("x-elastic-product") == "Elasticsearch")
            #expect(
                response.header("content-type")
                    == "application/vnd.elasticsearch+json;compatible-with=9"
            )
        }
        #expect(try server.send("HEAD", "/").status == 200)
        #expect(try server.send("GET", "/").json()["version"]?["number"]?.string == "9.0.0")
        #expect(
            try server.send("GET", "/_nothing").header("x-elastic-product") == "Elasticsearch"
        )
        let body = """
            {"index":{"_index":"x","_id":"7"}}
            {"message":"a"}
            {"create":{}}
            {"message":
            {"delete":{"_id":"7"}}

            """
        let response = try server.send(
            "PUT",
            "/logs/_bulk",
            Array(body.utf8),
            headers: accept + [("Content-Type", "application/vnd.elasticsearch+x-ndjson")]
        )
        #expect(response.status == 200)
        let tree = try response.json()
        #expect(tree["errors"]?.bool == true)
        let items = tree["items"]?.array ?? []
        #expect(items.count == 3)
        #expect(items[0]["index"]?["status"]?.int == 201)
        #expect(items[0]["index"]?["_id"]?.string == "7")
        #expect(items[1]["create"]?["status"]?.int == 400)
        #expect(items[1]["create"]?["_index"]?.string == "logs")
        #expect(items[2]["delete"]?["status"]?.int == 400)
        #expect(try server.metric("weir_log_rows_total{format=\"elastic\"}") == 1)
    }

    @Test func fullMemoryIsToldWithRetryAfter() throws {
        let server = try LogServer { $0.memoryBytesMax = 1 }
        var statuses: Set<Int> = []
        for _ in 0..<50 {
            let response = try server.post("/api/v1/logs", "{\"msg\":\"a\"}")
            statuses.insert(response.status)
            if response.status == 429 {
                #expect(response.header("retry-after") == "1")
                break
            }
        }
        #expect(statuses.contains(429))
    }
}
