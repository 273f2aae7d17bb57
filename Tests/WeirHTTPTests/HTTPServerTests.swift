import Synchronization
import Testing
import WeirCore
import WeirSystem
import WeirTestSupport

@testable import WeirHTTP

/// Real sockets on the loopback, the real client, and raw bytes where no client goes.
@Suite struct HTTPServerTests {
    private func url(_ server: HTTPServer, _ path: String) -> String {
        "http://127.0.0.1:\(server.port)\(path)"
    }

    private func text(_ response: HTTPClientResponse) -> String {
        String(decoding: response.body, as: UTF8.self)
    }

    @Test func everyMethodIsAnsweredOnOneConnection() throws {
        let server = try startServer(handle: echo)
        defer { server.stop(drainSeconds: 1) }
        let client = HTTPClient()
        for (method, body) in [("GET", ""), ("POST", "x"), ("PUT", "y"), ("DELETE", "")] {
            let response = try client.send(
                HTTPClientRequest(method: method, url: url(server, "/p"), body: Array(body.utf8))
            )
            #expect(response.status == 200)
            #expect(text(response) == "\(method) /p \(body)")
        }
    }

    @Test func headAnswersTheHeadersOfGet() throws {
        let server = try startServer { $0.respond(.text("0123456789")) }
        defer { server.stop(drainSeconds: 1) }
        let client = HTTPClient()
        let get = try client.send(HTTPClientRequest(url: url(server, "/")))
        let head = try client.send(HTTPClientRequest(method: "HEAD", url: url(server, "/")))
        #expect(head.status == 200)
        #expect(head.body.isEmpty)
        #expect(head.header("content-length") == "10")
        #expect(head.header("content-type") == get.header("content-type"))
    }

