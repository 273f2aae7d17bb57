import Testing
import WeirColumns
import WeirCore
import WeirTestSupport

/// What docs/format/columns.md says of runs: stretches of zeros, packed bits, doubles as integers.
@Suite struct RunFormatTests {
    private static func encoded(_ values: [Int64]) -> (head: [UInt8], body: [UInt8]) {
        var head: [UInt8] = []
        var body: [UInt8] = []
        var scratch: [UInt64] = []
        IntegerRun.encode(
            values.span,
            findsUnit: false,
            head: &head,
            body: &body,
            scratch: &scratch
        )
        return (head, body)
    }

    private static func encoded(_ values: [Double]) -> (head: [UInt8], body: [UInt8]) {
        var head: [UInt8] = []
        var body: [UInt8] = []
        var scratch = EncodingScratch()
        FloatRun.encode(values.span, head: &head, body: &body, scratch: &scratch)
        return (head, body)
    }

    private static func integers(
        _ count: Int,
        _ head: [UInt8],
        _ body: [UInt8]
    ) throws -> [Int64] {
        var reader = ByteReader(head.span)
        let run = try IntegerRun(count: count, from: &reader)
        #expect(reader.remaining == 0)
        var decoded: [Int64] = []
        try run.decode(body.span, appendingTo: &decoded)
        return decoded
    }

    private static func floats(
        _ count: Int,
        _ head: [UInt8],
        _ body: [UInt8]
    ) throws -> [Double] {
        var reader = ByteReader(head.span)
        let run = try FloatRun(count: count, from: &reader)
        #expect(reader.remaining == 0)
        var decoded: [Double] = []
        var scratch: [Int64] = []
        try run.decode(body.span, appendingTo: &decoded, scratch: &scratch)
        return decoded
    }

    /// The second example of docs/format/columns.md.
    @Test func aStepInTheMiddleIsTwoStretches() throws {
        let values = [Int64](repeating: 5, count: 50) + [Int64](repeating: 6, count: 50)
        let (head, body) = Self.encoded(values)
        #expect(head == [0x85, 0x0A, 0x02, 0x31, 0x01, 0x31, 0x00, 0x00])
        #expect(body == [0x02])
        #expect(try Self.integers(100, head, body) == values)
    }

    /// Residuals of every size, with zeros among them in stretches of every length.
    private static func values(_ random: inout SplitMix64) -> [Int64] {
        var values: [Int64] = []
        var value = Int64.random(in: -1000...1000, using: &random)
        let bits = Int.random(in: 0...63, using: &random)
        let rest = [0, 1, 31, 32, 33, 200].randomElement(using: &random) ?? 0
        for _ in 0..<Int.random(in: 0...12, using: &random) {
            for _ in 0..<rest { values.append(value) }
            for _ in 0..<Int.random(in: 0...40, using: &random) {
                let isOutlier = Int.random(in: 0..<30, using: &random) == 0
                let step = Int64(bitPattern: random.next() >> UInt64(isOutlier ? 0 : 63 - bits))
                value &+= Bool.random(using: &random) ? step : 0 &- step
                values.append(value)
            }
        }
        return values
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func stretchesAndWidthsComeBack(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let values = Self.values(&random)
        let (head, body) = Self.encoded(values)
        #expect(try Self.integers(values.count, head, body) == values, "seed \(seed)")
        let doubles = values.map { Double(bitPattern: UInt64(bitPattern: $0)) }
        let run = Self.encoded(doubles)
        let decoded = try Self.floats(doubles.count, run.head, run.body)
        #expect(decoded.map(\.bitPattern) == doubles.map(\.bitPattern), "seed \(seed)")
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func damagedHeadsThrowOrDecode(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let values = Self.values(&random)
        let (head, body) = Self.encoded(values)
        for _ in 0..<200 {
            var bad = head
            bad[Int.random(in: bad.indices, using: &random)] =
                UInt8.random(in: 0...255, using: &random)
            var reader = ByteReader(bad.span)
            guard let run = try? IntegerRun(count: values.count, from: &reader) else { continue }
            #expect(run.bodyCount <= values.count * 8, "seed \(seed)")
            var padded = body
            while padded.count < run.bodyCount { padded.append(0xA5) }
            padded.removeLast(padded.count - run.bodyCount)
            var decoded: [Int64] = []
            try? run.decode(padded.span, appendingTo: &decoded)
            #expect(decoded.isEmpty || decoded.count == values.count, "seed \(seed)")
        }
    }

    @Test(
        arguments: [
            // Widths that version 1 had, and those that never were.
            [0x0D, 0], [0x11, 0], [0x15, 0], [0x25, 0], [0x2D, 0, 0], [0x3D, 0, 0],
            // Bits: none, and too many.
            [0x29, 0, 0, 0], [0x29, 0, 65, 0],
            // Stretches: without a width, with too few or too many residuals, too many of them.
            [0x81, 0, 1, 9, 0], [0x85, 0, 1, 4, 4, 0], [0x85, 0, 1, 5, 5, 0], [0x85, 0, 200, 9],
            // More escapes than residuals.
            [0x85, 0, 1, 9, 0, 1, 7], [0x05, 0, 10, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
        ] as [[UInt8]]
    )
    func otherIntegerHeadsAreRefused(_ head: [UInt8]) {
        #expect(throws: DecodeError.self) {
            var reader = ByteReader(head.span)
            _ = try IntegerRun(count: 10, from: &reader)
        }
    }

    @Test(arguments: [[1], [2], [3, 64, 1, 0], [7, 0, 1, 0], [0x80, 1, 0]] as [[UInt8]])
    func otherFloatHeadsAreRefused(_ head: [UInt8]) {
        #expect(throws: DecodeError.self) {
            var reader = ByteReader(head.span)
            _ = try FloatRun(count: 10, from: &reader)
        }
    }

    /// Constants take no body whatever their bits, and sparse series as good as none.
    @Test func constantsAndSparseSeriesAreSmall() {
        for value in [1.0 / 3.0, 42, 0.1, -0.0, .infinity] {
            let (head, body) = Self.encoded([Double](repeating: value, count: 8640))
            #expect(body.isEmpty && head.count <= 16, "\(value)")
        }
        var sparse = [Double](repeating: 0, count: 8640)
        for place in stride(from: 500, to: 8640, by: 1000) { sparse[place] = 7 }
        let (head, body) = Self.encoded(sparse)
        #expect(head.count + body.count < 64)
    }

    /// Doubles of one size need their mantissa's bits and little more; those that were floats, 29 less.
    @Test func bitsAreNotSpentOnWhatIsCommon() {
        var random = SplitMix64(seed: 5)
        let doubles = (0..<1000).map { _ in Double.random(in: 32..<64, using: &random) }
        #expect(Self.encoded(doubles).body.count < 6600)
        let floats = doubles.map { Double(Float($0)) }
        #expect(Self.encoded(floats).body.count < 3000)
    }

    /// A counter's steps cost what they differ from the typical one, and resets little.
    @Test func countersAreKeptByTheirTypicalStep() throws {
        var random = SplitMix64(seed: 6)
        var total: Int64 = 1 << 40
        var values: [Int64] = []
        for index in 0..<2000 {
            total = index % 700 == 699 ? 0 : total + 5000 + Int64.random(in: -3...3, using: &random)
            values.append(total)
        }
        let (head, body) = Self.encoded(values)
        #expect(head.first.map { $0 & 0x3F } == 0x07)
        #expect(body.count == 1000 && head.count < 60)
        #expect(try Self.integers(values.count, head, body) == values)
    }
}
