internal import WeirColumns
internal import WeirCore
internal import WeirSystem

/// What a segment says of itself at its end.
///
/// Layout: docs/format/segment.md. Version 1 has blocks of runs; version 2, of signals whose rows
/// have fields, has field blocks; version 3, of spans, has an index of traces besides.
struct SegmentFooter: Sendable {
    static let magic = Array("WEIRSEG1".utf8)
    static func version(of signal: Signal) -> UInt64 {
        signal.schema.isOrderedByTrace ? 3 : signal.schema.hasFields ? 2 : 1
    }
    static let trailerCount = 24
    static let rawCountMax = PageDecoder.rawCountMax

    let signal: Signal
    /// The batches that went in, by their sequence in the journal.
    let sequences: ClosedRange<UInt64>
    let streamCount: Int
    let rowCount: Int
    /// Nanoseconds, inclusive.
    let times: ClosedRange<Int64>
    let streamPages: [StreamPageEntry]
    /// Empty where the signal has fields.
    let blocks: [BlockEntry]
    /// Empty where it has none.
    let fieldBlocks: [FieldBlockEntry]
    /// The pages of the trace index, fingerprints ascending; empty but for spans.
    let tracePages: [TraceIndex.PagePlace]

    func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        Self.version(of: signal).appendVarint(to: &bytes)
        bytes.append(signal.rawValue)
        sequences.lowerBound.appendVarint(to: &bytes)
        (sequences.upperBound - sequences.lowerBound).appendVarint(to: &bytes)
        UInt64(streamCount).appendVarint(to: &bytes)
        UInt64(rowCount).appendVarint(to: &bytes)
        UInt64(zigZag: times.lowerBound).appendVarint(to: &bytes)
        UInt64(bitPattern: times.upperBound &- times.lowerBound).appendVarint(to: &bytes)
        UInt64(streamPages.count).appendVarint(to: &bytes)
        for entry in streamPages {
            UInt64(entry.offset).appendVarint(to: &bytes)
            UInt64(entry.streamCount).appendVarint(to: &bytes)
            UInt64(entry.firstLabels.bytes.count).appendVarint(to: &bytes)
            bytes.append(contentsOf: entry.firstLabels.bytes)
            entry.page.append(to: &bytes)
        }
        UInt64(blocks.count + fieldBlocks.count).appendVarint(to: &bytes)
        for block in blocks { block.append(to: &bytes) }
        for block in fieldBlocks { block.append(to: &bytes) }
        guard signal.schema.isOrderedByTrace else { return bytes }
        UInt64(tracePages.count).appendVarint(to: &bytes)
        for place in tracePages { place.append(to: &bytes) }
        return bytes
    }

    init(
        signal: Signal,
        sequences: ClosedRange<UInt64>,
        streamCount: Int,
        rowCount: Int,
        times: ClosedRange<Int64>,
        streamPages: [StreamPageEntry],
        blocks: [BlockEntry] = [],
        fieldBlocks: [FieldBlockEntry] = [],
        tracePages: [TraceIndex.PagePlace] = []
    ) {
        self.signal = signal
        self.sequences = sequences
        self.streamCount = streamCount
        self.rowCount = rowCount
        self.times = times
        self.streamPages = streamPages
        self.blocks = blocks
        self.fieldBlocks = fieldBlocks
        self.tracePages = tracePages
    }

    init(_ bytes: [UInt8]) throws(DecodeError) {
        var reader = ByteReader(bytes.span)
        let version = try reader.readVarint()
        guard (1...3).contains(version) else { throw .unknownValue(offset: 0, value: version) }
        let signalByte = try reader.readByte()
        guard let signal = Signal(rawValue: signalByte) else {
            throw .unknownValue(offset: 1, value: UInt64(signalByte))
        }
        guard version == Self.version(of: signal) else { throw .notCanonical(offset: 1) }
        self.signal = signal
        let firstSequence = try reader.readVarint()
        let (lastSequence, sequenceOverflow) = firstSequence.addingReportingOverflow(
            try reader.readVarint()
        )
        streamCount = try reader.readCount(limit: Int(Int32.max))
        rowCount = try reader.readCount(limit: Int.max)
        let first = Int64(zigZag: try reader.readVarint())
        let (last, timeOverflow) = first.addingReportingOverflow(
            Int64(bitPattern: try reader.readVarint())
        )
        guard !sequenceOverflow, !timeOverflow, last >= first else {
            throw .notCanonical(offset: reader.offset)
        }
        sequences = firstSequence...lastSequence
        times = first...last
        var streamPages: [StreamPageEntry] = []
        var firstStream = 0
        for _ in 0..<(try reader.readCount(limit: bytes.count)) {
            let offset = try reader.readCount(limit: BlockLimits.offsetMax)
            let count = try reader.readCount(limit: StreamIndex.streamsPerPageMax)
            let length = try reader.readCount(limit: StreamIndex.labelsBytesMax)
            let labels = try Labels(validating: try reader.readBytes(count: length))
            guard streamPages.last.map({ $0.firstLabels < labels }) ?? true else {
                throw .notCanonical(offset: reader.offset)
            }
            streamPages.append(
                StreamPageEntry(
                    offset: offset,
                    firstStream: firstStream,
                    streamCount: count,
                    firstLabels: labels,
                    page: try PageEntry(from: &reader)
                )
            )
            firstStream += count
        }
        guard firstStream == streamCount else { throw .notCanonical(offset: reader.offset) }
        self.streamPages = streamPages
        var blocks: [BlockEntry] = []
        var fieldBlocks: [FieldBlockEntry] = []
        for _ in 0..<(try reader.readCount(limit: bytes.count)) {
            if signal.schema.hasFields {
                fieldBlocks.append(try FieldBlockEntry(from: &reader, streamCount: streamCount))
            } else {
                blocks.append(
                    try BlockEntry(
                        from: &reader,
                        columnCount: signal.schema.columns.count,
                        streamCount: streamCount
                    )
                )
            }
        }
        var tracePages: [TraceIndex.PagePlace] = []
        if signal.schema.isOrderedByTrace {
            for _ in 0..<(try reader.readCount(limit: reader.remaining)) {
                let start = reader.offset
                let place = try TraceIndex.PagePlace(from: &reader)
                guard place.firstFingerprint >= tracePages.last?.firstFingerprint ?? 0,
                    place.entryCount > 0, !fieldBlocks.isEmpty
                else { throw .notCanonical(offset: start) }
                tracePages.append(place)
            }
        }
        let blockRows =
            blocks.reduce(0) { $0 + $1.rowCount } + fieldBlocks.reduce(0) { $0 + $1.rowCount }
        guard reader.remaining == 0, blockRows == rowCount else {
            throw .notCanonical(offset: reader.offset)
        }
        self.blocks = blocks
        self.fieldBlocks = fieldBlocks
        self.tracePages = tracePages
    }
}
