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
    }

    private static func copy(from directory: String, suffix: String, to target: String) throws {
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
}
