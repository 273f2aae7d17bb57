import Synchronization
import Testing
import WeirSystem
import WeirTestSupport

@testable import WeirHTTP

/// Real sockets: a server that upgrades, and a client of raw bytes.
@Suite struct WebSocketTests {
    /// Says every text back.
    private static let echoing = WebSocketOpening(onText: { socket, text in socket.send(text: text)
    })

    private func startEcho(
        _ opening: WebSocketOpening = echoing,
        sleeping: Bool = false
    ) throws -> HTTPServer {
        try startServer { exchange in
            let answer = WebSocketHandshake.response(to: exchange.head, opening: opening)
            guard sleeping else { return exchange.respond(answer) }
            Thread(name: "late") { exchange.respond(answer) }.detach()
        }
    }

    @Test(arguments: [false, true])
    func aSocketOpensSpeaksAndCloses(sleeping: Bool) throws {
        var opening = Self.echoing
        let counter = Counter()
        opening.onClose = { _ in counter.add() }
        let server = try startEcho(opening, sleeping: sleeping)
        defer { server.stop(drainSeconds: 1) }
        let client = try #require(RawWebSocket(port: server.port, path: "/ws"))
        #expect(client.answer.hasPrefix("HTTP/1.1 101 "))
        #expect(client.answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
        client.send(1, Array("grüß".utf8))
        #expect(client.receive()?.text == "grüß")
        client.send(9, [1, 2, 3])
        #expect(client.receive() == RawWebSocket.Frame(opcode: 10, payload: [1, 2, 3]))
        client.send(8, [0x03, 0xE9])
        #expect(client.receive()?.closeCode == 1001)
        #expect(client.isEnded())
        #expect(eventually { counter.value == 1 })
    }

    @Test func bytesThatCameWithTheHandshakeAreHeard() throws {
        let server = try startEcho()
        defer { server.stop(drainSeconds: 1) }
        let early = RawWebSocket.frame(1, Array("early".utf8))
        let client = try #require(RawWebSocket(port: server.port, path: "/", after: early))
        #expect(client.receive()?.text == "early")
    }

    @Test func aBrokenFrameIsAnsweredWithItsCode() throws {
        let server = try startEcho()
        defer { server.stop(drainSeconds: 1) }
        let cases: [([UInt8], Int)] = [
            ([0x81, 0x01, 0x61], 1002), ([0x8F, 0x80, 0, 0, 0, 0], 1002),
            ([0x81, 0xFF, 0, 0, 0, 1, 0, 0, 0, 0], 1009),
            (RawWebSocket.frame(1, [0xFF]), 1007),
        ]
        for (bytes, code) in cases {
            let client = try #require(RawWebSocket(port: server.port, path: "/"))
            client.sendRaw(bytes)
            #expect(client.receive()?.closeCode == code)
        }
    }

    @Test func halfAWebSocketEndsWithoutHarm() throws {
        let server = try startEcho()
        defer { server.stop(drainSeconds: 1) }
        for cut in 1..<8 {
            let client = try #require(RawWebSocket(port: server.port, path: "/"))
            client.sendRaw(Array(RawWebSocket.frame(1, Array("hello".utf8)).prefix(cut)))
        }
        let client = try #require(RawWebSocket(port: server.port, path: "/"))
        client.send(1, [97])
        #expect(client.receive()?.text == "a")
    }

    @Test(arguments: [
        ("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 12\r\n", 426),
        (
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Key: short\r\n", 400
        ),
        ("Connection: keep-alive\r\n", 426),
        (
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://evil.example\r\n",
            403
        ),
    ])
    func badHandshakesAreRefused(headers: String, status: Int) throws {
        let server = try startEcho()
        defer { server.stop(drainSeconds: 1) }
        let raw = try #require(RawConnection(port: server.port))
        raw.send("GET / HTTP/1.1\r\nHost: x\r\n\(headers)\r\n")
        #expect(raw.receive { $0.contains("hint") }.hasPrefix("HTTP/1.1 \(status) "))
    }

    @Test func aSlowReaderIsRefusedAndNobodyWaits() throws {
        let box = Box()
        let opening = WebSocketOpening(
            unsentBytesMax: 64 * 1024,
            onOpen: { socket in
                let message = [UInt8](repeating: 97, count: 32 * 1024)
                for _ in 0..<2000 { box.count(socket.send(text: message)) }
                socket.close()
            }
        )
        let server = try startEcho(opening)
        defer { server.stop(drainSeconds: 1) }
        let client = try #require(RawWebSocket(port: server.port, path: "/"))
        var received = 0
        while let frame = client.receive(), frame.opcode == 1 { received += 1 }
        let (taken, refused) = box.outcome
        #expect(received == taken)
        #expect(taken + refused == 2000)
        #expect(refused > 0)
    }

    @Test func aServerThatStopsClosesItsSockets() throws {
        let server = try startEcho()
        let clients = try (0..<5).map { _ in
            try #require(RawWebSocket(port: server.port, path: "/"))
        }
        for client in clients { client.send(1, [97]) }
        for client in clients { #expect(client.receive()?.text == "a") }
        server.stop(drainSeconds: 0)
        for client in clients {
            #expect(client.receive()?.closeCode == 1001)
            #expect(client.isEnded())
        }
    }
}

/// A number threads count up.
private final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .relaxed) }
    func add() { count.add(1, ordering: .relaxed) }
}

/// What became of messages.
private final class Box: Sendable {
    private let counts = Mutex((taken: 0, refused: 0))
    var outcome: (taken: Int, refused: Int) { counts.withLock { $0 } }
    func count(_ isTaken: Bool) {
        counts.withLock { counts in
            if isTaken { counts.taken += 1 } else { counts.refused += 1 }
        }
    }
}
