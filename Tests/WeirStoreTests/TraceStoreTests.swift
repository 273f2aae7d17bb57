import Synchronization
import Testing
import WeirColumns
import WeirCore
import WeirSystem
import WeirTestSupport

@testable import WeirStore

/// Spans through the whole store: memory, encoded memory, segments, merges, reopening; and the way
/// from a trace's id to the blocks that hold its spans.
@Suite struct TraceStoreTests {
    private static func read(_ store: Store, _ budget: FreeBudget = FreeBudget()) throws -> [LogRow]
    {
        try LogHarness.read(store, signal: .traces, budget: budget)[.empty] ?? []
    }

    private static func expected(_ rows: [LogRow]) -> [LogRow] {
        LogHarness.expected(rows, signal: .traces)[.empty] ?? []
    }

    private static func select(_ store: Store) throws -> RowSelection {
        try store.selectRows(
            signal: .traces,
            matchers: [],
            times: Int64.min...Int64.max,
            budget: FreeBudget()
        )
    }

    private static func blocks(_ selection: RowSelection, _ trace: Int) -> [Int] {
        selection.blocks(ofTrace: Array(SpanRows.traceID(trace).utf8), budget: FreeBudget())
    }

    /// A trace's spans out of the blocks that the store names for it.
    private static func spans(_ selection: RowSelection, _ trace: Int) throws -> [LogRow] {
        try LogHarness.rows(selection, blocks(selection, trace)).map { $0.asRead(.traces) }
            .filter { $0.text(SpanField.traceID) == SpanRows.traceID(trace) }
    }

    /// How many rows are kept, whether or not they are the same.
    private static func rowCount(_ store: Store) throws -> Int {
        try select(store).blocks.reduce(0) { $0 + $1.rowCount }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func everySpanOfATraceIsInTheBlocksNamedForIt(_ seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        var random = SplitMix64(seed: seed)
        var store = try StoreHarness.open(directory.path)
        var rows: [LogRow] = []
        var number = 0
        for _ in 0..<16 {
            switch Int.random(in: 0..<8, using: &random) {
            case 0: try store.flush()
            case 1: try store.merge()
            case 2:
                store.stop(isFlushing: Bool.random(using: &random))
                store = try StoreHarness.open(directory.path)
            default:
                var batch: [LogRow] = []
                for _ in 0..<Int.random(in: 1...(seed == 1 ? 300 : 60), using: &random) {
                    let trace = Int.random(in: 0..<90, using: &random)
                    batch.append(SpanRows.row(&random, trace: trace, number: number))
                    number += 1
                }
                if Int.random(in: 0..<4, using: &random) == 0 {
                    // Over midnight: a trace's spans lie in two days.
                    batch[0].time -= 86_400 * StoreHarness.second
                }
                if let again = rows.randomElement(using: &random) { batch.append(again) }
                try LogHarness.append(batch, signal: .traces, to: store)
                rows += batch
            }
            #expect(try Self.read(store) == Self.expected(rows), "seed \(seed)")
        }
        try store.flush()
        try store.merge()
        let all = Self.expected(rows)
        #expect(try Self.read(store) == all)
        let selection = try Self.select(store)
        for trace in 0..<90 {
            let wanted = all.filter { $0.text(SpanField.traceID) == SpanRows.traceID(trace) }
            #expect(try Self.spans(selection, trace).distinctSpans == wanted, "seed \(seed)")
        }
        store.stop()
        let report = try StoreChecker.check(directory.path)
        #expect(report.problems.isEmpty)
    }

    @Test func resourceFieldsAreTheRowsOwnAndItsOwnStandBefore() throws {
        let directory = try TemporaryDirectory()
        let store = try StoreHarness.open(directory.path)
        var plain = SpanRows.minimal(trace: 1, span: 1, time: StoreHarness.start, process: 4)
        var own = SpanRows.minimal(trace: 1, span: 2, time: StoreHarness.start + 1, process: 4)
        own.fields.append(SpanRows.field("resource.host.cpus", .text, "many"))
        plain.fields.append(SpanRows.field("span.x", .number, "1"))
        try LogHarness.append([own, plain], signal: .traces, to: store)
        for isFlushed in [false, true] {
            if isFlushed { try store.flush() }
            let found = try Self.read(store)
            try #require(found.count == 2)
            let shared = [
                "resource.empty=1", "resource.host.cpus=25", "resource.is.spot=3true",
                "resource.raw=5AQL/", "resource.service.name=1checkout",
                #"resource.tags=4["a",4]"#, "scope:name=1tracer.0",
            ]
            func text(_ row: LogRow) -> [String] {
                row.fields.filter { !$0.name.hasPrefix("span") && !$0.name.hasPrefix("trace") }
                    .map {
                        "\($0.name)=\($0.kind.rawValue)\(String(decoding: $0.text, as: UTF8.self))"
                    }
            }
            #expect(text(found[0]) == shared)
            #expect(
                text(found[1])
                    == shared.map {
                        $0 == "resource.host.cpus=25" ? "resource.host.cpus=1many" : $0
                    }
            )
            #expect(found.allSatisfy { $0.stream == .empty })
        }
        store.stop()
    }

