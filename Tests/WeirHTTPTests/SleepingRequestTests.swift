import Synchronization
import Testing
import WeirSystem
import WeirTestSupport

@testable import WeirHTTP

/// Requests that are answered later, from other threads.
@Suite struct SleepingRequestTests {
    private func url(_ server: HTTPServer, _ path: String) -> String {
        "http://127.0.0.1:\(server.port)\(path)"
    }

    @Test func manyConnectionsSleepAndAreAllAnswered() throws {
        let pool = WorkerPool(name: "answers", threadCount: 3)
        let server = try startServer { exchange in
            pool.submit {
                exchange.respond(.text(String(decoding: exchange.body, as: UTF8.self)))
            }
        }
        let failures = Mutex<[String]>([])
        let threads = (0..<24).map { number in
            Thread(name: "client-\(number)") {
                let client = HTTPClient()
                for round in 0..<50 {
                    let body = "client \(number) round \(round)"
                    do throws(HTTPClientError) {
                        let response = try client.send(
                            HTTPClientRequest(
                                method: "POST",
                                url: "http://127.0.0.1:\(server.port)/",
                                body: Array(body.utf8)
                            )
                        )
                        if response.body != Array(body.utf8) {
                            failures.withLock { $0.append("\(body): \(response)") }
                        }
                    } catch {
                        failures.withLock { $0.append("\(error)") }
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(failures.withLock { $0 } == [])
        #expect(server.statistics.requests == 24 * 50)
        server.stop(drainSeconds: 5)
        pool.stop()
        #expect(server.statistics.requestsInHand == 0)
        #expect(server.statistics.bodyBytesInHand == 0)
        #expect(server.statistics.brokenRequests == 0)
    }

    @Test func answersOnEitherSideOfTheSuspensionAreTaken() throws {
        // Answers race with the return of the handler, at every distance.
        let pool = WorkerPool(name: "answers", threadCount: 2)
        let server = try startServer { exchange in
            let spins = Int(exchange.head.query["n"] ?? "0") ?? 0
            pool.submit { exchange.respond(.empty()) }
            for _ in 0..<(spins * 20) { _ = exchange.isClientGone }
        }
        let client = HTTPClient()
        for round in 0..<600 {
            let response = try client.send(
                HTTPClientRequest(url: url(server, "/?n=\(round % 60)"))
            )
            #expect(response.status == 204)
        }
        server.stop(drainSeconds: 5)
        pool.stop()
    }

    @Test func aDroppedExchangeIsAnswered() throws {
        let server = try startServer { _ in }
        defer { server.stop(drainSeconds: 1) }
        let response = try HTTPClient().send(HTTPClientRequest(url: url(server, "/")))
        #expect(response.status == 500)
    }

    @Test func onlyTheFirstAnswerCounts() throws {
        let server = try startServer { exchange in
            exchange.respond(.text("first"))
            exchange.respond(.text("second"))
        }
        defer { server.stop(drainSeconds: 1) }
        let response = try HTTPClient().send(HTTPClientRequest(url: url(server, "/")))
        #expect(response.body == Array("first".utf8))
    }

    @Test func aClientThatLeavesIsNoticedWhileItsRequestSleeps() throws {
        let departures = Atomic<Int>(0)
        let kept = Mutex<HTTPExchange?>(nil)
        let server = try startServer { exchange in
            exchange.onClientGone { departures.add(1, ordering: .relaxed) }
            kept.withLock { $0 = exchange }
        }
        defer { server.stop(drainSeconds: 1) }
        do {
            let raw = try #require(RawConnection(port: server.port))
            raw.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(eventually { kept.withLock { $0 != nil } })
            #expect(departures.load(ordering: .relaxed) == 0)
        }
        #expect(eventually { departures.load(ordering: .relaxed) == 1 })
        let exchange = kept.withLock { kept in
            let taken = kept
            kept = nil
            return taken
        }
        #expect(exchange?.isClientGone == true)
        exchange?.respond(.empty())
        #expect(eventually { server.statistics.requestsInHand == 0 })
        let late = Atomic<Int>(0)
        exchange?.onClientGone { late.add(1, ordering: .relaxed) }
        #expect(late.load(ordering: .relaxed) == 1)
    }

    @Test func aStreamIsSentAsItIsWritten() throws {
        let server = try startServer { exchange in
            let isGzip = exchange.head.path == "/packed"
            let stream = HTTPBodyStream(queuedBytesMax: 1000, isGzip: isGzip)
            let response = HTTPResponse.stream(stream, contentType: "text/plain")
            exchange.respond(isGzip ? response.adding("Content-Encoding", "gzip") : response)
            Thread(name: "producer") {
                for number in 0..<2000 { _ = stream.write(Array("line \(number)\n".utf8)) }
                stream.finish()
            }
            .detach()
        }
        defer { server.stop(drainSeconds: 1) }
        let expected = (0..<2000).map { "line \($0)\n" }.joined()
        let client = HTTPClient()
        for path in ["/", "/packed"] {
            let response = try client.send(HTTPClientRequest(url: url(server, path)))
            #expect(String(decoding: response.body, as: UTF8.self) == expected)
        }
        var pieces: [UInt8] = []
        let streamed = try client.sendStreaming(HTTPClientRequest(url: url(server, "/"))) {
            status,
            bytes in
            #expect(status == 200)
            pieces += bytes
            return true
        }
        #expect(streamed.status == 200)
        #expect(String(decoding: pieces, as: UTF8.self) == expected)
    }

    @Test func aFailedStreamIsNotTakenForAWholeOne() throws {
        let server = try startServer { exchange in
            let stream = HTTPBodyStream()
            exchange.respond(.stream(stream, contentType: "text/plain"))
            Thread(name: "producer") {
                _ = stream.write(Array("half".utf8))
                stream.fail()
            }
            .detach()
        }
        defer { server.stop(drainSeconds: 1) }
        #expect(throws: HTTPClientError.self) {
            try HTTPClient().send(HTTPClientRequest(url: url(server, "/")))
        }
    }

    @Test func producersStopWhenTheirClientsLeave() throws {
        let stopped = Atomic<Int>(0)
        let server = try startServer { exchange in
            let stream = HTTPBodyStream(queuedBytesMax: 10_000)
            exchange.respond(.stream(stream, contentType: "text/plain"))
            let isQuiet = exchange.head.path == "/quiet"
            Thread(name: "producer") {
                _ = stream.write([120])
                while !stream.isClosed {
                    if isQuiet {
                        Thread.sleep(nanoseconds: 1_000_000)
                    } else {
                        _ = stream.write([UInt8](repeating: 120, count: 5000))
                    }
                }
                stopped.add(1, ordering: .relaxed)
            }
            .detach()
        }
        defer { server.stop(drainSeconds: 1) }
        for path in ["/busy", "/quiet"] {
            let raw = try #require(RawConnection(port: server.port))
            raw.send("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
            _ = raw.receive { $0.contains("x") }
        }
        #expect(eventually { stopped.load(ordering: .relaxed) == 2 })
        let address = url(server, "/busy")
        #expect(throws: HTTPClientError.cancelled(url: address)) {
            try HTTPClient().sendStreaming(HTTPClientRequest(url: address)) { _, _ in false }
        }
        #expect(eventually { stopped.load(ordering: .relaxed) == 3 })
    }

    @Test func aHeadRequestStopsItsProducer() throws {
        let stopped = Atomic<Int>(0)
        let server = try startServer { exchange in
            let stream = HTTPBodyStream(queuedBytesMax: 10)
            exchange.respond(.stream(stream, contentType: "text/plain"))
            Thread(name: "producer") {
                while stream.write([1, 2, 3]) {}
                stopped.add(1, ordering: .relaxed)
            }
            .detach()
        }
        defer { server.stop(drainSeconds: 1) }
        let head = HTTPClientRequest(method: "HEAD", url: url(server, "/"))
        #expect(try HTTPClient().send(head).status == 200)
        #expect(eventually { stopped.load(ordering: .relaxed) == 1 })
    }

    @Test func stoppingWaitsForWhatIsInHand() throws {
        let kept = Mutex<HTTPExchange?>(nil)
        let server = try startServer { exchange in kept.withLock { $0 = exchange } }
        let raw = try #require(RawConnection(port: server.port))
        raw.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(eventually { kept.withLock { $0 != nil } })
        let stopper = Thread(name: "stopper") { server.stop(drainSeconds: 30) }
        // New connections are refused once it stops listening, while the old one is still served.
        #expect(eventually { RawConnection(port: server.port) == nil })
        kept.withLock { $0 }?.respond(.text("in time"))
        let answer = raw.receive()
        #expect(answer.hasSuffix("in time"))
        #expect(answer.lowercased().contains("connection: close"))
        stopper.join()
        #expect(server.statistics.requestsInHand == 0)
    }

    @Test func stoppingEndsWhatDoesNotEnd() throws {
        let kept = Mutex<[HTTPExchange]>([])
        let streams = Mutex<[HTTPBodyStream]>([])
        let server = try startServer { exchange in
            if exchange.head.path == "/stream" {
                let stream = HTTPBodyStream()
                streams.withLock { $0.append(stream) }
                exchange.respond(.stream(stream, contentType: "text/plain"))
            } else {
                kept.withLock { $0.append(exchange) }
            }
        }
        var connections: [RawConnection] = []
        for number in 0..<20 {
            let raw = try #require(RawConnection(port: server.port))
            raw.send("GET \(number % 2 == 0 ? "/" : "/stream") HTTP/1.1\r\nHost: x\r\n\r\n")
            connections.append(raw)
        }
        let uploading = try #require(RawConnection(port: server.port))
        uploading.send("POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab")
        #expect(eventually { kept.withLock { $0.count } == 10 })
        #expect(eventually { streams.withLock { $0.count } == 10 })
        server.stop(drainSeconds: 0.05)
        #expect(connections[0].receive().hasPrefix("HTTP/1.1 503"))
        for stream in streams.withLock({ $0 }) {
            #expect(stream.isClosed)
            #expect(!stream.write([1]))
            stream.finish()
        }
        // Far too late, and harmless.
        for exchange in kept.withLock({ $0 }) { exchange.respond(.text("late")) }
        kept.withLock { $0.removeAll() }
        server.stop(drainSeconds: 0)
    }

    @Test func serversStopUnderLoadTimeAndAgain() throws {
        for round in 0..<15 {
            let pool = WorkerPool(name: "answers", threadCount: 2)
            let server = try startServer { exchange in
                pool.submit { exchange.respond(.text("ok")) }
            }
            let port = server.port
            let isOver = Atomic<Bool>(false)
            let threads = (0..<4).map { number in
                Thread(name: "client-\(number)") {
                    let client = HTTPClient()
                    let request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/")
                    while !isOver.load(ordering: .relaxed) {
                        guard (try? client.send(request)) != nil else { return }
                    }
                }
            }
            #expect(eventually { server.statistics.requests > 20 * (round + 1) })
            server.stop(drainSeconds: round % 2 == 0 ? 0 : 0.2)
            isOver.store(true, ordering: .relaxed)
            for thread in threads { thread.join() }
            pool.stop()
            #expect(server.statistics.requestsInHand == 0)
        }
    }
}
