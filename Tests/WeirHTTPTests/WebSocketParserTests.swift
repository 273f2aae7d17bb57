import Testing
import WeirCore
import WeirTestSupport

@testable import WeirHTTP

/// Frames as the RFC writes them, and as it does not.
@Suite struct WebSocketParserTests {
    private func messages(
        _ bytes: [UInt8],
        pieceCount: Int = 1
    ) throws(WebSocketError) -> [WebSocketParser.Message] {
        var parser = WebSocketParser()
        var found: [WebSocketParser.Message] = []
        let step = max(1, (bytes.count + pieceCount - 1) / pieceCount)
        for start in stride(from: 0, to: bytes.count, by: step) {
            parser.append(bytes[start..<min(start + step, bytes.count)])
            while let message = try parser.next() { found.append(message) }
        }
        return found
    }

    @Test func theAnswerToTheHandshakeIsThatOfTheRFC() {
        #expect(
            WebSocketHandshake.accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        )
    }

    @Test(arguments: [
        ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
        ),
    ])
    func digestsAreThoseOfTheStandard(text: String, hex: String) {
        let digest = SHA1.digest(Array(text.utf8)).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        #expect(digest.joined() == hex)
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
    ])
    func base64IsThatOfTheRFC(text: String, encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
        #expect(Base64.decodedCount(encoded) == (text.isEmpty ? nil : text.utf8.count))
    }

    @Test(arguments: [1, 2, 3, 7, 1000])
    func messagesDoNotDependOnHowTheirBytesArrive(pieceCount: Int) throws {
        let large = [UInt8](repeating: 97, count: 40_000)
        let bytes =
            RawWebSocket.frame(1, Array("one".utf8)) + RawWebSocket.frame(9, [1, 2])
            + RawWebSocket.frame(1, Array("he".utf8), isLast: false)
            + RawWebSocket.frame(10, [])
            + RawWebSocket.frame(0, Array("llo".utf8)) + RawWebSocket.frame(2, large)
            + RawWebSocket.frame(8, [0x03, 0xE8])
        #expect(
            try messages(bytes, pieceCount: pieceCount) == [
                .text(Array("one".utf8)), .ping([1, 2]), .pong([]), .text(Array("hello".utf8)),
                .binary(large), .close(code: 1000),
            ]
        )
    }

    @Test func badBytesAreNamed() {
        let cases: [([UInt8], WebSocketError)] = [
            ([0x81, 0x01, 0x61], .unmasked),
            ([0xC1, 0x80, 0, 0, 0, 0], .reservedBits),
            ([0x83, 0x80, 0, 0, 0, 0], .badOpcode(3)),
            ([0x8B, 0x80, 0, 0, 0, 0], .badOpcode(11)),
            ([0x09, 0x80, 0, 0, 0, 0], .splitControlFrame),
            ([0x89, 0xFE, 0, 126], .longControlFrame(bytes: 126)),
            (RawWebSocket.frame(0, [1]), .badFragment),
            (
                RawWebSocket.frame(1, [97], isLast: false) + RawWebSocket.frame(1, [97]),
                .badFragment
            ),
            ([0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0], .badLength),
            ([0x81, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255], .messageTooLong(limit: 65536)),
            ([0x81, 0xFF, 0, 0, 0, 0, 0, 1, 0, 1], .messageTooLong(limit: 65536)),
            (
                RawWebSocket.frame(1, [UInt8](repeating: 97, count: 60_000), isLast: false)
                    + RawWebSocket.frame(0, [UInt8](repeating: 97, count: 6_000)),
                .messageTooLong(limit: 65536)
            ),
            (RawWebSocket.frame(8, [3]), .badClose),
            (RawWebSocket.frame(8, [0x03, 0xED]), .badClose),
            (RawWebSocket.frame(8, [0x03, 0xE8, 0xFF]), .badClose),
            (RawWebSocket.frame(1, [0xC3, 0x28]), .badText),
        ]
        for (bytes, expected) in cases {
            #expect(throws: expected, "\(bytes.prefix(12))") { try messages(bytes) }
        }
    }

    @Test func randomBytesNeverTrap() {
        var random = SplitMix64(seed: 31)
        for _ in 0..<3000 {
            let count = Int(random.next() % 40)
            var bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            // Half of them begin like a frame of a client's.
            if bytes.count > 2, random.next() % 2 == 0 {
                bytes[0] &= 0x8F
                bytes[1] |= 0x80
            }
            _ = try? messages(bytes, pieceCount: 3)
        }
    }
}
