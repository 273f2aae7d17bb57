import Synchronization
import Testing
import WeirColumns
import WeirCore
import WeirSystem
import WeirTestSupport

@testable import WeirStore

/// Segments of spans whose bytes are not what was written.
@Suite struct TraceDamageTests {
    /// Two segments in a folder; the first has several pages of traces.
    private struct Fixture {
        let folder: TemporaryDirectory
        let first: SegmentPath
        let footer: SegmentFooter
        let byteCount: Int

        struct SegmentPath {
            /// Below the data folder.
            let path: String
            let traces: ClosedRange<Int>
        }

        static let traceCount = 4200

        init() throws {
            folder = try TemporaryDirectory()
            let store = try StoreHarness.open("\(folder.path)/data") {
                $0.memoryBytesMax = 1 << 30
            }
            for segment in 0..<2 {
                let count = segment == 0 ? Self.traceCount : 10
                let rows = (0..<count).map { trace in
                    SpanRows.minimal(
                        trace: segment * Self.traceCount + trace,
                        span: 1,
                        time: StoreHarness.start + Int64(segment * Self.traceCount + trace)
                    )
                }
                try LogHarness.append(rows, signal: .traces, to: store)
                try store.flush()
            }
            let segments = store.state.withLock {
                $0.buckets.values.first?.segments.map(\.self) ?? []
            }
            let found = try #require(segments.max { $0.reader.byteCount < $1.reader.byteCount })
            footer = found.reader.footer
            byteCount = found.reader.byteCount
            first = SegmentPath(path: found.record.path, traces: 0...(Self.traceCount - 1))
            store.stop()
        }

        /// A copy of the folder in which one byte of the large segment is another.
        func damaged(at offset: Int, by bits: UInt8 = 0xFF) throws -> String {
            let copy = "\(folder.path)/copy"
            if HostFileSystem().exists(copy) { try StoreHarness.removeTree(copy) }
            try StoreHarness.copyTree("\(folder.path)/data", to: copy)
            let path = "\(copy)/\(first.path)"
            var bytes = try HostFileSystem().readFile(path, bytesMax: 1 << 26)
            bytes[offset] ^= bits
            try HostFileSystem().openForWriting(path).write(bytes, at: 0)
            return copy
        }
    }

    private static func blocks(
        _ store: Store,
        _ trace: Int,
        _ budget: FreeBudget
    ) throws -> [Int] {
        let selection = try store.selectRows(
            signal: .traces,
            matchers: [],
            times: Int64.min...Int64.max,
            budget: budget
        )
        return selection.blocks(ofTrace: Array(SpanRows.traceID(trace).utf8), budget: budget)
    }

    @Test func aDamagedTracePageIsQuarantinedAndNamed() throws {
        let fixture = try Fixture()
        #expect(fixture.footer.tracePages.count == 2)
        for place in fixture.footer.tracePages {
            for offset in [place.offset, place.offset + place.page.storedCount - 1] {
                let directory = try fixture.damaged(at: offset, by: 1)
                let problems = try StoreChecker.check(directory).problems
                #expect(problems.count == 1 && problems[0].contains(fixture.first.path))
                let store = try StoreHarness.open(directory)
                let budget = FreeBudget()
                var found = 0
                for trace in stride(from: 0, to: Fixture.traceCount, by: 90) {
                    found += try Self.blocks(store, trace, budget).count
                }
                #expect(found < Fixture.traceCount / 90)
                let noted = budget.quarantined.withLock { $0 }
                #expect(noted.contains(fixture.first.path))
                #expect(store.status().quarantined.map(\.path) == [fixture.first.path])
                // The other segment is served.
                #expect(try Self.blocks(store, Fixture.traceCount + 3, budget).count == 1)
                store.stop()
            }
        }
    }