    @Test func aSpanThatIsThereTwiceIsKeptOnce() throws {
        let directory = try TemporaryDirectory()
        let store = try StoreHarness.open(directory.path)
        var random = SplitMix64(seed: 8)
        let rows = (0..<200).map { SpanRows.row(&random, trace: $0 % 20, number: $0) }
        // In one batch, in others, and with what only looks like the same.
        try LogHarness.append(rows + rows.prefix(50), signal: .traces, to: store)
        try LogHarness.append(Array(rows.suffix(120)), signal: .traces, to: store)
        var changed: [LogRow] = []
        for (index, row) in rows.prefix(40).enumerated() {
            var row = row
            switch index % 4 {
            case 0: row.time += 1
            case 1:
                row.fields.removeAll { $0.name == SpanField.kind }
                row.fields.append(SpanRows.field(SpanField.kind, .text, "producer"))
            case 2:
                row.fields.removeAll { $0.name == SpanField.duration }
                row.fields.append(SpanRows.field(SpanField.duration, .number, "77777"))
            default:
                row.fields.removeAll { $0.name == SpanField.spanID }
                row.fields.append(SpanRows.field(SpanField.spanID, .text, SpanRows.hex(1 << 40)))
            }
            changed.append(row)
        }
        try LogHarness.append(changed, signal: .traces, to: store)
        try store.flush()
        #expect(try Self.rowCount(store) == 240)
        #expect(try Self.read(store) == Self.expected(rows + changed))
        // Segments are small, so a merge takes them apart: those that came after a flush go too.
        try LogHarness.append(rows, signal: .traces, to: store)
        try store.flush()
        try store.merge()
        #expect(try Self.rowCount(store) == 240)
        #expect(try Self.read(store) == Self.expected(rows + changed))
        store.stop()
    }

    /// Rows of the signal that are no spans, which another program's plug-in may send.
    @Test func rowsWithoutIdsAreKeptAsTheyAre() throws {
        let directory = try TemporaryDirectory()
        let store = try StoreHarness.open(directory.path)
        var rows: [LogRow] = []
        for number in 0..<30 {
            var row = SpanRows.minimal(trace: 1, span: number, time: StoreHarness.start)
            if number % 3 == 0 {
                row.fields.removeAll { $0.name == SpanField.traceID }
            } else if number % 3 == 1 {
                row.fields[0] = SpanRows.field(SpanField.traceID, .text, "No id \(number % 2)")
            } else {
                row.fields.removeAll { $0.name == SpanField.spanID }
            }
            rows.append(row)
        }
        try LogHarness.append(rows, signal: .traces, to: store)
        for _ in 0..<2 {
            try store.flush()
            #expect(try Self.rowCount(store) >= 20)
            #expect(try Self.read(store) == Self.expected(rows))
        }
        let selection = try Self.select(store)
        for id in ["", "No id 0", "no id 1", String(repeating: "g", count: 32)] {
            #expect(selection.blocks(ofTrace: Array(id.utf8), budget: FreeBudget()).isEmpty)
        }
        store.stop()
        #expect(try StoreChecker.check(directory.path).problems.isEmpty)
    }

