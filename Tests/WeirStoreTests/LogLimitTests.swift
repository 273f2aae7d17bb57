import Synchronization
import Testing
import WeirColumns
import WeirCore
import WeirStore
import WeirSystem
import WeirTestSupport

/// Rows at the edges of what a block, a directory and a journal record hold.
@Suite struct LogLimitTests {
    private static let stream = Labels([("service", "x")])

    private static func row(_ number: Int, _ fields: [(String, [UInt8])]) -> LogRow {
        LogRow(
            stream: stream,
            time: StoreHarness.start + Int64(number),
            fields: fields.map { LogRow.Field(name: $0.0, kind: .text, text: $0.1) }
        )
    }

    /// Appends, and expects the rows from memory, from segments, merged, and after a restart.
    private static func expectBack(_ batches: [[LogRow]]) throws {
        let directory = try TemporaryDirectory()
        var store = try StoreHarness.open(directory.path) { $0.memoryBytesMax = 1 << 30 }
        let expected = LogHarness.expected(batches.flatMap(\.self))
        for batch in batches { try LogHarness.append(batch, to: store) }
        #expect(try LogHarness.read(store) == expected)
        store.stop(isFlushing: false)
        store = try StoreHarness.open(directory.path) { $0.memoryBytesMax = 1 << 30 }
        #expect(try LogHarness.read(store) == expected)
        try store.flush()
        #expect(try LogHarness.read(store) == expected)
        try store.merge()
        #expect(try LogHarness.read(store) == expected)
        #expect(store.status().quarantined.isEmpty)
        store.stop()
        #expect(try StoreChecker.check(directory.path).problems.isEmpty)
    }

    /// An é in one piece and an e with an accent are equal as `String`s, and two names all the same.
    @Test func namesAreEqualWhenTheirBytesAre() throws {
        let composed = "caf\u{E9}"
        let decomposed = "cafe\u{301}"
        var rows: [LogRow] = []
        for number in 0..<200 {
            var fields: [(String, [UInt8])] = [("", Array("line \(number)".utf8))]
            if number % 2 == 0 { fields.append((composed, Array("one \(number)".utf8))) }
            if number % 3 == 0 { fields.append((decomposed, Array("two \(number)".utf8))) }
            rows.append(Self.row(number, fields))
        }
        let directory = try TemporaryDirectory()
        let store = try StoreHarness.open(directory.path)
        try LogHarness.append(rows, to: store)
        for isFlushed in [false, true] {
            if isFlushed { try store.flush() }
            let found = try LogHarness.read(store)[Self.stream] ?? []
            #expect(found.count == 200)
            for (number, row) in found.enumerated() {
                // By bytes: the order of equal `String`s is no one's promise.
                let fields = Set(row.fields.map { Array($0.name.utf8) + [0x3D] + $0.text })
                let expected = Set(
                    rows[number].fields.map { Array($0.name.utf8) + [0x3D] + $0.text }
                )
                #expect(fields == expected, "row \(number), flushed \(isFlushed)")
            }
        }
        #expect(store.status().quarantined.isEmpty)
        store.stop()
        #expect(try StoreChecker.check(directory.path).problems.isEmpty)
    }

    /// One row that is larger than any page may be.
    @Test func aRowOfManyLongValuesComesBack() throws {
        let fields = (0..<80).map { field in
            ("f\(field)", [UInt8](repeating: UInt8(0x41 + field % 50), count: 256 << 10))
        }
        try Self.expectBack([
            [Self.row(0, [("", [0x61])]), Self.row(1, fields), Self.row(2, [("", [0x62])])]
        ])
    }

    /// Every row has names of its own, so long that together they are more than a page may be.
    @Test func aBlockOfManyLongNamesIsCutBeforeItsDirectoryIsTooLarge() throws {
        var batches: [[LogRow]] = []
        for batch in 0..<4 {
            let rows = (0..<16).map { number in
                let row = batch * 16 + number
                return Self.row(
                    row,
                    (0..<600).map { field in
                        let name = "r\(row)_\(field)_"
                        return (name + String(repeating: "n", count: 500 - name.count), [0x31])
                    }
                )
            }
            batches.append(rows)
        }
        try Self.expectBack(batches)
    }

    /// A batch that the journal could not be read back with is refused, and not acknowledged.
    @Test func aBatchBeyondTheJournalsLimitIsRefused() throws {
        let directory = try TemporaryDirectory()
        let store = try StoreHarness.open(directory.path)
        let value = [UInt8](repeating: 0x61, count: 8 << 20)
        let rows = (0..<33).map { Self.row($0, [("", value)]) }
        #expect(throws: StoreError.self) { try LogHarness.append(rows, to: store) }
        try LogHarness.append([Self.row(0, [("", [0x61])])], to: store)
        #expect(try LogHarness.read(store)[Self.stream]?.count == 1)
        store.stop(isFlushing: false)
        let again = try StoreHarness.open(directory.path)
        #expect(again.replayReport.tornTails.isEmpty)
        #expect(try LogHarness.read(again)[Self.stream]?.count == 1)
        again.stop()
    }
}
