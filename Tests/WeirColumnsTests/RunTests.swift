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

    private static func encoded(
        _ column: BytesColumn,
        _ rows: Range<Int>
    ) throws -> (head: [UInt8], body: [UInt8]) {
        var head: [UInt8] = []
        var body: [UInt8] = []
        var scratch = EncodingScratch()
        PackedBytesRun.encode(column, rows: rows, head: &head, body: &body, scratch: &scratch)
        return (head, body)
    }

    private static func decoded(
        _ count: Int,
        _ head: [UInt8],
        _ body: [UInt8]
    ) throws -> BytesColumn {
        var reader = ByteReader(head.span)
        let run = try PackedBytesRun(count: count, from: &reader)
        #expect(reader.remaining == 0)
        var column = BytesColumn()
        var numbers: [Int64] = []
        try run.decode(body.span, appendingTo: &column, scratch: &numbers)
        return column
    }

    /// Strings that stood before cost next to nothing, and numbers no more than their steps.
    @Test func repeatedTextsAndNumbersComeBack() throws {
        var layouts = BytesColumn()
        for row in 0..<1000 { layouts.append("layout \(row / 400)".utf8) }
        let dictionary = try Self.encoded(layouts, 0..<1000)
        #expect(dictionary.head.count + dictionary.body.count < 560)
        #expect(try Self.decoded(1000, dictionary.head, dictionary.body) == layouts)

        var buckets = BytesColumn()
        var random = SplitMix64(seed: 3)
        var counts = [Int64](repeating: 1_000_000, count: 12)
        for row in 0..<1000 {
            if row == 700 { counts.append(5) }
            var text: [UInt8] = [0]
            var previous: Int64 = 0
            for place in counts.indices {
                counts[place] += Int64.random(in: 0...3, using: &random)
                UInt64(zigZag: counts[place] - previous).appendVarint(to: &text)
                previous = counts[place]
            }
            buckets.append(text)
        }
        let table = try Self.encoded(buckets, 0..<1000)
        #expect(table.body.count <= 1000 * 13 / 2 + 26)
        #expect(try Self.decoded(1000, table.head, table.body) == buckets)

        var mixed = BytesColumn()
        for row in 0..<40 {
            var text: [UInt8] = [1]
            for place in 0..<(row / 10) {
                text.appendLittleEndian((Double(row) / 3 + Double(place)).bitPattern)
            }
            mixed.append(text)
            mixed.append([0, UInt8(row)])
        }
        let groups = try Self.encoded(mixed, 3..<80)
        let back = try Self.decoded(77, groups.head, groups.body)
        #expect((0..<77).allSatisfy { back[$0] == mixed[$0 + 3] })
    }

    /// What is no row of numbers written the one way is kept as it is.
    @Test func almostNumbersComeBack() throws {
        for bad: [UInt8] in [
            [], [0, 0x80], [0, 0x80, 0x00], [1, 2, 3], [2, 7],
            [0] + [UInt8](repeating: 0xFF, count: 10),
        ] {
            var column = BytesColumn()
            column.append([0, 1, 2])
            column.append(bad)
            column.append([0, 4])
            let run = try Self.encoded(column, 0..<3)
            #expect(try Self.decoded(3, run.head, run.body) == column)
        }
    }

    @Test(arguments: 0..<32 as Range<UInt64>)
    func damagedTextsThrowOrDecode(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var column = BytesColumn()
        for row in 0..<60 {
            column.append(
                seed % 2 == 0
                    ? Array("text \(row % 5)".utf8) : [0, UInt8(row), UInt8(row / 30 + 1)]
            )
        }
        let run = try Self.encoded(column, 0..<60)
        for _ in 0..<200 {
            var bad = run.head
            bad[Int.random(in: bad.indices, using: &random)] = UInt8.random(
                in: 0...255,
                using: &random
            )
            var reader = ByteReader(bad.span)
            guard let run = try? PackedBytesRun(count: 60, from: &reader) else { continue }
            var decoded = BytesColumn()
            var numbers: [Int64] = []
            let body = run.bodyCount < 1 << 20 ? [UInt8](repeating: 7, count: run.bodyCount) : []
            try? run.decode(body.span, appendingTo: &decoded, scratch: &numbers)
            #expect(decoded.count <= 60, "seed \(seed)")
        }
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