    /// More traces than a page of the index holds, in memory, encoded there, on disk and merged.
    @Test func tracesAreFoundAmongManyAndFewOtherBlocksAreRead() throws {
        let directory = try TemporaryDirectory()
        var store = try StoreHarness.open(directory.path) { $0.memoryBytesMax = 1 << 30 }
        let traceCount = 5000
        func batch(_ part: Int) -> [LogRow] {
            // Each part has a span of each trace; parts are in other orders.
            (0..<traceCount).map { index in
                let trace = part == 0 ? index : (index * 7919 + part) % traceCount
                return SpanRows.minimal(
                    trace: trace,
                    span: part,
                    time: StoreHarness.start + Int64(trace) * 1_000_000 + Int64(part * 1000),
                    process: trace
                )
            }
        }
        func expectFound(_ isIndexed: Bool, parts: Int) throws {
            let selection = try Self.select(store)
            var named = 0
            for trace in stride(from: 0, to: traceCount, by: 797) {
                let blocks = Self.blocks(selection, trace)
                named += blocks.count
                let found = try Self.spans(selection, trace).distinctSpans
                #expect(
                    found.map { $0.text(SpanField.spanID) }
                        == (0..<parts).map {
                            SpanRows.hex(UInt64($0 + 1))
                        }
                )
                for (part, span) in found.enumerated() {
                    let row = SpanRows.minimal(
                        trace: trace,
                        span: part,
                        time: span.time,
                        process: trace
                    )
                    #expect(span == row.asRead(.traces))
                }
            }
            guard isIndexed else { return }
            // A trace's few spans lie side by side, or over the edge of a block, in each segment.
            #expect(named <= 7 * parts + 3, "\(named) blocks of \(selection.blocks.count)")
            var chance = 0
            for absent in 0..<300 {
                chance += Self.blocks(selection, traceCount + absent).count
            }
            #expect(chance <= 2)
        }
        try LogHarness.append(batch(0), signal: .traces, to: store)
        try LogHarness.append(batch(1), signal: .traces, to: store)
        try expectFound(false, parts: 2)
        try store.flush()
        let reader = try #require(
            store.state.withLock { $0.buckets.values.first?.segments.first?.reader }
        )
        #expect(reader.footer.tracePages.count >= 2)
        #expect(reader.footer.fieldBlocks.count >= 3)
        #expect(
            reader.footer.fieldBlocks.allSatisfy { $0.rowCount <= FieldBlockLimits.spanRowsMax }
        )
        try expectFound(true, parts: 2)
        try LogHarness.append(batch(2), signal: .traces, to: store)
        try LogHarness.append(batch(3), signal: .traces, to: store)
        try store.flush()
        try expectFound(true, parts: 4)
        try store.merge()
        #expect(store.status().signals.map(\.segments) == [1])
        try expectFound(true, parts: 4)
        store.stop()
        store = try StoreHarness.open(directory.path)
        try expectFound(true, parts: 4)
        let path = try #require(
            store.state.withLock { $0.buckets.values.first?.segments.first?.reader.path }
        )
        store.stop()
        let text = try StoreInspector.describe(path)
        #expect(text.contains("trace index"))
        #expect(text.contains(" pages, "))
        #expect(text.contains("every checksum matches"))
        #expect(try StoreChecker.check(directory.path).problems.isEmpty)
    }

    @Test func spansEncodedInMemoryAreFoundByTheirTrace() throws {
        let directory = try TemporaryDirectory()
        let store = try StoreHarness.open(directory.path) { $0.memoryBytesMax = 1 << 30 }
        let rows = (0..<66_000).map { number in
            LogRow(
                stream: SpanRows.process(number % 3),
                time: StoreHarness.start + Int64(number),
                fields: [
                    SpanRows.field(SpanField.traceID, .text, SpanRows.traceID(number % 900)),
                    SpanRows.field(SpanField.spanID, .text, SpanRows.hex(UInt64(number + 1))),
                ]
            )
        }
        for start in stride(from: 0, to: rows.count, by: 22_000) {
            let batch = Array(rows[start..<(start + 22_000)])
            try LogHarness.append(batch, signal: .traces, to: store)
        }
        try StoreHarness.eventually {
            store.state.withLock { $0.buckets.values.contains { !$0.fieldParts.isEmpty } }
        }
        let selection = try Self.select(store)
        for trace in [0, 450, 899] {
            let blocks = Self.blocks(selection, trace)
            #expect(blocks.count <= 2 && blocks.count < selection.blocks.count)
            let found = try Self.spans(selection, trace)
            let wanted = rows.indices.filter { $0 % 900 == trace }.map { rows[$0] }
            #expect(found.distinctSpans == Self.expected(wanted))
            #expect(found.count == wanted.count)
        }
        #expect(Self.blocks(selection, 901).isEmpty)
        store.stop(isFlushing: false)
    }

    // MARK: The index

    @Test func entriesOfOneFingerprintMayLieInSeveralPages() throws {
        let size = TraceIndex.entriesPerPage
        for (shared, count) in [(10, 20), (size - 1, 2), (size - 1, size + 2), (0, 3 * size)] {
            var entries = (0..<UInt32(3 * size)).map {
                TraceIndex.Entry(fingerprint: $0 * 3, block: $0 % 50)
            }
            let fingerprint = entries[shared].fingerprint
            for index in shared..<min(shared + count, entries.count) {
                entries[index] = TraceIndex.Entry(fingerprint: fingerprint, block: UInt32(index))
            }
            entries.append(TraceIndex.Entry(fingerprint: .max, block: 7))
            entries.append(TraceIndex.Entry(fingerprint: 0, block: 9))
            let pages = TraceIndex.pages(entries.reversed())
            let encoder = PageEncoder(effort: .fast)
            let places = pages.map { page in
                TraceIndex.PagePlace(
                    offset: 8,
                    firstFingerprint: page.firstFingerprint,
                    entryCount: page.entryCount,
                    page: PageEntry(encoder.encode(page.bytes))
                )
            }
            for wanted in [fingerprint, 0, 1, 3, entries[size].fingerprint, .max, .max - 1] {
                let found = try TraceIndex.blocks(of: wanted, in: places) {
                    (index) throws(SegmentError) in
                    do throws(DecodeError) {
                        return try TraceIndex.entries(
                            pages[index].bytes,
                            of: places[index],
                            blockCount: 4 * size
                        )
                    } catch {
                        throw .undecodable(path: "", offset: 0, error)
                    }
                }
                let expected = entries.filter { $0.fingerprint == wanted }.map { Int($0.block) }
                #expect(found == expected.sorted(), "\(wanted) of \(shared), \(count)")
            }
        }
    }

    @Test func aPageThatLiesIsRefused() throws {
        let entries = (0..<100).map { TraceIndex.Entry(fingerprint: $0 * 7, block: $0 % 5) }
        let page = TraceIndex.pages(entries)[0]
        let entry = PageEntry(PageEncoder(effort: .fast).encode(page.bytes))
        func decode(
            _ bytes: [UInt8],
            first: UInt32 = page.firstFingerprint,
            count: Int = page.entryCount,
            blocks: Int = 5
        ) throws -> [TraceIndex.Entry] {
            let place = TraceIndex.PagePlace(
                offset: 8,
                firstFingerprint: first,
                entryCount: count,
                page: entry
            )
            return try TraceIndex.entries(bytes, of: place, blockCount: blocks)
        }
        #expect(try decode(page.bytes) == entries)
        for count in [0, 99, 101, 4096] {
            #expect(throws: DecodeError.self) { try decode(page.bytes, count: count) }
        }
        #expect(throws: DecodeError.self) { try decode(page.bytes, blocks: 4) }
        #expect(throws: DecodeError.self) { try decode(page.bytes, first: .max - 3) }
        #expect(throws: DecodeError.self) { try decode(page.bytes + [0]) }
        for length in page.bytes.indices {
            #expect(throws: DecodeError.self) { try decode(Array(page.bytes[..<length])) }
        }
        var random = SplitMix64(seed: 3)
        for _ in 0..<2000 {
            var bytes = page.bytes
            let place = Int.random(in: bytes.indices, using: &random)
            bytes[place] = UInt8.random(in: 0...255, using: &random)
            guard let found = try? decode(bytes) else { continue }
            #expect(found.allSatisfy { $0.block < 5 })
        }
    }
}
