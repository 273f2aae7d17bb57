import Synchronization
internal import WeirColumns
internal import WeirCore
internal import WeirPattern
internal import WeirSystem

/// One immutable segment file, open for reading.
///
/// Safe to use from many threads.
///
/// Layout: docs/format/segment.md.
final class SegmentReader: Sendable {
    let path: String
    let byteCount: Int
    let footer: SegmentFooter
    private let file: any File
    /// The label sets, once read, of a segment whose stream index is one page, as most are.
    private let keptLabels = Mutex<[Labels]?>(nil)
    let keptIndex = Mutex<KeptIndex>(.none(bytesMin: 0))
    /// The directories of field blocks that were read last.
    private let keptDirectories = Mutex(KeptDirectories())

    private struct KeptDirectories {
        var directories: [Int: FieldDirectory] = [:]
    }

    /// Directories kept by all segments together, about 20 KiB each; past that one of the segment's
    /// own makes room.
    private static let directoriesMax = 1536
    /// What each segment may keep even so: the newest blocks of a segment just opened.
    private static let directoriesMin = 16
    private static let directoryCount = Atomic<Int>(0)

    deinit {
        let count = keptDirectories.withLock { $0.directories.count }
        Self.directoryCount.subtract(count, ordering: .relaxed)
        dropIndex()
    }

    /// How much of the file's end is read at first: enough for most footers.
    private static let tailBytes = 64 << 10

    /// Opens the file and reads its footer.
    init(path: String, fileSystem: any FileSystem) throws(SegmentError) {
        self.path = path
        do throws(FileError) {
            file = try fileSystem.openForReading(path)
            byteCount = try file.size()
        } catch {
            throw .unreadable(error)
        }
        footer = try Self.readFooter(file, byteCount: byteCount)
    }

    private static func readFooter(
        _ file: any File,
        byteCount: Int
    ) throws(SegmentError) -> SegmentFooter {
        let path = file.path
        let trailerCount = SegmentFooter.trailerCount
        let magicCount = SegmentFooter.magic.count
        guard byteCount >= magicCount + trailerCount else { throw .notASegment(path: path) }
        let tailStart = max(0, byteCount - tailBytes)
        var tail = try read(file, at: tailStart, count: byteCount - tailStart)
        guard tail.count == byteCount - tailStart,
            tail.suffix(magicCount) == SegmentFooter.magic[...]
        else { throw .notASegment(path: path) }
        let trailer = Array(tail.suffix(trailerCount))
        let fields: (stored: UInt32, raw: UInt32, encoding: UInt8, checksum: UInt32)
        do throws(DecodeError) {
            var reader = ByteReader(trailer.span)
            fields.stored = try reader.readUInt32()
            fields.raw = try reader.readUInt32()
            fields.encoding = UInt8(truncatingIfNeeded: try reader.readUInt32())
            fields.checksum = try reader.readUInt32()
        } catch {
            throw .undecodable(path: path, offset: byteCount - trailerCount, error)
        }
        let stored = Int(fields.stored)
        let footerStart = byteCount - trailerCount - stored
        guard footerStart >= magicCount, let encoding = PageEncoding(rawValue: fields.encoding)
        else { throw .notASegment(path: path) }
        if footerStart < tailStart {
            tail = try read(file, at: footerStart, count: byteCount - footerStart)
            guard tail.count == byteCount - footerStart else { throw .notASegment(path: path) }
        } else {
            tail.removeFirst(footerStart - tailStart)
        }
        let covered = tail.span.extracting(0..<(stored + 12))
        guard Checksum.crc32(covered) == fields.checksum else {
            throw .checksumMismatch(path: path, offset: footerStart)
        }
        var raw: [UInt8] = []
        do throws(PageError) {
            try PageDecoder().decode(
                tail.span.extracting(0..<stored),
                encoding: encoding,
                rawCount: Int(fields.raw),
                into: &raw
            )
        } catch {
            throw .badPage(path: path, offset: footerStart, error)
        }
        do throws(DecodeError) {
            return try SegmentFooter(raw)
        } catch .unknownValue(offset: 0, let version) {
            throw .unknownVersion(path: path, version: version)
        } catch {
            throw .undecodable(path: path, offset: footerStart, error)
        }
    }

