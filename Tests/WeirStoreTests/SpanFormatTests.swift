import Testing
import WeirColumns
import WeirCore
import WeirSystem
import WeirTestSupport

@testable import WeirStore

/// Files with spans that must stay readable, and the examples of docs/format that concern spans.
@Suite struct SpanFormatTests {
    private static let folder =
        String(#filePath).split(separator: "/").dropLast()
        .reduce("") { $0 + "/" + $1 } + "/Goldens"

    /// 120 spans of 30 traces, of three processes, that lie in another order than their traces.
    private static let rows: [LogRow] = (0..<120).map { number in
        func hex(_ value: UInt64) -> String {
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        let trace = number * 7 % 30
        let process = number % 3
        var fields: [(String, FieldKind, String)] = [
            (
                SpanField.traceID, .text,
                hex(UInt64(trace + 1) &* 0x9E37_79B9_7F4A_7C15) + hex(UInt64(trace) << 40 | 1)
            ),
            (SpanField.spanID, .text, hex(UInt64(number + 1) &* 0xD1B5_4A32_D192_ED03)),
            (SpanField.name, .text, ["GET /cart", "SELECT", "publish"][number % 3]),
            (SpanField.duration, .number, "\(number * 7919 % 1_000_000)"),
            ("span.http.status", .number, number % 11 == 0 ? "500" : "200"),
            ("span.ratio", .number, "\(number).5"), ("span.raw", .bytes, "AQL/"),
        ]
        if number % 4 != 0 {
            fields.append((SpanField.kind, .text, ["server", "client"][number % 2]))
        }
        if number % 10 == 3 {
            fields.append((SpanField.events, .json, #"[{"at":\#(number),"name":"retry"}]"#))
        }
        return LogRow(
            stream: Labels([
                ("resource.service.name", "1\(["web", "cart", "db"][process])"),
                ("resource.host.cpus", "2\(process + 1)"),
                ("resource.spot", "3\(process == 0)"), ("scope:name", "1golden"),
            ]),
            time: 1_790_000_000_000_000_000 + Int64(trace) * 1_000_003 + Int64(number),
            fields: fields.map { LogRow.Field(name: $0.0, kind: $0.1, text: Array($0.2.utf8)) }
        )
    }

    /// Set `WEIR_UPDATE_GOLDENS` to write the files anew: `FormatGoldenTests`.
    @Test func writesGoldensWhenAsked() throws {
        guard GoldenFile.isUpdating else { return }
        let directory = try TemporaryDirectory()
        let store = try StoreHarness.open(directory.path)
        try LogHarness.append(Array(Self.rows.prefix(6)), signal: .traces, to: store)
        try FormatGoldenTests.copy(
            from: directory.path,
            suffix: ".wal",
            to: "\(Self.folder)/journal-spans-1.wal"
        )
        try LogHarness.append(Array(Self.rows.dropFirst(6)), signal: .traces, to: store)
        try store.flush()
        try FormatGoldenTests.copy(
            from: directory.path,
            suffix: ".seg",
            to: "\(Self.folder)/segment-3.seg"
        )
        store.stop()
    }

    @Test func segmentVersion3IsRead() throws {
        let segment = try SegmentReader(
            path: "\(Self.folder)/segment-3.seg",
            fileSystem: HostFileSystem()
        )
        #expect(segment.footer.signal == .traces)
        #expect(segment.footer.rowCount == Self.rows.count)
        #expect(segment.footer.streamCount == 1)
        #expect(segment.footer.tracePages.map(\.entryCount) == [30])
        let decoder = PageDecoder()
        try segment.verify(decoder: decoder)
        #expect(try segment.readStreamPage(0, decoder: decoder) == [.empty])
        let batch = try FieldRows.read(
            SegmentFieldPages(segment: segment, index: 0),
            ordinals: [0]
        )
        let found = FormatGoldenTests.rows(of: batch, labels: [0: .empty])
        // Traces by their first start, the spans of one by their own.
        #expect(
            found.map { $0.asRead(.traces) }
                == Self.rows.sorted { $0.time < $1.time }.map { $0.asRead(.traces) }
        )
        for row in Self.rows.prefix(30) {
            let text = Array(row.text(SpanField.traceID).utf8)
            let id = TraceID(digits: text.span)
            let trace = try #require(id)
            #expect(try segment.blocks(ofTrace: trace, decoder: decoder) == [0])
        }
    }

    @Test func journalOfSpansIsRead() throws {
        let (record, rows) = try FormatGoldenTests.journal("journal-spans-1.wal")
        #expect(record.signal == .traces)
        // A process is a stream, whose labels are the fields that its spans share.
        #expect(record.definitions.count == 3)
        #expect(rows == Array(Self.rows.prefix(6)))
    }

    // MARK: docs/format

    @Test(
        arguments: [
            ("0102030405060708090a0b0c0d0e0f10", 0xAD80_6C24),
            ("00000000000000000000000000000000", 0x6659_9056),
            ("00000000000000000000000000000001", 0x02E2_F1CF),
        ] as [(String, UInt32)]
    )
    func fingerprintExampleIsRight(_ id: String, _ fingerprint: UInt32) {
        let digits = Array(id.utf8)
        let trace = TraceID(digits: digits.span)
        #expect(trace?.fingerprint == fingerprint)
    }

    @Test func tracePageExampleIsRight() throws {
        let entries = [(5, 0), (5, 1), (300, 0)].map {
            TraceIndex.Entry(fingerprint: UInt32($0.0), block: UInt32($0.1))
        }
        let pages = TraceIndex.pages(entries)
        #expect(pages.count == 1)
        #expect(pages.first?.firstFingerprint == 5)
        #expect(pages.first?.bytes == [0x00, 0x00, 0xA7, 0x02, 0x00, 0x01, 0x00])
    }

    /// The example of docs/format/labels.md: what the spans of a process share.
    @Test func sharedFieldsExampleIsRight() throws {
        var bytes: [UInt8] = []
        for (name, kind, value) in [
            ("resource.host.cpus", FieldKind.number, "8"),
            ("resource.service.name", .text, "web"),
        ] {
            SharedFields.append(
                name: name.utf8.span,
                kind: kind,
                value: value.utf8.span,
                to: &bytes
            )
        }
        let expected: [UInt8] =
            [0x12] + Array("resource.host.cpus".utf8) + [0x02, 0x32, 0x38, 0x15]
            + Array("resource.service.name".utf8) + [0x04, 0x31] + Array("web".utf8)
        #expect(bytes == expected)
        let labels = try Labels(validating: bytes)
        #expect(SharedFields.value(of: "resource.host.cpus", in: labels)?.kind == .number)
    }
}
