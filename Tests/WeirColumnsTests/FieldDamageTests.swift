import Testing
import WeirCore
import WeirTestSupport

@testable import WeirColumns

/// Fields whose bytes are damaged: refused or answered somehow, but never a trap, and never more
/// memory than the bytes can stand for.
@Suite struct FieldDamageTests {
    /// A field as it is stored, its pages unpacked.
    struct Encoded {
        var directory: [UInt8]
        var pages: [[UInt8]]
        var rowCount: Int
    }

    static func encoded(_ column: FieldColumn, rowCount: Int) throws -> Encoded {
        var directory: [UInt8] = []
        var area: [UInt8] = []
        FieldEncoder(encoder: PageEncoder(effort: .fast))
            .encode(column, rowCount: rowCount, directory: &directory, area: &area)
        var reader = ByteReader(directory.span)
        let entry = try FieldEntry(from: &reader, rowCount: rowCount)
        let pages = entry.pages.indices.map { FieldTests.page($0, entry, area) ?? [] }
        return Encoded(directory: directory, pages: pages, rowCount: rowCount)
    }

    /// Flips, cuts, inserts, doubles or overwrites a few bytes.
    static func damage(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let place = Int.random(in: 0...bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0 where place < bytes.count:
                bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes.removeSubrange(place...)
            case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
            case 3 where place < bytes.count: bytes.remove(at: place)
            case 4 where place < bytes.count:
                let choices: [UInt8] = [0, 0x7F, 0x80, 0xFF, TemplateSplitter.marker]
                bytes[place] = choices.randomElement(using: &random) ?? 0
            default:
                let end = min(bytes.count, place + Int.random(in: 0...9, using: &random))
                bytes.insert(contentsOf: Array(bytes[place..<end]), at: place)
            }
        }
        return bytes
    }

    /// Reads the entry and asks it everything.
    ///
    /// - Returns: Whether it was answered without damage being noticed.
    @discardableResult
    static func ask(_ field: Encoded, _ tests: [TextTest]) -> Bool {
        var reader = ByteReader(field.directory.span)
        guard let entry = try? FieldEntry(from: &reader, rowCount: field.rowCount) else {
            return false
        }
        func load(_ page: Int) -> [UInt8]? {
            page < field.pages.count ? field.pages[page] : nil
        }
        _ = entry.codecName
        _ = entry.storedCount
        for test in tests { _ = entry.mayPass(test, rowCount: field.rowCount, loadPage: load) }
        guard let values = FieldValues(entry, rowCount: field.rowCount, load: load) else {
            return false
        }
        let all = Array(0..<UInt32(field.rowCount))
        let some = all.filter { $0 % 3 != 1 }
        var text: [UInt8] = []
        for row in 0..<field.rowCount {
            text.removeAll(keepingCapacity: true)
            values.appendText(at: row, to: &text)
            _ = values.kind(at: row)
        }
        for rows in [all, some, []] {
            for test in tests {
                let passing = values.filter(rows, test)
                #expect(passing.count <= rows.count)
            }
            #expect(values.decimals(at: rows).count == rows.count)
            #expect(values.doubles(at: rows) { Double($0.count) }.count == rows.count)
            let codes = values.codes(at: rows)
            #expect(codes.codes.count == rows.count)
            #expect(codes.codes.allSatisfy { $0 < codes.texts.count })
        }
        return !values.isDamaged
    }

    @Test(arguments: FieldTests.Shape.allCases)
    func damagedEntriesAndPagesNeverTrap(_ shape: FieldTests.Shape) throws {
        let number = UInt64(FieldTests.Shape.allCases.firstIndex(of: shape) ?? 0)
        var source = FieldTests.Source(random: SplitMix64(seed: 4000 + number))
        var random = SplitMix64(seed: 5000 + number)
        for rowCount in [1, 9, 40, 150] {
            let column = source.column(shape, rowCount: rowCount)
            let whole = try Self.encoded(column, rowCount: rowCount)
            let tests = FieldTests.tests(column, &source)
            #expect(Self.ask(whole, tests))
            for _ in 0..<40 {
                var bad = whole
                bad.directory = Self.damage(whole.directory, &random)
                Self.ask(bad, tests)
            }
            for page in whole.pages.indices {
                for _ in 0..<40 {
                    var bad = whole
                    bad.pages[page] = Self.damage(whole.pages[page], &random)
                    if Int.random(in: 0..<4, using: &random) == 0 {
                        bad.directory = Self.damage(whole.directory, &random)
                    }
                    Self.ask(bad, tests)
                }
            }
            // A block that says another number of rows.
            for other in [0, 1, rowCount - 1, rowCount + 1, 16_384] where other >= 0 {
                var bad = whole
                bad.rowCount = other
                Self.ask(bad, Array(tests.prefix(3)))
            }
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func bytesOfAnyKindNeverTrap(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let tests: [TextTest] = [
            .contains(Array("id-123456".utf8)), .equals(Array("12.5".utf8)), .contains([]),
        ]
        for _ in 0..<200 {
            let isSmall = Bool.random(using: &random)
            func bytes(_ most: Int) -> [UInt8] {
                (0..<Int.random(in: 0...most, using: &random)).map { _ in
                    UInt8.random(in: 0...(isSmall ? 5 : 255), using: &random)
                }
            }
            let count = Int.random(in: 0...64, using: &random)
            var field = Encoded(directory: bytes(60), pages: [], rowCount: count)
            for _ in 0..<5 { field.pages.append(bytes(80)) }
            Self.ask(field, tests)
            _ = RowPresence(bytes(20), rowCount: 64)
            if let filter = TokenFilter(bytes(33)) {
                for test in tests {
                    for text in test.required { _ = filter.mayHold(text, isWhole: false) }
                }
            }
            let (codes, slots) = (bytes(64), bytes(200))
            if let column = try? TemplateColumn(
                count: codes.count,
                page: bytes(120),
                loadCodes: { codes },
                loadSlots: { slots }
            ) {
                var text: [UInt8] = []
                for index in 0..<codes.count { column.append(index, to: &text) }
                for test in tests {
                    _ = column.filter(Array(0..<UInt32(codes.count)), indexes: nil, test)
                }
            }
        }
    }

    @Test func kindsThatAreNoneAreRefused() throws {
        var column = FieldColumn(name: "f")
        for row in 0..<20 {
            let text = Array("\(row)".utf8)
            column.append(row, row % 2 == 0 ? .text : .number, text.span)
        }
        var field = try Self.encoded(column, rowCount: 20)
        #expect(Self.ask(field, []))
        field.pages[0][7] = 9
        #expect(!Self.ask(field, []))
    }

    /// A template of many variables, each of one byte in a page, would stand for any amount.
    @Test func templatesOfTooManyVariablesAreRefused() throws {
        for variableCount in [64, 65, 5000] {
            var keys = BytesColumn()
            keys.append(Array(repeating: TemplateSplitter.marker, count: variableCount))
            var page: [UInt8] = [1]
            var body: [UInt8] = []
            var scratch = EncodingScratch()
            BytesRun.encode(keys, rows: 0..<1, head: &page, body: &body, scratch: &scratch)
            let column = try? TemplateColumn(
                count: 1,
                page: page + body,
                loadCodes: { [0] },
                loadSlots: { [] }
            )
            #expect((column != nil) == (variableCount <= 64))
        }
    }

    /// Variables that are not all there are damage, and not texts with holes.
    @Test func missingVariablesAreNoticed() throws {
        var column = FieldColumn(name: "")
        for row in 0..<200 {
            let text = Array("request \(row * 7919 % 1000) of \(row)-\(row % 3) took \(row)ms".utf8)
            column.append(row, .text, text.span)
        }
        // One that is rare, with variables of its own.
        let rare = Array("rare x\(17) and y\(18)".utf8)
        column.append(200, .text, rare.span)
        var field = try Self.encoded(column, rowCount: 201)
        #expect(Self.ask(field, []))
        field.pages[field.pages.count - 1].removeLast()
        #expect(!Self.ask(field, []))
    }

    /// What is the same everywhere is kept in the directory, unless it is long: that is read as a
    /// whole, and has a limit.
    @Test func longConstantsAreKeptInPages() throws {
        for byteCount in [10, 256, 257, 300_000] {
            var column = FieldColumn(name: "f")
            let text = [UInt8](repeating: 0x61, count: byteCount)
            for row in 0..<3 { column.append(row, .text, text.span) }
            let field = try Self.encoded(column, rowCount: 3)
            #expect(field.directory.count < 400, "\(byteCount)")
            #expect(Self.ask(field, [.equals(text), .contains(Array("ab".utf8))]))
        }
    }
}