    @Test func aDamagedFooterIsQuarantinedAndNamed() throws {
        let fixture = try Fixture()
        var random = SplitMix64(seed: 4)
        let pagesEnd = try #require(
            fixture.footer.streamPages.map { $0.offset + $0.page.storedCount }.max()
        )
        let end = max(
            pagesEnd,
            fixture.footer.tracePages.map { $0.offset + $0.page.storedCount }.max() ?? 0
        )
        for _ in 0..<12 {
            let offset = Int.random(in: end..<fixture.byteCount, using: &random)
            let bit = UInt8(1) << UInt8.random(in: 0..<8, using: &random)
            let directory = try fixture.damaged(at: offset, by: bit)
            let store = try StoreHarness.open(directory)
            let budget = FreeBudget()
            #expect(try Self.blocks(store, 5, budget).isEmpty)
            #expect(budget.quarantined.withLock { $0 }.contains(fixture.first.path))
            #expect(try Self.blocks(store, Fixture.traceCount + 3, budget).count == 1)
            store.stop()
        }
    }

    /// Footers that pass their checksum and say what cannot be.
    @Test func aFooterOfAnyBytesIsRefusedOrHoldsTogether() throws {
        let fixture = try Fixture()
        let bytes = fixture.footer.encoded()
        let again = try SegmentFooter(bytes)
        #expect(again.tracePages == fixture.footer.tracePages)
        #expect(again.encoded() == bytes)
        for length in bytes.indices {
            #expect(throws: DecodeError.self) { try SegmentFooter(Array(bytes[..<length])) }
        }
        var random = SplitMix64(seed: 9)
        for _ in 0..<1500 {
            var bytes = bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: bytes.indices, using: &random)
                bytes[place] = UInt8.random(in: 0...255, using: &random)
            }
            guard let footer = try? SegmentFooter(bytes) else { continue }
            for (left, right) in zip(footer.tracePages, footer.tracePages.dropFirst()) {
                #expect(left.firstFingerprint <= right.firstFingerprint)
            }
        }
    }

    /// An index that leaves a trace out, as only a bug would write it, is found by a check.
    @Test func anIndexThatLeavesTracesOutIsAProblem() throws {
        let folder = try TemporaryDirectory()
        let store = try StoreHarness.open(folder.path)
        let rows = (0..<10).map {
            SpanRows.minimal(trace: $0, span: 1, time: StoreHarness.start + Int64($0))
        }
        try LogHarness.append(rows, signal: .traces, to: store)
        try store.flush()
        let reader = try #require(
            store.state.withLock { $0.buckets.values.first?.segments.first?.reader }
        )
        let bytes = try HostFileSystem().readFile(reader.path, bytesMax: 1 << 20)
        let path = "\(folder.path)/lying.seg"
        let file = try HostFileSystem().openForWriting(path)
        let kept = reader.footer
        let footer = SegmentFooter(
            signal: .traces,
            sequences: kept.sequences,
            streamCount: kept.streamCount,
            rowCount: kept.rowCount,
            times: kept.times,
            streamPages: kept.streamPages,
            fieldBlocks: kept.fieldBlocks
        )
        var lying = Array(bytes.dropLast(SegmentFooter.trailerCount))
        let page = PageEncoder(effort: .fast).encode(footer.encoded())
        lying += page.bytes
        var trailer = UInt32(page.bytes.count).littleEndianBytes
        trailer += UInt32(page.rawCount).littleEndianBytes
        trailer += UInt32(page.encoding.rawValue).littleEndianBytes
        let covered = page.bytes + trailer
        lying += trailer + Checksum.crc32(covered).littleEndianBytes + SegmentFooter.magic
        try file.write(lying, at: 0)
        store.stop()
        let segment = try SegmentReader(path: path, fileSystem: HostFileSystem())
        #expect(segment.footer.tracePages.isEmpty)
        #expect(throws: SegmentError.self) { try segment.verify(decoder: PageDecoder()) }
    }
}

extension UInt32 {
    fileprivate var littleEndianBytes: [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) }
    }
}
