internal import WeirColumns
internal import WeirCore
internal import WeirSystem

/// Writes a segment of runs front to back: blocks, stream index, footer.
///
/// The file is written under a temporary name, synced, renamed; the caller syncs the folder and
/// publishes it in the catalog. Memory: one block, and the file's footer.
struct SegmentWriter {
    private let signal: Signal
    private let encoder: PageEncoder
    private var file: SegmentFileWriter
    private var block: BlockWriter
    private var blocks: [BlockEntry] = []
    private var rowCount = 0
    private var minTime = Int64.max
    private var maxTime = Int64.min

    init(signal: Signal, file: any File, encoder: PageEncoder) throws(FileError) {
        self.signal = signal
        self.encoder = encoder
        self.file = try SegmentFileWriter(file: file, encoder: encoder)
        block = BlockWriter(schema: signal.schema)
    }

    /// Appends all rows of the next stream.
    ///
    /// Streams come in ascending canonical order, each once; times ascend.
    mutating func append(
        _ labels: Labels,
        times: [Int64],
        columns: [ColumnValues]
    ) throws(FileError) {
        guard !times.isEmpty else { return }
        let stream = file.streamCount
        file.index(labels)
        // A stream is not cut in two if it need not be: a read of it would unpack both blocks.
        let isWorthClosing = block.rowCount >= BlockLimits.rowsMax / 2
        if times.count > block.roomRowCount, isWorthClosing { try finishBlock() }
        var row = 0
        while row < times.count {
            if block.roomRowCount == 0 { try finishBlock() }
            let count = min(block.roomRowCount, times.count - row)
            block.append(
                stream: stream,
                times: times,
                columns: columns,
                rows: row..<(row + count)
            )
            row += count
        }
        rowCount += times.count
        minTime = min(minTime, times[0])
        maxTime = max(maxTime, times[times.count - 1])
    }

    private mutating func finishBlock() throws(FileError) {
        let (entry, bytes) = block.finish(at: file.position, encoder: encoder)
        blocks.append(entry)
        try file.append(bytes)
    }

    /// Writes what is left and the footer, and syncs the file.
    ///
    /// - Returns: The footer, and the file's size in bytes; nil when no row was appended.
    mutating func finish(
        sequences: ClosedRange<UInt64>
    ) throws(FileError) -> (footer: SegmentFooter, byteCount: Int)? {
        guard rowCount > 0 else { return nil }
        if !block.isEmpty { try finishBlock() }
        let (signal, streamCount, rowCount) = (signal, file.streamCount, rowCount)
        let (times, blocks) = (minTime...maxTime, blocks)
        return try file.finish { streamPages in
            SegmentFooter(
                signal: signal,
                sequences: sequences,
                streamCount: streamCount,
                rowCount: rowCount,
                times: times,
                streamPages: streamPages,
                blocks: blocks
            )
        }
    }
}
