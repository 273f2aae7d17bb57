internal import WeirColumns
internal import WeirCore

/// Which blocks of a segment hold spans of a trace: fingerprints in order, each with its block.
///
/// Layout: docs/format/segment.md, version 3.
enum TraceIndex {
    /// Entries of one page: what is read to find a trace.
    static let entriesPerPage = 4096

    /// A trace has a span in a block.
    struct Entry: Hashable {
        let fingerprint: UInt32
        let block: UInt32
    }

    /// A page's place in the file, and the first fingerprint in it.
    struct PagePlace: Hashable {
        let offset: Int
        let firstFingerprint: UInt32
        let entryCount: Int
        let page: PageEntry

        init(offset: Int, firstFingerprint: UInt32, entryCount: Int, page: PageEntry) {
            self.offset = offset
            self.firstFingerprint = firstFingerprint
            self.entryCount = entryCount
            self.page = page
        }

        init(from reader: inout ByteReader) throws(DecodeError) {
            offset = try reader.readCount(limit: BlockLimits.offsetMax)
            firstFingerprint = UInt32(try reader.readCount(limit: Int(UInt32.max)))
            entryCount = try reader.readCount(limit: TraceIndex.entriesPerPage)
            page = try PageEntry(from: &reader)
        }

        func append(to bytes: inout [UInt8]) {
            UInt64(offset).appendVarint(to: &bytes)
            UInt64(firstFingerprint).appendVarint(to: &bytes)
            UInt64(entryCount).appendVarint(to: &bytes)
            page.append(to: &bytes)
        }
    }

    /// Sorts entries and cuts them into the bytes of pages.
    static func pages(
        _ entries: [Entry]
    ) -> [(firstFingerprint: UInt32, entryCount: Int, bytes: [UInt8])] {
        let sorted = entries.sorted { ($0.fingerprint, $0.block) < ($1.fingerprint, $1.block) }
        return stride(from: 0, to: sorted.count, by: entriesPerPage).map { start in
            let page = sorted[start..<min(start + entriesPerPage, sorted.count)]
            var bytes: [UInt8] = []
            var previous = sorted[start].fingerprint
            for entry in page {
                UInt64(entry.fingerprint - previous).appendVarint(to: &bytes)
                previous = entry.fingerprint
            }
            for entry in page { UInt64(entry.block).appendVarint(to: &bytes) }
            return (sorted[start].fingerprint, page.count, bytes)
        }
    }

    /// The entries of a page of a segment of `blockCount` blocks.
    static func entries(
        _ bytes: [UInt8],
        of place: PagePlace,
        blockCount: Int
    ) throws(DecodeError) -> [Entry] {
        var reader = ByteReader(bytes.span)
        guard place.entryCount * 2 <= bytes.count else { throw .notCanonical(offset: 0) }
        var fingerprints: [UInt32] = []
        fingerprints.reserveCapacity(place.entryCount)
        var fingerprint = Int(place.firstFingerprint)
        for _ in 0..<place.entryCount {
            fingerprint += try reader.readCount(limit: Int(UInt32.max) - fingerprint)
            fingerprints.append(UInt32(fingerprint))
        }
        var entries: [Entry] = []
        entries.reserveCapacity(place.entryCount)
        for fingerprint in fingerprints {
            let block = try reader.readCount(limit: blockCount - 1)
            entries.append(Entry(fingerprint: fingerprint, block: UInt32(block)))
        }
        guard reader.remaining == 0 else { throw .notCanonical(offset: reader.offset) }
        return entries
    }

    /// The blocks that some entries name for a fingerprint, ascending; `places` are in order, and
    /// `read` gives the entries of a page.
    static func blocks(
        of fingerprint: UInt32,
        in places: [PagePlace],
        read: (Int) throws(SegmentError) -> [Entry]
    ) throws(SegmentError) -> [Int] {
        let end = places.partitioningIndex { $0.firstFingerprint > fingerprint }
        var blocks: [Int] = []
        // The entries of a fingerprint may have begun pages before.
        for index in places[..<end].indices.reversed() {
            for entry in try read(index) where entry.fingerprint == fingerprint {
                blocks.append(Int(entry.block))
            }
            if places[index].firstFingerprint < fingerprint { break }
        }
        return blocks.sorted()
    }
}

extension SegmentReader {
    /// The blocks that may hold spans of a trace, ascending.
    func blocks(ofTrace trace: TraceID, decoder: PageDecoder) throws(SegmentError) -> [Int] {
        try TraceIndex.blocks(of: trace.fingerprint, in: footer.tracePages) {
            (index) throws(SegmentError) in try readTracePage(index, decoder: decoder)
        }
    }

    /// The entries of a page of the trace index.
    func readTracePage(
        _ index: Int,
        decoder: PageDecoder
    ) throws(SegmentError) -> [TraceIndex.Entry] {
        let place = footer.tracePages[index]
        let bytes = try readPage(place.page, at: place.offset, decoder: decoder)
        do throws(DecodeError) {
            return try TraceIndex.entries(
                bytes,
                of: place,
                blockCount: footer.fieldBlocks.count
            )
        } catch {
            throw .undecodable(path: path, offset: place.offset, error)
        }
    }
}
