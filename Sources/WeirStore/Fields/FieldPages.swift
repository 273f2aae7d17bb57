internal import WeirColumns
internal import WeirCore

/// Where a block's pages are read from: a segment file, or memory.
protocol FieldPages: Sendable {
    /// - Throws: `SegmentError` when the block cannot be read or is damaged.
    func head() throws(SegmentError) -> FieldBlockHead
    func directory(decoder: PageDecoder) throws(SegmentError) -> FieldDirectory
    /// One time per row.
    func times(decoder: PageDecoder) throws(SegmentError) -> [Int64]
    /// An unpacked page of the area.
    func page(
        _ page: PageEntry,
        atAreaOffset offset: Int,
        decoder: PageDecoder
    ) throws(SegmentError) -> [UInt8]
    /// The whole block, for another segment.
    func block() throws(SegmentError) -> FieldBlock
    var rowCount: Int { get }
}

/// A block in a file.
struct SegmentFieldPages: FieldPages {
    let segment: SegmentReader
    let index: Int

    private var entry: FieldBlockEntry { segment.footer.fieldBlocks[index] }

    var rowCount: Int { entry.rowCount }

    func head() throws(SegmentError) -> FieldBlockHead {
        let bytes = try segment.readPage(entry.head, at: entry.offset, decoder: PageDecoder())
        return try decoding(at: entry.offset) { () throws(DecodeError) in
            try FieldBlockHead(bytes, entry: entry)
        }
    }

    func directory(decoder: PageDecoder) throws(SegmentError) -> FieldDirectory {
        if let known = segment.keptDirectory(index) { return known }
        let bytes = try segment.readPage(
            entry.directory,
            at: entry.directoryOffset,
            decoder: decoder
        )
        let directory = try decoding(at: entry.directoryOffset) { () throws(DecodeError) in
            try FieldDirectory(bytes, rowCount: entry.rowCount, areaCount: entry.areaCount)
        }
        segment.keep(directory, ofBlock: index)
        return directory
    }

    func times(decoder: PageDecoder) throws(SegmentError) -> [Int64] {
        let bytes = try segment.readPage(entry.timesPage, at: entry.timesOffset, decoder: decoder)
        return try decoding(at: entry.timesOffset) { () throws(DecodeError) in
            try FieldTimes.decode(bytes, rowCount: entry.rowCount)
        }
    }

    func page(
        _ page: PageEntry,
        atAreaOffset offset: Int,
        decoder: PageDecoder
    ) throws(SegmentError) -> [UInt8] {
        try segment.readPage(page, at: entry.areaOffset + offset, decoder: decoder)
    }

    func block() throws(SegmentError) -> FieldBlock {
        let area = try segment.readStored(at: entry.areaOffset, count: entry.areaCount)
        // Damage is not to be copied: it would take the new segment's other rows with it.
        var offset = 0
        for field in try directory(decoder: PageDecoder()).entries {
            for page in field.pages {
                let stored = area.span.extracting(offset..<(offset + page.storedCount))
                guard Checksum.crc32(stored) == page.checksum else {
                    throw .checksumMismatch(path: segment.path, offset: entry.areaOffset + offset)
                }
                offset += page.storedCount
            }
        }
        return FieldBlock(
            head: try head(),
            timeRange: entry.times,
            times: try segment.readStoredPage(entry.timesPage, at: entry.timesOffset),
            directory: try segment.readStoredPage(entry.directory, at: entry.directoryOffset),
            area: area,
            traces: try traces()
        )
    }

    /// The fingerprints of the block's traces; none but of spans.
    func traces() throws(SegmentError) -> [UInt32] {
        guard segment.footer.signal.schema.isOrderedByTrace else { return [] }
        var traces: [UInt32] = []
        let column = try FieldRows.column(named: SpanField.traceID, of: self)
        for row in 0..<rowCount {
            let values = column?.values
            let bytes = values?.bytes ?? []
            var fingerprint: UInt32 = 0
            if let values, let index = column?.index(ofRow: row),
                let trace = TraceID(digits: bytes.span.extracting(values.range(index)))
            {
                fingerprint = trace.fingerprint
            }
            if traces.last != fingerprint { traces.append(fingerprint) }
        }
        return traces
    }

    private func decoding<Result>(
        at offset: Int,
        _ body: () throws(DecodeError) -> Result
    ) throws(SegmentError) -> Result {
        do throws(DecodeError) {
            return try body()
        } catch {
            throw .undecodable(path: segment.path, offset: offset, error)
        }
    }
}

/// A block in memory.
struct MemoryFieldPages: FieldPages {
    let part: FieldPart
    let index: Int

    private var encoded: FieldBlock { part.blocks[index] }

    var traces: [UInt32] { encoded.traces }

    var rowCount: Int { encoded.rowCount }

    func head() throws(SegmentError) -> FieldBlockHead { encoded.head }
    func block() throws(SegmentError) -> FieldBlock { encoded }

    func directory(decoder: PageDecoder) throws(SegmentError) -> FieldDirectory {
        let bytes = try unpack(encoded.directory.bytes.span, PageEntry(encoded.directory), decoder)
        do throws(DecodeError) {
            return try FieldDirectory(
                bytes,
                rowCount: rowCount,
                areaCount: encoded.area.count
            )
        } catch {
            throw .undecodable(path: "memory", offset: 0, error)
        }
    }

    func times(decoder: PageDecoder) throws(SegmentError) -> [Int64] {
        let bytes = try unpack(encoded.times.bytes.span, PageEntry(encoded.times), decoder)
        do throws(DecodeError) {
            return try FieldTimes.decode(bytes, rowCount: rowCount)
        } catch {
            throw .undecodable(path: "memory", offset: 0, error)
        }
    }

    func page(
        _ page: PageEntry,
        atAreaOffset offset: Int,
        decoder: PageDecoder
    ) throws(SegmentError) -> [UInt8] {
        let area = encoded.area
        return try unpack(
            area.span.extracting(offset..<(offset + page.storedCount)),
            page,
            decoder
        )
    }

    private func unpack(
        _ stored: Span<UInt8>,
        _ page: PageEntry,
        _ decoder: PageDecoder
    ) throws(SegmentError) -> [UInt8] {
        var raw: [UInt8] = []
        do throws(PageError) {
            try decoder.decode(
                stored,
                encoding: page.encoding,
                rawCount: page.rawCount,
                into: &raw
            )
        } catch {
            throw .badPage(path: "memory", offset: 0, error)
        }
        return raw
    }
}

/// The times of a block: one integer run, its head in front of its body.
enum FieldTimes {
    static func decode(_ bytes: [UInt8], rowCount: Int) throws(DecodeError) -> [Int64] {
        var reader = ByteReader(bytes.span)
        let run = try IntegerRun(count: rowCount, from: &reader)
        var times: [Int64] = []
        let start = reader.offset
        try run.decode(bytes.span.extracting(start..<bytes.count), appendingTo: &times)
        return times
    }
}
