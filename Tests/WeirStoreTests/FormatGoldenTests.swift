import Testing
import WeirColumns
import WeirCore
import WeirSystem
import WeirTestSupport

@testable import WeirStore

/// Files of each format version that must stay readable, and the hex examples of docs/format.
@Suite struct FormatGoldenTests {
    private static let folder =
        String(#filePath).split(separator: "/").dropLast()
        .reduce("") { $0 + "/" + $1 } + "/Goldens"

    private static let rows: [(Labels, Int64, Double)] = {
        let walk = Labels([("__name__", "walk"), ("host", "a")])
        let mixed = Labels([("__name__", "mixed"), ("host", "b")])
        let start: Int64 = 1_790_000_000_000_000_000
        let specials = [0.1, -0.0, .infinity, Double(bitPattern: 0x7FF0_0000_0000_0002), 1.0 / 3]
        return (0..<100).map { (walk, start + Int64($0) * 10_000_000_000, Double(50 + $0 % 3)) }
            + specials.enumerated().map { (mixed, start + Int64($0.offset) * 7, $0.element) }
    }()

    /// Set `WEIR_UPDATE_GOLDENS` to write the files anew; they are then to be looked at, and a
    /// change of format needs a new version and a new file instead.
    @Test func writesGoldensWhenAsked() throws {
        guard GoldenFile.isUpdating else { return }
        let directory = try TemporaryDirectory()
        let files = HostFileSystem()
        let store = try StoreHarness.open(directory.path)
        try StoreHarness.append(Self.rows, to: store, batchID: Array("golden".utf8))
        try files.createDirectories(Self.folder)
        try Self.copy(from: directory.path, suffix: ".wal", to: "\(Self.folder)/journal-1.wal")
        try store.flush()
        try Self.copy(from: directory.path, suffix: ".seg", to: "\(Self.folder)/segment-1.seg")
        store.stop()
        let logs = try TemporaryDirectory()
        let logStore = try StoreHarness.open(logs.path)
        try LogHarness.append(Array(Self.logRows.prefix(6)), to: logStore)
        try Self.copy(from: logs.path, suffix: ".wal", to: "\(Self.folder)/journal-logs-1.wal")
        try LogHarness.append(Array(Self.logRows.dropFirst(6)), to: logStore)
        try logStore.flush()
        try Self.copy(from: logs.path, suffix: ".seg", to: "\(Self.folder)/segment-2.seg")
        logStore.stop()
    }

    /// Rows whose fields take every codec.
    private static let logRows: [LogRow] = (0..<200).map { number in
        func text(_ value: Int, _ digits: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        let mixed = UInt64(number + 1) &* 0x9E37_79B9_7F4A_7C15
        let hex = String(mixed | 1 << 63, radix: 16)
        var fields: [(String, FieldKind, String)] = [
            (
                "", .text,
                "order \(mixed % 100_000) took \(number * 7 % 90)ms for user-\(number % 11)"
            ),
            ("constant", .text, "always"),
            ("level", .text, ["info", "warn", "error"][number % 3]),
            ("n", .number, "\(number - 3)"),
            ("took", .number, "\(number).\(text(Int(mixed % 1000), 3))"),
            ("shortest", .number, number % 10 == 0 ? "\(number)" : "\(number).5"),
            ("pointed", .number, "\(number).\(number % 10)"),
            ("padded", .text, text(number * 37, 6)),
            ("peer", .text, "10.0.\(mixed % 256).\(number)"),
            ("at", .text, "2026-03-01T00:00:\(text(number % 60, 2)).\(text(number, 3))Z"),
            ("trace_id", .text, hex),
            ("request", .text, "\(hex.prefix(8))-0000-1111-2222-\(hex.suffix(12))"),
            ("plain", .text, String(decoding: hex.utf8.map { $0 ^ 0x15 }, as: UTF8.self)),
            ("mixed", number % 2 == 0 ? .boolean : .json, number % 2 == 0 ? "true" : "[\(number)]"),
        ]
        if number % 2 == 1 { fields.append(("odd", .number, "\(number)")) }
        if number % 90 == 5 { fields.append(("rare", .text, "r")) }
        return LogRow(
            stream: Labels([("host", number % 2 == 0 ? "a" : "b"), ("service", "golden")]),
            time: 1_790_000_000_000_000_000 + Int64(number / 4) * 1_000_003,
            fields: fields.map { LogRow.Field(name: $0.0, kind: $0.1, text: Array($0.2.utf8)) }
        )
    }

    static func rows(of batch: ResolvedBatch, labels: [UInt32: Labels]) -> [LogRow] {
        (0..<batch.rowCount).map { row in
            var log = LogRow(
                stream: labels[batch.references[row]] ?? .empty,
                time: batch.times[row],
                fields: []
            )
            for column in batch.fields.columns {
                guard let index = column.index(ofRow: row),
                    let kind = FieldKind(rawValue: column.kinds[index])
                else { continue }
                let text = Array(column.values[index])
                log.fields.append(LogRow.Field(name: column.name, kind: kind, text: text))
            }
            return log
        }
    }

    @Test func segmentVersion2IsRead() throws {
        let segment = try SegmentReader(
            path: "\(Self.folder)/segment-2.seg",
            fileSystem: HostFileSystem()
        )
        #expect(segment.footer.rowCount == Self.logRows.count)
        #expect(segment.footer.fieldBlocks.count == 1)
        let pages = SegmentFieldPages(segment: segment, index: 0)
        let batch = try FieldRows.read(pages, ordinals: [0, 1])
        let labels = try segment.readStreamPage(0, decoder: PageDecoder())
        let named = Dictionary(uniqueKeysWithValues: zip([0, 1] as [UInt32], labels))
        let found = Self.rows(of: batch, labels: named)
        #expect(LogHarness.expected(found) == LogHarness.expected(Self.logRows))
        #expect(found.map(\.stream["host"]) == (0..<200).map { $0 < 100 ? "a" : "b" })
        let codecs = try pages.directory(decoder: PageDecoder()).entries.reduce(into: [:]) {
            $0[$1.name] = $1.codecName
        }
        #expect(
            codecs == [
                "": "templates", "constant": "constant", "level": "dictionary of 3",
                "n": "numbers", "took": "numbers", "shortest": "numbers", "pointed": "numbers",
                "padded": "numbers", "peer": "IPv4", "at": "timestamps", "trace_id": "8-byte ids",
                "request": "UUIDs", "plain": "text", "mixed": "templates", "odd": "numbers",
                "rare": "constant",
            ]
        )
    }

    @Test func journalOfLogsIsRead() throws {
        let (record, rows) = try Self.journal("journal-logs-1.wal")
        #expect(record.signal == .logs)
        #expect(record.definitions.count == 2)
        #expect(rows == Array(Self.logRows.prefix(6)))
    }

    /// The one record of a golden journal, and its rows.
    static func journal(_ name: String) throws -> (record: JournalRecord, rows: [LogRow]) {
        let file = try HostFileSystem().openForReading("\(folder)/\(name)")
        var reader = try JournalFileReader(file: file, byteCount: try file.size())
        let record = try JournalRecord(payload: try #require(try reader.next()))
        let batch = ResolvedBatch(
            sequence: record.sequence,
            references: record.references,
            times: record.times,
            columns: record.columns,
            fields: record.fields
        )
        let labels = Dictionary(
            uniqueKeysWithValues: record.definitions.map { ($0.reference, $0.labels) }
        )
        #expect(try reader.next() == nil)
        return (record, rows(of: batch, labels: labels))
    }

    static func copy(from directory: String, suffix: String, to target: String) throws {
        let files = HostFileSystem()
        for name in try files.list(directory) {
            let path = "\(directory)/\(name)"
            if (try? files.list(path)) != nil {
                try copy(from: path, suffix: suffix, to: target)
            } else if name.hasSuffix(suffix) {
                let bytes = try files.readFile(path, bytesMax: 1 << 20)
                let file = try files.openForWriting(target)
                try file.truncate(to: 0)
                try file.write(bytes, at: 0)
            }
        }
    }

    @Test func segmentVersion1IsRead() throws {
        let segment = try SegmentReader(
            path: "\(Self.folder)/segment-1.seg",
            fileSystem: HostFileSystem()
        )
        #expect(segment.footer.rowCount == Self.rows.count)
        #expect(segment.footer.streamCount == 2)
        let cursor = try SegmentCursor(segment, decoder: PageDecoder())
        var found: [Labels: [Sample]] = [:]
        while let labels = cursor.labels {
            var run = RowRun(schema: .metrics)
            try cursor.takeRows(into: &run)
            found[labels] = zip(run.times, run.columns[0].floats).map { Sample($0, $1) }
        }
        var expected: [Labels: [Sample]] = [:]
        for (labels, time, value) in Self.rows {
            expected[labels, default: []].append(Sample(time, value))
        }
        #expect(found == expected)
    }

    @Test func journalVersion1IsRead() throws {
        let file = try HostFileSystem().openForReading("\(Self.folder)/journal-1.wal")
        var reader = try JournalFileReader(file: file, byteCount: try file.size())
        let record = try JournalRecord(payload: try #require(try reader.next()))
        #expect(record.sequence == 1)
        #expect(record.tenant == "default")
        #expect(record.batchID == Array("golden".utf8))
        #expect(record.definitions.count == 2)
        #expect(record.times == Self.rows.map(\.1))
        #expect(record.columns[0].floats.map(\.bitPattern) == Self.rows.map(\.2.bitPattern))
        #expect(try reader.next() == nil)
    }

    @Test func labelsExampleIsRight() throws {
        let bytes: [UInt8] =
            [0x00, 0x0E] + Array("cpu_usage_user".utf8) + [0x04] + Array("host".utf8) + [
                0x01, 0x61,
            ]
        let labels = Labels([("host", "a"), ("__name__", "cpu_usage_user")])
        #expect(labels.bytes == bytes)
        #expect(try Labels(validating: bytes) == labels)
    }

    @Test func integerRunExampleIsRight() throws {
        var head: [UInt8] = []
        var body: [UInt8] = []
        var scratch: [UInt64] = []
        let values: [Int64] = [50, 51, 52, 50]
        IntegerRun.encode(
            values.span,
            findsUnit: true,
            head: &head,
            body: &body,
            scratch: &scratch
        )
        #expect(head == [0x06, 0x64, 0x02, 0x00])
        #expect(body == [0x50])
    }

    /// The example of docs/format/fields.md: `level` in rows 0 to 8 of 10, but for row 2.
    @Test func fieldExampleIsRight() throws {
        var column = FieldColumn(name: "level")
        for row in [0, 1, 3, 4, 5, 6, 7, 8] {
            let text = row == 1 || row == 7 ? "warn" : "info"
            column.append(row, .text, text.utf8.span)
        }
        var directory: [UInt8] = []
        var area: [UInt8] = []
        FieldEncoder(encoder: PageEncoder(effort: .fast))
            .encode(column, rowCount: 10, directory: &directory, area: &area)
        let name = Array("level".utf8)
        let (info, warn) = (Array("info".utf8), Array("warn".utf8))
        let expected: [UInt8] =
            [0x05] + name + [0x29, 0x08, 0x02, 0x08, 0x00, 0x08, 0x04] + info + [0x04] + warn + [
                0x00, 0x03, 0xF2, 0xD1, 0x0E, 0x7F, 0x00, 0x08, 0x83, 0x31, 0x3E, 0xBC, 0x00, 0x08,
                0x9C, 0xE5, 0x4E, 0xDA,
            ]
        #expect(directory == expected)
        #expect(area == [0x00, 0xFB, 0x01] + info + warn + [0, 1, 0, 0, 0, 0, 1, 0])
    }
}
