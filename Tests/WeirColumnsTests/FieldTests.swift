import Testing
import WeirCore
import WeirTestSupport

@testable import WeirColumns

/// Fields of every shape, encoded and asked.
@Suite struct FieldTests {
    /// How one column's texts are made.
    enum Shape: CaseIterable {
        case constant, few, integers, decimals, shortest, padded, addresses, times, ids, uuids
        case lines, words, anything, mixed, stacks, emptyOrNot
    }

    struct Source {
        var random: SplitMix64

        mutating func number(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }

        mutating func digits(_ count: Int) -> String {
            (0..<count).map { _ in String(number(10)) }.joined()
        }

        mutating func hex(_ count: Int) -> String {
            (0..<count).map { _ in String(number(16), radix: 16) }.joined()
        }

        mutating func uuid() -> String { "\(hex(8))-\(hex(4))-\(hex(4))-\(hex(4))-\(hex(12))" }

        mutating func text(_ shape: Shape) -> [UInt8] {
            switch shape {
            case .constant: Array("always".utf8)
            case .few: Array(["GET", "POST", "DELETE", ""][number(4)].utf8)
            case .integers: Array(String(number(1_000_000) - 500).utf8)
            case .decimals: Array("\(number(900)).\(digits(3))".utf8)
            case .shortest: Array("\(Double(number(100_000)) / 100)".utf8)
            case .padded: Array(digits(6).utf8)
            case .addresses: Array("10.\(number(256)).\(number(256)).\(number(256))".utf8)
            case .times:
                Array(
                    "2026-0\(1 + number(9))-1\(number(10))T0\(number(10)):1\(number(10)):59.\(digits(3))Z"
                        .utf8
                )
            case .ids: Array(hex(32).utf8)
            case .uuids: Array(uuid().utf8)
            case .lines:
                switch number(5) {
                case 0:
                    Array(
                        "order \(number(100_000)) paid in \(number(900))ms by user-\(number(50))"
                            .utf8
                    )
                case 1:
                    Array(
                        "request \(uuid()) from 10.0.\(number(256)).\(number(256)) took 1.\(number(10))s"
                            .utf8
                    )
                case 2: Array("connection refused".utf8)
                case 3:
                    Array(
                        "retry \(number(4)) of 3: id=\(hex(16)) /api/v1/orders/\(number(1_000_000))?page=\(number(9))"
                            .utf8
                    )
                default:
                    Array("rare \((0..<number(4)).map { _ in hex(3) }.joined(separator: " "))".utf8)
                }
            case .words:
                Array(
                    (0..<number(6)).map { _ in ["red", "green", "b1ue", "99", "x-ray"][number(5)] }
                        .joined(separator: " ").utf8
                )
            case .anything: (0..<number(40)).map { _ in UInt8(number(256)) }
            case .mixed: text(Shape.allCases[number(8)])
            case .stacks:
                Array(
                    "panic: index \(number(1000))\n\tat com.shop.Cart.add(Cart.java:\(number(300)))\n\tat x"
                        .utf8
                )
            case .emptyOrNot: number(2) == 0 ? [] : Array("id-\(number(100_000))".utf8)
            }
        }

        mutating func column(_ shape: Shape, rowCount: Int) -> FieldColumn {
            var column = FieldColumn(name: "f")
            let presence = [100, 100, 30, 3][number(4)]
            let kindCount = number(3) == 0 ? 4 : 1
            for row in 0..<rowCount where number(100) < presence || (row == 0) {
                let text = text(shape)
                column.append(
                    row,
                    FieldKind(rawValue: UInt8(1 + number(kindCount))) ?? .text,
                    text.span
                )
            }
            return column
        }
    }

    static func encoded(_ column: FieldColumn, rowCount: Int) throws -> (FieldEntry, [UInt8]) {
        var directory: [UInt8] = []
        var area: [UInt8] = []
        FieldEncoder(encoder: PageEncoder(effort: .fast))
            .encode(column, rowCount: rowCount, directory: &directory, area: &area)
        var reader = ByteReader(directory.span)
        let entry = try FieldEntry(from: &reader, rowCount: rowCount)
        #expect(reader.remaining == 0)
        #expect(entry.storedCount == area.count)
        return (entry, area)
    }

    static func page(_ index: Int, _ entry: FieldEntry, _ area: [UInt8]) -> [UInt8]? {
        let start = entry.pages[..<index].reduce(0) { $0 + $1.storedCount }
        let page = entry.pages[index]
        var raw: [UInt8] = []
        let stored = Array(area[start..<(start + page.storedCount)])
        try? PageDecoder().decode(
            stored.span,
            encoding: page.encoding,
            rawCount: page.rawCount,
            into: &raw
        )
        return raw
    }

