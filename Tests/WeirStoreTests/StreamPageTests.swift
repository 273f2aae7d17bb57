import Testing
import WeirColumns
import WeirCore
import WeirSystem
import WeirTestSupport

@testable import WeirStore

/// Streams ascend from page to page, or the segment is refused, whatever its checksums say.
@Suite struct StreamPageTests {
    private static let streamCount = StreamIndex.streamsPerPageMax + 2

    private static func labels(_ number: Int) -> Labels {
        Labels([("__name__", "m"), ("host", "h\(10_000 + number)")])
    }

    /// A segment of two pages of streams and no rows, whose footer says of them what `forge` makes of it.
    private static func segment(
        in folder: TemporaryDirectory,
        _ forge: ([StreamPageEntry]) -> [StreamPageEntry]
    ) throws -> SegmentReader {
        let path = "\(folder.path)/forged.seg"
        let host = HostFileSystem()
        var writer = try SegmentFileWriter(
            file: host.openForWriting(path),
            encoder: PageEncoder(effort: .fast)
        )
        for number in 0..<streamCount { writer.index(labels(number)) }
        _ = try writer.finish { pages in
            SegmentFooter(
                signal: .metrics,
                sequences: 1...1,
                streamCount: streamCount,
                rowCount: 0,
                times: 0...0,
                streamPages: forge(pages)
            )
        }
        return try SegmentReader(path: path, fileSystem: host)
    }

    private static func entry(_ page: StreamPageEntry, first: Labels) -> StreamPageEntry {
        StreamPageEntry(
            offset: page.offset,
            firstStream: page.firstStream,
            streamCount: page.streamCount,
            firstLabels: first,
            page: page.page
        )
    }

    @Test func pagesInOrderAreRead() throws {
        let folder = try TemporaryDirectory()
        let segment = try Self.segment(in: folder) { $0 }
        let decoder = PageDecoder()
        let labels =
            try segment.readStreamPage(0, decoder: decoder)
            + segment.readStreamPage(1, decoder: decoder)
        #expect(labels == (0..<Self.streamCount).map(Self.labels))
    }

    @Test func pagesOutOfOrderAreRefused() throws {
        let folder = try TemporaryDirectory()
        #expect(throws: SegmentError.self) {
            try Self.segment(in: folder) { $0.reversed() }
        }
        #expect(throws: SegmentError.self) {
            try Self.segment(in: folder) { [$0[0], Self.entry($0[1], first: $0[0].firstLabels)] }
        }
    }

    /// The footer's labels ascend, but are not those of the pages.
    @Test func pagesThatAreNotTheFootersAreRefused() throws {
        let folder = try TemporaryDirectory()
        let decoder = PageDecoder()
        let swapped = try Self.segment(in: folder) { pages in
            [
                Self.entry(pages[1], first: pages[0].firstLabels),
                Self.entry(pages[0], first: pages[1].firstLabels),
            ]
        }
        for page in 0..<2 {
            #expect(throws: SegmentError.self) {
                try swapped.readStreamPage(page, decoder: decoder)
            }
        }
        // The first page ends after the second one is said to begin.
        let overlapping = try Self.segment(in: folder) { pages in
            [pages[0], Self.entry(pages[1], first: Self.labels(5))]
        }
        for page in 0..<2 {
            #expect(throws: SegmentError.self) {
                try overlapping.readStreamPage(page, decoder: decoder)
            }
        }
    }
}