    private static func read(
        _ file: any File,
        at offset: Int,
        count: Int
    ) throws(SegmentError) -> [UInt8] {
        do throws(FileError) {
            return try file.read(at: offset, count: count)
        } catch {
            throw .unreadable(error)
        }
    }

    /// Reads, checks and decompresses one page.
    func readPage(
        _ page: PageEntry,
        at offset: Int,
        decoder: PageDecoder
    ) throws(SegmentError) -> [UInt8] {
        let stored = try Self.read(file, at: offset, count: page.storedCount)
        guard stored.count == page.storedCount, Checksum.crc32(stored) == page.checksum else {
            throw .checksumMismatch(path: path, offset: offset)
        }
        var raw: [UInt8] = []
        do throws(PageError) {
            try decoder.decode(
                stored.span,
                encoding: page.encoding,
                rawCount: page.rawCount,
                into: &raw
            )
        } catch {
            throw .badPage(path: path, offset: offset, error)
        }
        return raw
    }

    /// Reads and checks one page as it is stored.
    func readStoredPage(_ page: PageEntry, at offset: Int) throws(SegmentError) -> EncodedPage {
        let stored = try readStored(at: offset, count: page.storedCount)
        guard Checksum.crc32(stored) == page.checksum else {
            throw .checksumMismatch(path: path, offset: offset)
        }
        return EncodedPage(encoding: page.encoding, bytes: stored, rawCount: page.rawCount)
    }

    /// Reads bytes that are checked elsewhere.
    func readStored(at offset: Int, count: Int) throws(SegmentError) -> [UInt8] {
        let stored = try Self.read(file, at: offset, count: count)
        guard stored.count == count else { throw .checksumMismatch(path: path, offset: offset) }
        return stored
    }

    // MARK: Field blocks

    func keptDirectory(_ index: Int) -> FieldDirectory? {
        keptDirectories.withLock { $0.directories[index] }
    }

    func keep(_ directory: FieldDirectory, ofBlock index: Int) {
        keptDirectories.withLock { kept in
            guard kept.directories[index] == nil else { return }
            let isFull = Self.directoryCount.load(ordering: .relaxed) >= Self.directoriesMax
            if isFull, kept.directories.count >= Self.directoriesMin,
                let other = kept.directories.keys.first
            {
                kept.directories[other] = nil
            } else {
                Self.directoryCount.add(1, ordering: .relaxed)
            }
            kept.directories[index] = directory
        }
    }

    // MARK: Blocks of runs

    /// Reads a block's head, its times and the columns in `columns`.
    func readBlock(
        _ index: Int,
        columns: Set<Int>,
        decoder: PageDecoder
    ) throws(SegmentError) -> BlockReader {
        let entry = footer.blocks[index]
        let headBytes = try readPage(entry.pages[0], at: entry.offset, decoder: decoder)
        let head: BlockHead
        do throws(DecodeError) {
            head = try BlockHead(
                headBytes,
                entry: entry,
                schema: footer.signal.schema,
                columns: columns
            )
        } catch {
            throw .undecodable(path: path, offset: entry.offset, error)
        }
        let times = try readPage(entry.pages[1], at: entry.offset(ofPage: 1), decoder: decoder)
        var bodies: [[UInt8]] = []
        for column in footer.signal.schema.columns.indices {
            bodies.append(
                columns.contains(column)
                    ? try readPage(
                        entry.pages[2 + column],
                        at: entry.offset(ofPage: 2 + column),
                        decoder: decoder
                    )
                    : []
            )
        }
        return BlockReader(head: head, timeBody: times, columnBodies: bodies)
    }

