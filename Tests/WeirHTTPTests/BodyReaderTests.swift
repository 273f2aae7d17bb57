import Testing
import WeirTestSupport

@testable import WeirHTTP

@Suite struct BodyReaderTests {
    /// Feeds `bytes` in pieces of `pieceCount`.
    private static func read(
        _ bytes: [UInt8],
        _ encoding: BodyEncoding,
        limit: Int = 1 << 20,
        pieceCount: Int = 1000
    ) throws(BodyError) -> [UInt8] {
        let reader = BodyReader(encoding: encoding, bytesMax: limit, claimedCount: bytes.count)
        var offset = 0
        while offset < bytes.count {
            let piece = Array(bytes[offset...].prefix(pieceCount))
            let outcome = unsafe piece.withUnsafeBufferPointer { buffer in
                Result { () throws(BodyError) in try unsafe reader.append(buffer) }
            }
            try outcome.get()
            offset += piece.count
        }
        return try reader.finish()
    }

    private static let plain: [UInt8] = {
        var random = SplitMix64(seed: 7)
        var text = ""
        for index in 0..<3000 {
            text += "cpu,host=h\(index % 17) usage=\(random.next() % 100)i\n"
        }
        return Array(text.utf8)
    }()

    private static func raw(_ bytes: [UInt8]) -> [UInt8] {
        Array(GzipEncoder.encode(bytes).dropFirst(10).dropLast(8))
    }

    private static func zlib(_ bytes: [UInt8]) -> [UInt8] {
        var low: UInt32 = 1
        var high: UInt32 = 0
        for byte in bytes {
            low = (low + UInt32(byte)) % 65521
            high = (high + low) % 65521
        }
        let sum = high << 16 | low
        return [0x78, 0x01] + raw(bytes)
            + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> $0) }
    }

    @Test(arguments: [1, 2, 3, 17, 4096, 1 << 20])
    func everyEncodingIsReadInPiecesOfAnySize(pieceCount: Int) throws {
        let plain = Self.plain
        let packed = GzipEncoder.encode(plain)
        for (bytes, encoding) in [
            (plain, BodyEncoding.identity), (packed, .gzip), (Self.zlib(plain), .deflate),
            (Self.raw(plain), .deflate),
        ] {
            #expect(try Self.read(bytes, encoding, pieceCount: pieceCount) == plain)
        }
        #expect(
            try Self.read(packed + packed, .gzip, pieceCount: pieceCount) == plain + plain
        )
    }

    @Test func anEmptyBodyIsEmptyInEveryEncoding() throws {
        for encoding in [BodyEncoding.identity, .gzip, .deflate] {
            #expect(try Self.read([], encoding) == [])
        }
        #expect(try Self.read(GzipEncoder.encode([]), .gzip) == [])
    }

    @Test func theLimitHoldsForWhatComesOut() throws {
        let plain = Self.plain
        for (bytes, encoding) in [
            (plain, BodyEncoding.identity), (GzipEncoder.encode(plain), .gzip),
            (Self.zlib(plain), .deflate), (Self.raw(plain), .deflate),
        ] {
            #expect(try Self.read(bytes, encoding, limit: plain.count) == plain)
            #expect(throws: BodyError.tooLarge(limit: plain.count - 1)) {
                try Self.read(bytes, encoding, limit: plain.count - 1)
            }
        }
    }

    @Test func aBombCostsNoMoreThanTheLimit() {
        let bomb = GzipEncoder.encode([UInt8](repeating: 0, count: 50 << 20), level: 9)
        #expect(bomb.count < 100_000)
        #expect(throws: BodyError.tooLarge(limit: 100_000)) {
            try Self.read(bomb, .gzip, limit: 100_000)
        }
    }

    @Test func damageIsNamed() {
        let packed = GzipEncoder.encode(Self.plain)
        var flipped = packed
        flipped[packed.count - 5] ^= 0xFF
        let cases: [([UInt8], BodyEncoding)] = [
            (flipped, .gzip), (Array("no gzip at all".utf8), .gzip), (packed + [1, 2, 3], .gzip),
            (Self.zlib(Self.plain) + [0x1F], .deflate), ([0xFF, 0xFF, 0xFF, 0xFF], .deflate),
        ]
        for (bytes, encoding) in cases {
            do throws(BodyError) {
                _ = try Self.read(bytes, encoding)
                Issue.record("accepted")
            } catch {
                guard case .corrupt = error else {
                    Issue.record("\(error)")
                    continue
                }
            }
        }
    }

    @Test func everyTruncationIsNoticed() {
        let packed = GzipEncoder.encode(Array(Self.plain.prefix(300)))
        for count in 1..<packed.count {
            #expect(throws: BodyError.truncated(encoding: "gzip", offset: count)) {
                try Self.read(Array(packed.prefix(count)), .gzip, pieceCount: 7)
            }
        }
    }

    @Test func randomBytesNeverTrap() {
        var random = SplitMix64(seed: 99)
        for _ in 0..<2000 {
            var bytes = GzipEncoder.encode(Array(Self.plain.prefix(200)))
            for _ in 0..<(random.next() % 4) {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(random.next() % 256)
            }
            _ = try? Self.read(bytes, .gzip, pieceCount: 50)
            _ = try? Self.read(Array(bytes.dropFirst(10)), .deflate, pieceCount: 50)
        }
    }
}
