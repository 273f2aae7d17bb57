import Testing
import WeirColumns
import WeirCore
import WeirTestSupport

@Suite struct RunTests {
    static let integerCases: [(name: String, values: [Int64], bodyMax: Int)] = [
        ("empty", [], 0),
        ("one", [42], 0),
        ("constant", [Int64](repeating: -7, count: 1000), 0),
        ("regular", (0..<1000).map { 1_700_000_000_000_000_000 + $0 * 10_000_000_000 }, 0),
        ("small steps", (0..<1000).map { 50 + $0 % 3 }, 500),
        ("extremes", [.min, .max, .min, 0, .max], 64),
        ("steps with a jump", (0..<100).map { $0 < 50 ? $0 : $0 + 1_000_000 }, 64),
        ("wrapping steps", (0..<100).map { ($0 * 37) % 251 }, 200),
    ]

    @Test(arguments: integerCases.indices)
    func integersComeBack(_ index: Int) throws {
        let (name, values, bodyMax) = Self.integerCases[index]
        for findsUnit in [false, true] {
            var head: [UInt8] = []
            var body: [UInt8] = []
            var scratch: [UInt64] = []
            IntegerRun.encode(
                values.span,
                findsUnit: findsUnit,
                head: &head,
                body: &body,
                scratch: &scratch
            )
            var reader = ByteReader(head.span)
            let run = try IntegerRun(count: values.count, from: &reader)
            #expect(reader.remaining == 0, "\(name)")
            #expect(body.count <= bodyMax, "\(name)")
            var decoded: [Int64] = []
            try run.decode(body.span, appendingTo: &decoded)
            #expect(decoded == values, "\(name)")
        }
    }

    static let floatCases: [(name: String, values: [Double])] = [
        ("integers", (0..<500).map { Double($0 % 101) }),
        ("two decimals", (0..<500).map { Double(($0 * 37) % 10_000) / 100 }),
        (
            "specials",
            [
                .nan, .infinity, -.infinity, -0.0, 0.0, .leastNonzeroMagnitude,
                .greatestFiniteMagnitude,
            ]
        ),
        (
            "stale markers among integers",
            (0..<200).map { $0 % 40 == 39 ? Double(bitPattern: 0x7FF0_0000_0000_0002) : Double($0) }
        ),
        ("irrational", (1..<300).map { Double($0).squareRoot() }),
        ("large and small", [1e308, 2.5, 1e-300, 3, 1e15 + 0.5]),
        ("one third", [Double](repeating: 1.0 / 3.0, count: 100)),
    ]

    @Test(arguments: floatCases.indices)
    func floatsComeBackBitForBit(_ index: Int) throws {
        let (name, values) = Self.floatCases[index]
        #expect(try Self.roundTrip(values) == values.map(\.bitPattern), "\(name)")
    }

    /// Any mix of bit patterns and decimals comes back exactly.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func randomFloatsComeBack(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let count = Int.random(in: 0...2000, using: &random)
        let style = Int.random(in: 0..<4, using: &random)
        let values = (0..<count).map { index -> Double in
            switch style {
            case 0: Double(bitPattern: random.next())
            case 1: Double(Int64.random(in: -500...500, using: &random)) / 8
            case 2: Double(index) * 1.1
            default:
                Bool.random(using: &random)
                    ? Double(Int64.random(in: 0...9_999_999, using: &random)) / 1000
                    : Double(bitPattern: random.next())
            }
        }
        #expect(try Self.roundTrip(values) == values.map(\.bitPattern), "seed \(seed)")
    }

    private static func roundTrip(_ values: [Double]) throws -> [UInt64] {
        var head: [UInt8] = []
        var body: [UInt8] = []
        var scratch = EncodingScratch()
        FloatRun.encode(values.span, head: &head, body: &body, scratch: &scratch)
        var reader = ByteReader(head.span)
        let run = try FloatRun(count: values.count, from: &reader)
        #expect(reader.remaining == 0)
        var decoded: [Double] = []
        var integers: [Int64] = []
        try run.decode(body.span, appendingTo: &decoded, scratch: &integers)
        return decoded.map(\.bitPattern)
    }

    @Test func textsComeBack() throws {
        var column = BytesColumn()
        for text in ["", "GET /cart", "\u{0}\u{FF}", String(repeating: "x", count: 300)] {
            column.append(text.utf8)
        }
        var head: [UInt8] = []
        var body: [UInt8] = []
        var scratch = EncodingScratch()
        BytesRun.encode(column, rows: 0..<4, head: &head, body: &body, scratch: &scratch)
        var reader = ByteReader(head.span)
        let run = try BytesRun(count: 4, from: &reader)
        var decoded = BytesColumn()
        var lengths: [Int64] = []
        try run.decode(body.span, appendingTo: &decoded, scratch: &lengths)
        #expect(decoded == column)
    }

    /// A random walk costs less than a third of a byte a sample, the page included.
    @Test func randomWalkIsSmall() {
        var random = SplitMix64(seed: 7)
        var level = 50
        let values = (0..<43_200).map { _ -> Double in
            level = min(100, max(0, level + Int.random(in: -1...1, using: &random)))
            return Double(level)
        }
        var head: [UInt8] = []
        var body: [UInt8] = []
        var scratch = EncodingScratch()
        FloatRun.encode(values.span, head: &head, body: &body, scratch: &scratch)
        let page = PageEncoder(effort: .fast).encode(body)
        #expect(page.bytes.count + head.count < values.count / 3)
    }

    @Test(arguments: 0..<64 as Range<UInt64>)
    func damagedRunsThrowOrDecode(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let values = (0..<200).map { _ in Double(Int64.random(in: 0...999, using: &random)) / 10 }
        var head: [UInt8] = []
        var body: [UInt8] = []
        var scratch = EncodingScratch()
        FloatRun.encode(values.span, head: &head, body: &body, scratch: &scratch)
        for _ in 0..<50 {
            var bad = head
            bad[Int.random(in: bad.indices, using: &random)] = UInt8.random(
                in: 0...255,
                using: &random
            )
            if Bool.random(using: &random) { bad.removeLast() }
            var reader = ByteReader(bad.span)
            guard let run = try? FloatRun(count: 200, from: &reader) else { continue }
            var decoded: [Double] = []
            var integers: [Int64] = []
            try? run.decode(body.span, appendingTo: &decoded, scratch: &integers)
            #expect(decoded.count <= 200, "seed \(seed)")
        }
    }
}