    @Test(arguments: Shape.allCases)
    func everyTextComesBackAndEveryQuestionIsAnsweredAsByReadingThemAll(_ shape: Shape) throws {
        var source = Source(
            random: SplitMix64(seed: UInt64(Shape.allCases.firstIndex(of: shape) ?? 0) + 100)
        )
        for rowCount in [1, 2, 17, 400, 3000] {
            let column = source.column(shape, rowCount: rowCount)
            let (entry, area) = try Self.encoded(column, rowCount: rowCount)
            let values = try #require(
                FieldValues(entry, rowCount: rowCount) { Self.page($0, entry, area) }
            )
            let plain = FieldValues(column, rowCount: rowCount)
            for row in 0..<rowCount {
                #expect(values.kind(at: row) == plain.kind(at: row))
                #expect(values.text(at: row) == plain.text(at: row), "\(shape) row \(row)")
            }
            let rows = (0..<UInt32(rowCount)).filter { _ in source.number(3) > 0 }
            for all in [rows, Array(0..<UInt32(rowCount))] {
                #expect(
                    values.decimals(at: all).map(\.bitPattern)
                        == plain.decimals(at: all).map(\.bitPattern)
                )
                let codes = values.codes(at: all)
                #expect(
                    codes.codes.map { codes.texts[Int($0)] } == all.map { plain.text(at: Int($0)) }
                )
                for test in Self.tests(column, &source) {
                    let expected = plain.filter(all, test)
                    #expect(
                        values.filter(all, test) == expected,
                        "\(shape) \(test.required.map { String(decoding: $0, as: UTF8.self) }) \(test.form)"
                    )
                    let mayPass = entry.mayPass(test, rowCount: rowCount) {
                        Self.page($0, entry, area)
                    }
                    if !mayPass {
                        #expect(
                            plain.filter(Array(0..<UInt32(rowCount)), test).isEmpty,
                            "\(shape) \(test.required)"
                        )
                    }
                }
            }
        }
    }

    /// Needles that are there, in whole and in part, and some that are not.
    static func tests(_ column: FieldColumn, _ source: inout Source) -> [TextTest] {
        var tests: [TextTest] = [
            .contains([]), .equals([]), .contains(Array("refused".utf8)), .contains([0x2E]),
            .contains(Array("ms by".utf8)),
        ]
        for _ in 0..<12 {
            let text = Array(column.values[source.number(column.count)])
            tests.append(.equals(text, isNegated: source.number(3) == 0))
            guard text.count > 1 else { continue }
            let first = source.number(text.count)
            let end = first + 1 + source.number(text.count - first)
            tests.append(.contains(Array(text[first..<end]), isNegated: source.number(3) == 0))
            var near = text
            near[first] ^= 1 << UInt8(source.number(6))
            for needle in [near, text + text, Array(text.dropLast())] {
                tests.append(.equals(needle, isNegated: source.number(3) == 0))
            }
            tests.append(
                TextTest(required: [Array(text[first..<end])]) { bytes in
                    let needle = Array(text[first..<end])
                    return bytes.count % 2 == 0
                        && ByteSearch.firstIndex(of: needle.span, in: bytes) != nil
                }
            )
        }
        for shape in [Shape.ids, .lines, .integers, .uuids] {
            tests.append(.contains(source.text(shape)))
        }
        return tests
    }

    @Test func anIdThatIsNotThereIsNotReadFor() throws {
        var source = Source(random: SplitMix64(seed: 7))
        var column = FieldColumn(name: "")
        for row in 0..<2000 {
            let text = Array("trace \(source.hex(32)) order \(source.number(1_000_000))".utf8)
            column.append(row, .text, text.span)
        }
        let (entry, area) = try Self.encoded(column, rowCount: 2000)
        #expect(entry.codecName == "templates")
        var passing = 0
        for _ in 0..<200 {
            let test = TextTest.contains(Array(source.hex(32).utf8))
            if entry.mayPass(test, rowCount: 2000, loadPage: { Self.page($0, entry, area) }) {
                passing += 1
            }
        }
        #expect(passing < 20)
    }

    @Test(arguments: [
        (Shape.constant, "constant"), (.few, "dictionary of 4"), (.integers, "numbers"),
        (.decimals, "numbers"),
        (.shortest, "numbers"), (.padded, "numbers"), (.addresses, "IPv4"), (.times, "timestamps"),
        (.ids, "16-byte ids"),
        (.uuids, "UUIDs"), (.lines, "templates"), (.stacks, "templates"), (.anything, "text"),
    ])
    func eachShapeGetsItsCodec(_ shape: Shape, _ codec: String) throws {
        var source = Source(random: SplitMix64(seed: 11))
        var column = FieldColumn(name: "f")
        for row in 0..<3000 {
            let text = source.text(shape)
            column.append(row, .text, text.span)
        }
        let (entry, _) = try Self.encoded(column, rowCount: 3000)
        #expect(entry.codecName == codec)
    }
}
