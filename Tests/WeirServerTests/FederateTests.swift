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
}
