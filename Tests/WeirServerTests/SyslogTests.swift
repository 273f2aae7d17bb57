import Testing
import WeirServer
import WeirTestSupport

@Suite struct SyslogTests {
    /// Pieces as they come off the wire, and the messages in them.
    static let framings: [(pieces: [String], messages: [String])] = [
        (["<13>a: one\n<13>a: two\n"], ["<13>a: one", "<13>a: two"]),
        (["<13>a: one\0<13>a:", " two\0"], ["<13>a: one", "<13>a: two"]),
        (["<13>a: one\r\n\n<13>a: no end"], ["<13>a: one\r", "<13>a: no end"]),
        (["10 <13>a: one8 <13>a: t\n"], ["<13>a: one", "<13>a: t"]),
        (["1", "3", " ", "<13>two\nline", "s11 <13>the end"], ["<13>two\nlines", "<13>the end"]),
        (["12 angry men\n13"], ["12 angry men", "13"]),
        (["30 <13>cut short"], ["<13>cut short"]),
        (
            ["<13>" + String(repeating: "x", count: 100) + "\n<13>next\n"],
            ["<13>" + String(repeating: "x", count: 100), "<13>next"]
        ),
    ]

    @Test(arguments: framings.indices) func streamsAreCutIntoMessages(_ index: Int) throws {
        let (pieces, expected) = Self.framings[index]
        var framing = SyslogFraming(messageBytesMax: 1000)
        var messages: [String] = []
        for piece in pieces {
            framing.append(Array(piece.utf8)[...])
            while let message = try framing.next() {
                messages.append(String(decoding: message, as: UTF8.self))
            }
        }
        while let message = try framing.next(isEnd: true) {
            messages.append(String(decoding: message, as: UTF8.self))
        }
        #expect(messages == expected)
    }

    @Test func longLinesAreCutAndFollowedByTheNext() throws {
        var framing = SyslogFraming(messageBytesMax: 20)
        var messages: [Int] = []
        for _ in 0..<50 {
            framing.append(Array(String(repeating: "x", count: 10).utf8)[...])
            while let message = try framing.next() { messages.append(message.count) }
            #expect(framing.waitingCount <= 30)
        }
        framing.append(Array("\n<13>next\n".utf8)[...])
        while let message = try framing.next() { messages.append(message.count) }
        #expect(messages == [20, 8])
        framing.append(Array("99999 <13>".utf8)[...])
        #expect(throws: SyslogFraming.Failure.badCount) { try framing.next() }
    }

    @Test func messagesOverUDPAndTCPAreTaken() throws {
        let server = try LogServer {
            $0.syslogUDP = "127.0.0.1:0"
            $0.syslogTCP = "127.0.0.1:0"
        }
        let ports = server.server.syslogPorts
        let udp = try #require(ports.udp)
        let tcp = try #require(ports.tcp)
        #expect(
            LoopbackSender.send(
                datagrams: (0..<3).map { Array("<13>app[1]: datagram \($0)\0".utf8) } + [[]],
                port: udp
            )
        )
        let lines = (0..<1500).map { "<13>app: line \($0)\n" }.joined()
        #expect(
            LoopbackSender.send(
                stream: [Array(lines.utf8), Array("20 <13>app: and a count".utf8)],
                port: tcp
            )
        )
        #expect(try server.reaches("weir_log_rows_total{format=\"syslog\"}", 1504))
        #expect(try server.metric("weir_syslog_dropped_total") == 0)
    }

    @Test func aConnectionsLastMessageNeedsNoEnd() throws {
        let server = try LogServer { $0.syslogTCP = "127.0.0.1:0" }
        let port = try #require(server.server.syslogPorts.tcp)
        #expect(LoopbackSender.send(stream: [Array("<13>app: last words".utf8)], port: port))
        #expect(try server.reaches("weir_log_rows_total{format=\"syslog\"}", 1))
    }

    @Test func anAddressThatIsTakenIsToldByName() throws {
        let first = try LogServer { $0.syslogTCP = "127.0.0.1:0" }
        let port = try #require(first.server.syslogPorts.tcp)
        let error = #expect(throws: ServerError.self) {
            try LogServer { $0.syslogTCP = "127.0.0.1:\(port)" }
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains("127.0.0.1:\(port)"))
        #expect(throws: ServerError.self) { try LogServer { $0.syslogUDP = "nonsense" } }
    }
}