    /// The stored size of block `index`, for the bill.
    func storedCount(ofBlock index: Int) -> Int {
        footer.blocks[index].pages.reduce(0) { $0 + $1.storedCount }
    }

    /// The blocks that hold rows of streams in `streams`.
    func blockIndexes(of streams: ClosedRange<Int>) -> Range<Int> {
        let first = footer.blocks.partitioningIndex { $0.lastStream >= streams.lowerBound }
        let last = footer.blocks.partitioningIndex { $0.firstStream > streams.upperBound }
        return first..<max(first, last)
    }

    // MARK: Streams

    /// The label sets of page `index` of the stream index.
    func readStreamPage(_ index: Int, decoder: PageDecoder) throws(SegmentError) -> [Labels] {
        let entry = footer.streamPages[index]
        if let kept = keptLabels.withLock({ $0 }) { return kept }
        let bytes = try readPage(entry.page, at: entry.offset, decoder: decoder)
        let labels: [Labels]
        do throws(DecodeError) {
            labels = try StreamIndex.readPage(bytes, streamCount: entry.streamCount)
            try checkOrder(labels, ofPage: index)
        } catch {
            throw .undecodable(path: path, offset: entry.offset, error)
        }
        if footer.streamPages.count == 1 { keptLabels.withLock { $0 = labels } }
        return labels
    }

    /// Checks that the labels of page `index` begin as the footer says, and end before the next page's.
    private func checkOrder(_ labels: [Labels], ofPage index: Int) throws(DecodeError) {
        guard let first = labels.first, let last = labels.last else { return }
        let next =
            footer.streamPages.indices.contains(index + 1)
            ? footer.streamPages[index + 1].firstLabels : nil
        guard first == footer.streamPages[index].firstLabels, next.map({ last < $0 }) ?? true
        else { throw .notCanonical(offset: 0) }
    }

    /// Reads everything and checks every checksum.
    func verify(decoder: PageDecoder) throws(SegmentError) {
        for index in footer.streamPages.indices { _ = try readStreamPage(index, decoder: decoder) }
        for index in footer.fieldBlocks.indices {
            _ = try FieldRows.read(
                SegmentFieldPages(segment: self, index: index),
                ordinals: Array(0..<footer.streamCount)
            )
        }
        try verifyTraces(decoder: decoder)
        let columns = Set(footer.signal.schema.columns.indices)
        for index in footer.blocks.indices {
            let block = try readBlock(index, columns: columns, decoder: decoder)
            var times: [Int64] = []
            var scratch: [Int64] = []
            do throws(DecodeError) {
                for run in block.head.runs.indices {
                    times.removeAll(keepingCapacity: true)
                    try block.appendTimes(ofRun: run, to: &times)
                    for column in columns {
                        var values = ColumnValues(kind: footer.signal.schema.columns[column].kind)
                        try block.appendColumn(column, ofRun: run, to: &values, scratch: &scratch)
                    }
                }
            } catch {
                throw .undecodable(path: path, offset: footer.blocks[index].offset, error)
            }
        }
    }
}

extension SegmentReader {
    /// Reads the trace index, and compares it with what the blocks hold.
    private func verifyTraces(decoder: PageDecoder) throws(SegmentError) {
        guard footer.signal.schema.isOrderedByTrace else { return }
        var entries: Set<TraceIndex.Entry> = []
        for index in footer.tracePages.indices {
            entries.formUnion(try readTracePage(index, decoder: decoder))
        }
        var held: Set<TraceIndex.Entry> = []
        for index in footer.fieldBlocks.indices {
            for fingerprint in try SegmentFieldPages(segment: self, index: index).traces() {
                held.insert(TraceIndex.Entry(fingerprint: fingerprint, block: UInt32(index)))
            }
        }
        guard entries == held else {
            let offset = footer.tracePages.first?.offset ?? 0
            throw .undecodable(path: path, offset: offset, .notCanonical(offset: 0))
        }
    }
}
