internal import WeirColumns
internal import WeirCore
internal import WeirSystem

/// Walks the streams of one sorted source, in order, and gives out their rows.
protocol StreamCursor: AnyObject {
    /// The current stream; nil at the end.
    var labels: Labels? { get }
    /// Appends all rows of the current stream and moves to the next.
    func takeRows(into run: inout RowRun) throws(SegmentError)
}

/// Walks rows in memory.
final class MemoryPartCursor: StreamCursor {
    private let part: MemoryPart
    private var index = 0

    init(_ part: MemoryPart) { self.part = part }

    var labels: Labels? { index < part.labels.count ? part.labels[index] : nil }

    func takeRows(into run: inout RowRun) throws(SegmentError) {
        let rows = part.starts[index]..<part.starts[index + 1]
        run.append { times, columns in
            times.append(contentsOf: part.times[rows])
            for column in columns.indices { columns[column].append(rows, of: part.columns[column]) }
        }
        index += 1
    }
}

/// Walks a segment front to back: one block and one page of the stream index at a time.
final class SegmentCursor: StreamCursor {
    private let segment: SegmentReader
    private let decoder: PageDecoder
    private let columnSet: Set<Int>
    private var page: [Labels] = []
    private var pageIndex = -1
    private var indexInPage = 0
    private var ordinal = 0
    private var block: BlockReader?
    private var blockIndex = -1
    private var runIndex = 0
    private var scratch: [Int64] = []
    /// The times that were decoded last, and the run of the current block that they are; -1 for none.
    private var times: [Int64] = []
    private var timesRun = -1

    init(_ segment: SegmentReader, decoder: PageDecoder) throws(SegmentError) {
        self.segment = segment
        self.decoder = decoder
        columnSet = Set(segment.footer.signal.schema.columns.indices)
        try loadNextPage()
        try loadNextBlock()
    }

    var labels: Labels? { indexInPage < page.count ? page[indexInPage] : nil }

    private func loadNextPage() throws(SegmentError) {
        pageIndex += 1
        indexInPage = 0
        page =
            pageIndex < segment.footer.streamPages.count
            ? try segment.readStreamPage(pageIndex, decoder: decoder) : []
    }

    private func loadNextBlock() throws(SegmentError) {
        blockIndex += 1
        runIndex = 0
        timesRun = -1
        block =
            blockIndex < segment.footer.blocks.count
            ? try segment.readBlock(blockIndex, columns: columnSet, decoder: decoder) : nil
    }

    func takeRows(into run: inout RowRun) throws(SegmentError) {
        while let block {
            if runIndex == block.head.runs.count {
                try loadNextBlock()
                continue
            }
            guard block.head.runs[runIndex].stream == ordinal else { break }
            let current = runIndex
            do throws(DecodeError) {
                // Series that are sent together have the same times.
                let shared = block.head.runs[current].timesRun
                if shared != timesRun {
                    timesRun = -1
                    times.removeAll(keepingCapacity: true)
                    try block.appendTimes(ofRun: current, to: &times)
                    timesRun = shared
                }
                try run.append { times, columns throws(DecodeError) in
                    times.append(contentsOf: self.times)
                    for column in columns.indices {
                        try block.appendColumn(
                            column,
                            ofRun: current,
                            to: &columns[column],
                            scratch: &scratch
                        )
                    }
                }
            } catch {
                throw .undecodable(
                    path: segment.path,
                    offset: segment.footer.blocks[blockIndex].offset,
                    error
                )
            }
            runIndex += 1
        }
        ordinal += 1
        indexInPage += 1
        if indexInPage == page.count { try loadNextPage() }
    }
}

/// Merges sorted sources into one segment.
///
/// Sources are given oldest first: of rows with equal times the newest source's stays.
enum SegmentMerge {
    enum Failure: Error {
        case source(SegmentError)
        case file(FileError)
    }

    static func merge(
        _ cursors: [any StreamCursor],
        schema: StreamSchema,
        into writer: inout SegmentWriter
    ) throws(Failure) {
        var run = RowRun(schema: schema)
        // Kept beside the cursors: with a million streams, asking each of them for its labels at
        // every turn costs more than comparing.
        var heads = cursors.map(\.labels)
        var matching: [Int] = []
        while true {
            matching.removeAll(keepingCapacity: true)
            for index in heads.indices {
                guard let labels = heads[index] else { continue }
                if let first = matching.first, let known = heads[first], labels != known {
                    guard labels < known else { continue }
                    matching.removeAll(keepingCapacity: true)
                }
                matching.append(index)
            }
            guard let first = matching.first, let smallest = heads[first] else { return }
            run.removeAll()
            do throws(SegmentError) {
                for index in matching {
                    try cursors[index].takeRows(into: &run)
                    heads[index] = cursors[index].labels
                }
            } catch {
                throw .source(error)
            }
            run.normalize()
            do throws(FileError) {
                try writer.append(smallest, times: run.times, columns: run.columns)
            } catch {
                throw .file(error)
            }
        }
    }
}