    @Test func aChunkedBodyIsPutTogether() throws {
        let server = try startServer(handle: echo)
        defer { server.stop(drainSeconds: 1) }
        let raw = try #require(RawConnection(port: server.port))
        raw.send("POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        raw.send("5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\n\r\n")
        #expect(raw.receive { $0.contains("world") }.hasSuffix("POST /c hello, world"))
    }

    @Test func packedBodiesAreUnpacked() throws {
        let server = try startServer { exchange in
            exchange.respond(.text("\(exchange.body.count)"))
        }
        defer { server.stop(drainSeconds: 1) }
        let client = HTTPClient()
        let plain = [UInt8](repeating: 97, count: 300_000)
        let response = try client.send(
            HTTPClientRequest(
                method: "POST",
                url: url(server, "/"),
                headers: [("Content-Encoding", "gzip")],
                body: GzipEncoder.encode(plain)
            )
        )
        #expect(text(response) == "300000")
    }

    @Test(arguments: [
        ("gzip", 413), ("gzip-damaged", 400), ("gzip-cut", 400), ("br", 415), ("plain", 413),
        ("chunked", 413),
    ])
    func badBodiesAreRefusedWithAReason(kind: String, status: Int) throws {
        let server = try startServer(handle: echo)
        defer { server.stop(drainSeconds: 1) }
        let large = [UInt8](repeating: 0, count: 3 << 20)
        var request = HTTPClientRequest(method: "POST", url: url(server, "/"))
        switch kind {
        case "gzip": request.body = GzipEncoder.encode(large)
        case "gzip-damaged": request.body = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
        case "gzip-cut": request.body = GzipEncoder.encode(large.dropLast(3 << 20) + [1]).dropLast()
        default: request.body = large
        }
        if kind.hasPrefix("gzip") { request.headers = [("Content-Encoding", "gzip")] }
        if kind == "br" { request.headers = [("Content-Encoding", "br")] }
        if kind == "chunked" { request.headers = [("Transfer-Encoding", "chunked")] }
        let response = try HTTPClient().send(request)
        #expect(response.status == status)
        let json = try JSONParser.parse(response.body)
        for key in ["error", "reason", "hint"] { #expect(json[key]?.string?.isEmpty == false) }
        if status == 413 { #expect(response.header("connection") == "close") }
    }

    @Test func anEncodingMayBePassedThrough() throws {
        let server = try startServer(
            accept: { _ in .read(bodyBytesMax: 100, passingThrough: ["snappy"]) },
            handle: echo
        )
        defer { server.stop(drainSeconds: 1) }
        let response = try HTTPClient().send(
            HTTPClientRequest(
                method: "POST",
                url: url(server, "/"),
                headers: [("Content-Encoding", "snappy")],
                body: Array("raw".utf8)
            )
        )
        #expect(text(response) == "POST / raw")
    }

    @Test func aBodyCutShortNeverReachesTheHandler() throws {
        let handled = Atomic<Int>(0)
        let server = try startServer { exchange in
            handled.add(1, ordering: .relaxed)
            echo(exchange)
        }
        defer { server.stop(drainSeconds: 1) }
        do {
            let raw = try #require(RawConnection(port: server.port))
            raw.send("POST /t HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nonly this")
            #expect(eventually { server.statistics.requestsInHand == 1 })
        }
        #expect(eventually { server.statistics.requestsInHand == 0 })
        #expect(server.statistics.brokenRequests == 1)
        #expect(handled.load(ordering: .relaxed) == 0)
        #expect(server.statistics.bodyBytesInHand == 0)
    }

    @Test func aClientIsToldToContinueOrNot() throws {
        let server = try startServer(
            accept: { head in
                head.path == "/no" ? .refuse(.empty(401)) : .read(bodyBytesMax: 100)
            },
            handle: echo
        )
        defer { server.stop(drainSeconds: 1) }
        let head = "HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        let welcome = try #require(RawConnection(port: server.port))
        welcome.send("POST /yes \(head)")
        #expect(welcome.receive { $0.hasSuffix("\r\n\r\n") }.hasPrefix("HTTP/1.1 100"))
        welcome.send("hi")
        #expect(welcome.receive { $0.contains("hi") }.hasSuffix("POST /yes hi"))
        let refused = try #require(RawConnection(port: server.port))
        refused.send("POST /no \(head)")
        #expect(refused.receive().hasPrefix("HTTP/1.1 401"))
    }

    @Test func aRefusalIsReadableThoughABodyFollows() throws {
        let server = try startServer(accept: { _ in .refuse(.empty(404)) }, handle: echo)
        defer { server.stop(drainSeconds: 1) }
        let response = try HTTPClient().send(
            HTTPClientRequest(
                method: "POST",
                url: url(server, "/"),
                body: [UInt8](repeating: 1, count: 8 << 20)
            )
        )
        #expect(response.status == 404)
    }

    @Test func aRefusedBodyIsNotReadForEver() throws {
        let server = try startServer(
            accept: { _ in .refuse(.empty(404)) },
            configure: { $0.discardedBytesMax = 100_000 },
            handle: echo
        )
        defer { server.stop(drainSeconds: 1) }
        let raw = try #require(RawConnection(port: server.port))
        raw.send("POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        let chunk = "10000\r\n" + String(repeating: "x", count: 65536) + "\r\n"
        for _ in 0..<10 { raw.send(chunk) }
        // Cut off: the end of the stream comes although the body never ended.
        _ = raw.receive()
        #expect(eventually { server.statistics.requestsInHand == 0 })
    }

    @Test func aSilentClientIsCutOff() throws {
        let server = try startServer(configure: { $0.idleSecondsMax = 1 }, handle: echo)
        defer { server.stop(drainSeconds: 1) }
        let raw = try #require(RawConnection(port: server.port))
        raw.send("POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab")
        #expect(raw.receive() == "")
        #expect(eventually { server.statistics.requestsInHand == 0 })
    }

    @Test func aHeadThatTricklesIsCutOff() throws {
        let server = try startServer(configure: { $0.headSecondsMax = 1 }, handle: echo)
        defer { server.stop(drainSeconds: 1) }
        let raw = try #require(RawConnection(port: server.port))
        raw.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(raw.receive { $0.contains("GET /a") }.hasPrefix("HTTP/1.1 200"))
        raw.send("GET /b HTTP/1.1\r\n")
        // Never idle for long, and never done.
        #expect(
            eventually {
                raw.send("X: y\r\n")
                Thread.sleep(nanoseconds: 20_000_000)
                return server.statistics.connections == 0
            }
        )
        #expect(raw.receive() == "")
    }

    @Test func bodiesInHandStayUnderTheirLimit() throws {
        let server = try startServer(configure: { $0.bodiesBytesMax = 1000 }, handle: echo)
        defer { server.stop(drainSeconds: 1) }
        let client = HTTPClient()
        let response = try client.send(
            HTTPClientRequest(
                method: "POST",
                url: url(server, "/"),
                body: [UInt8](repeating: 97, count: 2000)
            )
        )
        #expect(response.status == 503)
        #expect(response.header("retry-after") == "1")
        let small = HTTPClientRequest(method: "POST", url: url(server, "/"), body: [97])
        #expect(try client.send(small).status == 200)
    }

    @Test func oneAddressHasALimitOfConnections() throws {
        let server = try startServer(configure: { $0.connectionsPerAddressMax = 2 }, handle: echo)
        defer { server.stop(drainSeconds: 1) }
        let request = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
        var kept: [RawConnection] = []
        for _ in 0..<2 {
            let raw = try #require(RawConnection(port: server.port))
            raw.send(request)
            #expect(raw.receive { $0.contains("GET /a") }.hasPrefix("HTTP/1.1 200"))
            kept.append(raw)
        }
        let third = try #require(RawConnection(port: server.port))
        third.send(request)
        #expect(third.receive() == "")
        withExtendedLifetime(kept) {}
    }

    @Test func largeAnswersArriveWholeAndPackedWhenAsked() throws {
        var random = SplitMix64(seed: 3)
        let body = (0..<2_000_000).map { _ in UInt8(random.next() % 16) }
        let server = try startServer { exchange in
            let response = HTTPResponse.json(body)
            exchange.respond(
                exchange.head.path == "/packed" ? response.gzipped(for: exchange.head) : response
            )
        }
        defer { server.stop(drainSeconds: 1) }
        let client = HTTPClient()
        #expect(try client.send(HTTPClientRequest(url: url(server, "/"))).body == body)
        let packed = try client.send(HTTPClientRequest(url: url(server, "/packed")))
        #expect(packed.header("content-encoding") == "gzip")
        #expect(packed.body == body)
    }

    @Test func theClientHoldsItsOwnLimits() throws {
        let server = try startServer { exchange in
            if exchange.head.path == "/never" {
                // Kept without an answer until the client has left.
                exchange.onClientGone { exchange.respond(.empty()) }
            } else {
                exchange.respond(.text(String(repeating: "x", count: 5000)))
            }
        }
        defer { server.stop(drainSeconds: 1) }
        let small = HTTPClient(bodyBytesMax: 4999)
        let address = url(server, "/")
        #expect(throws: HTTPClientError.bodyTooLarge(url: address, limit: 4999)) {
            try small.send(HTTPClientRequest(url: address))
        }
        let never = url(server, "/never")
        #expect(throws: HTTPClientError.timedOut(url: never, seconds: 0.05)) {
            try small.send(HTTPClientRequest(url: never, timeoutSeconds: 0.05))
        }
        #expect(throws: HTTPClientError.badURL("ftp://127.0.0.1/")) {
            try small.send(HTTPClientRequest(url: "ftp://127.0.0.1/"))
        }
    }

    @Test func everyAddressMeansBothFamilies() throws {
        let server = try startServer(
            configure: { $0.listen = ":0" },
            handle: { exchange in exchange.respond(.text(exchange.head.remoteAddress.host)) }
        )
        defer { server.stop(drainSeconds: 1) }
        let response = try HTTPClient().send(HTTPClientRequest(url: url(server, "/")))
        #expect(text(response) == "127.0.0.1")
        let six = HTTPClientRequest(url: "http://[::1]:\(server.port)/")
        // A machine without IPv6 cannot ask.
        if let response = try? HTTPClient().send(six) { #expect(text(response) == "::1") }
    }

    @Test func aTakenPortSaysSo() throws {
        let server = try startServer(handle: echo)
        defer { server.stop(drainSeconds: 1) }
        #expect {
            _ = try startServer(configure: { $0.listen = server.address }, handle: echo)
        } throws: { error in
            guard case HTTPServerError.cannotListen(_, let reason) = error else { return false }
            return reason.contains("in use")
        }
    }
}
