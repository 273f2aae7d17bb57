import Testing
import WeirCore
import WeirHTTP
import WeirServer
import WeirSystem

/// `/federate`.
@Suite struct FederateTests {
    private static func text(_ answer: HTTPClientResponse) -> String {
        String(decoding: answer.body, as: UTF8.self)
    }

    @Test func latestSamplesComeSortedWithTypesAndInstance() throws {
        let server = try LogServer()
        let now = HostClock().nowNanoseconds() / 1_000_000
        let (recent, before, old) = (now - 1000, now - 60_000, now - 600_000)
        let body = """
            b 1 \(before)
            b 2 \(recent)
            a{job="x"} 3 \(recent)
            a{instance="i",job="x"} 4 \(recent)
            gone 5 \(old)

            """
        #expect(try server.post("/api/v1/import/prometheus", body).status == 204)
        let path = "/federate?match[]={__name__=~\"a|b|gone\"}&match[]=b"
        let answer = try server.send("GET", path)
        #expect(answer.status == 200)
        #expect(
            Self.text(answer) == """
                # TYPE a untyped
                a{instance="i",job="x"} 4 \(recent)
                a{job="x",instance=""} 3 \(recent)
                # TYPE b untyped
                b{instance=""} 2 \(recent)

                """
        )
        let open = try server.send(
            "GET",
            "/federate?match[]=b",
            headers: [("Accept", "application/openmetrics-text; version=1.0.0")]
        )
        #expect(Self.text(open).hasPrefix("# TYPE b unknown\nb{instance=\"\"} 2"))
        #expect(Self.text(open).hasSuffix("# EOF\n"))
        #expect(try server.send("GET", "/federate").body.isEmpty)
        #expect(try server.send("GET", "/federate?match[]=b{").status == 400)
    }

    /// What is kept of each series until the answer is made is paid for, and once.
    @Test func linesTakeNoMoreThanAQueryMay() throws {
        let memory = 4 << 20
        let server = try LogServer { $0.queryMemoryBytesMax = memory }
        let now = HostClock().nowNanoseconds() / 1_000_000
        let value = String(repeating: "v", count: 4000)
        for (name, count) in [("few", 50), ("many", 50), ("many", 150)] {
            var body = ""
            for series in 0..<count {
                body += "\(name){a=\"\(value)\",b=\"\(value)\",c=\"\(value)\",d=\"\(value)\""
                body += ",series=\"\(series)\"} 1 \(now - 1000)\n"
            }
            #expect(try server.post("/api/v1/import/prometheus", body).status == 204)
        }
        let whole = try server.send("GET", "/federate?match[]=few&match[]=few&match[]=few")
        #expect(whole.status == 200)
        #expect(whole.body.count > 50 * 16_000)
        // The answer alone would be within it.
        let refused = try server.send("GET", "/federate?match[]=many")
        #expect(refused.status == 500)
        #expect(Self.text(refused).prefix(200).contains("query memory bytes"))
    }
}
