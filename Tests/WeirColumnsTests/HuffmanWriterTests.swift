import Testing

@testable import WeirColumns

@Suite struct HuffmanWriterTests {
    /// Byte counts that ask for codes of every length, and for more than is allowed.
    private static func fibonacci() -> [UInt8] {
        var bytes: [UInt8] = []
        var (count, next) = (1, 1)
        for symbol in 0..<21 {
            bytes += [UInt8](repeating: UInt8(symbol), count: count)
            (count, next) = (next, count + next)
        }
        return bytes
    }

    private static func skewed(_ count: Int, seed: UInt64) -> [UInt8] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            // The lowest set bit falls off by halves.
            return UInt8(truncatingIfNeeded: (state >> 20).trailingZeroBitCount &* Int(seed))
        }
    }

    private static let inputs: [[UInt8]] = [
        [], [7], [7, 7, 7], [0, 255], Array(0...255), [UInt8](repeating: 3, count: 100_000),
        fibonacci(), fibonacci().reversed(), skewed(32768, seed: 1), skewed(32769, seed: 3),
        skewed(200_000, seed: 7), Array(repeating: Array(0...255), count: 300).flatMap { $0 },
    ]

    @Test(arguments: 0..<12)
    func whatIsWrittenIsReadByAnother(_ input: Int) throws {
        let bytes = Self.inputs[input]
        var writer = HuffmanWriter()
        let compressed = writer.compress(bytes, limit: bytes.count * 2 + 1000)
        let stream = try #require(compressed)
        var decoded: [UInt8] = []
        try PageDecoder().decode(
            stream.span,
            encoding: .zlib,
            rawCount: bytes.count,
            into: &decoded
        )
        #expect(decoded == bytes)
        // Nothing of one page is left in the next.
        #expect(writer.compress(bytes, limit: bytes.count * 2 + 1000) == stream)
    }

    @Test func limitsAreKept() throws {
        let bytes = Self.skewed(50_000, seed: 5)
        var writer = HuffmanWriter()
        let compressed = writer.compress(bytes, limit: bytes.count)
        let stream = try #require(compressed)
        #expect(writer.compress(bytes, limit: stream.count) == nil)
        #expect(writer.compress(bytes, limit: stream.count + 1) == stream)
        // What was given up in the middle leaves nothing behind.
        for limit in [0, 10, 100, 1000, 10_000] {
            #expect(writer.compress(bytes, limit: limit) == nil)
            #expect(writer.compress(bytes, limit: stream.count + 1) == stream)
        }
    }

    @Test func skewedBytesTakeLittleMoreThanTheirEntropy() throws {
        let bytes = Self.skewed(30_000, seed: 1)
        var counts = [Double](repeating: 0, count: 256)
        for byte in bytes { counts[Int(byte)] += 1 }
        // Halves make codes of whole bits: the entropy is met.
        let bits = counts.enumerated().reduce(0.0) { $0 + $1.element * Double($1.offset + 1) }
        var writer = HuffmanWriter()
        let compressed = writer.compress(bytes, limit: bytes.count)
        let stream = try #require(compressed)
        #expect(Double(stream.count) < bits / 8 + 64)
    }
}
