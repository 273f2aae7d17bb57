import WeirCore
import WeirSystem

@testable import WeirColumns
@testable import WeirStore

/// libFuzzer entry point: any bytes as a segment, a footer, a block's head, a journal file or a
/// journal record are read or refused; nothing traps and nothing large is allocated.
///
/// The first byte chooses. Checksums are put right where they would stop everything.
@c(LLVMFuzzerTestOneInput)
public func fuzzSegment(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer owns `start ..< start + count` for the length of this call.
    let input = unsafe UnsafeBufferPointer(start: start, count: start == nil ? 0 : count)
    let bytes = unsafe Array(input)
    guard let choice = bytes.first else { return 0 }
    let rest = Array(bytes.dropFirst())
    switch choice % 6 {
    case 0: describe(rest, "fuzz.seg")
    case 1: describe(segment(around: rest), "fuzz.seg")
    case 2: readFooter(rest)
    case 3: readHead(rest)
    case 4: describe(journal(around: rest), "fuzz.wal")
    default: readRecord(rest)
    }
    return 0
}

private func describe(_ bytes: [UInt8], _ path: String) {
    _ = try? StoreInspector.describe(
        path,
        listsStreams: true,
        fileSystem: MemoryFileSystem(bytes: bytes)
    )
}

/// A segment file whose footer is the second half of `bytes`, with the right checksum.
private func segment(around bytes: [UInt8]) -> [UInt8] {
    let footer = Array(bytes[(bytes.count / 2)...])
    var covered = footer
    covered.appendLittleEndian(UInt32(footer.count))
    covered.appendLittleEndian(UInt32(footer.count))
    covered.appendLittleEndian(UInt32(PageEncoding.raw.rawValue))
    let checksum = Checksum.crc32(covered)
    var file = SegmentFooter.magic + bytes[..<(bytes.count / 2)] + covered
    file.appendLittleEndian(checksum)
    return file + SegmentFooter.magic
}

/// A journal file with one record of `bytes`, with the right checksum.
private func journal(around bytes: [UInt8]) -> [UInt8] {
    let covered = [JournalRecord.batchType] + bytes
    var file = Journal.magic
    file.appendLittleEndian(UInt32(bytes.count))
    file.appendLittleEndian(Checksum.crc32(covered))
    return file + covered
}

/// What is read is written again to bytes that read the same.
private func readFooter(_ bytes: [UInt8]) {
    guard let footer = try? SegmentFooter(bytes) else { return }
    guard let again = try? SegmentFooter(footer.encoded()), again.blocks == footer.blocks,
        again.rowCount == footer.rowCount, again.times == footer.times
    else { fatalError("the footer changed when it was written again") }
}

private func readHead(_ bytes: [UInt8]) {
    guard let rowCount = bytes.first, let streams = bytes.dropFirst().first else { return }
    let page = PageEntry(EncodedPage(encoding: .raw, bytes: [], rawCount: 0))
    let entry = BlockEntry(
        offset: 8,
        rowCount: Int(rowCount),
        streams: 0...Int(streams),
        times: 0...1_000_000,
        pages: [page, page, page]
    )
    readRollups(Array(bytes.dropFirst(2)), streams: Int(streams), rowCount: Int(rowCount))
    for signal in [Signal.metrics, .rollups1h] {
        _ = try? BlockHead(
            Array(bytes.dropFirst(2)),
            entry: entry,
            schema: signal.schema,
            columns: Set(signal.schema.columns.indices)
        )
    }
}

/// The runs of a block of rollups with pages of zeros, read in passing.
private func readRollups(_ head: [UInt8], streams: Int, rowCount: Int) {
    let body = [UInt8](repeating: 0, count: 64)
    let page = PageEntry(EncodedPage(encoding: .raw, bytes: body, rawCount: body.count))
    let columnCount = StreamSchema.rollups.columns.count
    let entry = BlockEntry(
        offset: 8,
        rowCount: rowCount,
        streams: 0...streams,
        times: 0...1_000_000,
        pages: [PageEntry](repeating: page, count: 2 + columnCount)
    )
    let columns = (0..<columnCount).map { $0 % 2 == 0 ? body : nil }
    guard var block = try? RollupBlock(entry, head: head, times: body, columns: columns) else {
        return
    }
    var scratch = RollupBlock.Scratch()
    var rows = RollupRows()
    while block.stream != nil {
        guard (try? block.take(isWanted: true, into: &rows, &scratch)) != nil else { return }
    }
}

private func readRecord(_ bytes: [UInt8]) {
    guard let record = try? JournalRecord(payload: bytes) else { return }
    var written: [UInt8] = []
    record.append(to: &written)
    let payload = Array(written.dropFirst(JournalRecord.headerCount))
    guard let again = try? JournalRecord(payload: payload), again.times == record.times,
        again.references == record.references, again.sequence == record.sequence
    else { fatalError("the record changed when it was written again") }
}
