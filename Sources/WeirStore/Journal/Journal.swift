internal import WeirColumns
internal import WeirCore
internal import WeirSystem

/// The append-only files in which a batch is durable before it is acknowledged.
///
/// Not safe for several threads: the commit thread owns it. Layout: docs/format/journal.md.
final class Journal {
    static let magic = Array("WEIRJNL1".utf8)
    /// A file is closed when it has grown to this many bytes.
    static let fileBytesMax = 64 << 20

    private struct OpenFile {
        let file: any File
        let firstSequence: UInt64
        var byteCount: Int
        var isSynced: Bool
    }

    private let directory: String
    private let fileSystem: any FileSystem
    private var current: OpenFile?
    /// Changes whenever a file is begun: stream definitions belong to one file.
    private(set) var epoch: UInt32 = 0

    init(directory: String, fileSystem: any FileSystem) throws(FileError) {
        self.directory = directory
        self.fileSystem = fileSystem
        try fileSystem.createDirectories(directory)
    }

    private static func name(_ firstSequence: UInt64) -> String {
        let hex = String(firstSequence, radix: 16)
        return String(repeating: "0", count: 16 - hex.count) + hex + ".wal"
    }

    private static func firstSequence(_ name: String) -> UInt64? {
        guard name.hasSuffix(".wal") else { return nil }
        return UInt64(name.dropLast(4), radix: 16)
    }

    private func files() throws(FileError) -> [(name: String, firstSequence: UInt64)] {
        var files: [(name: String, firstSequence: UInt64)] = []
        for name in try fileSystem.list(directory) {
            if let first = Self.firstSequence(name) { files.append((name, first)) }
        }
        return files.sorted { $0.firstSequence < $1.firstSequence }
    }

    // MARK: Writing

    /// Makes sure there is a file to append to, whose first record will be `sequence`.
    ///
    /// Call before encoding records, since it may change `epoch`.
    func prepare(sequence: UInt64) throws(FileError) {
        if let current, current.byteCount < Self.fileBytesMax { return }
        if current != nil { try rotate() }
        let file = try fileSystem.openForWriting("\(directory)/\(Self.name(sequence))")
        do throws(FileError) {
            try file.truncate(to: 0)
            try file.write(Self.magic, at: 0)
            try fileSystem.syncDirectory(directory)
        } catch {
            if error.operation == .sync { throw error }
            try? fileSystem.removeFile(file.path)
            throw error
        }
        current = OpenFile(
            file: file,
            firstSequence: sequence,
            byteCount: Self.magic.count,
            isSynced: false
        )
        epoch += 1
    }

    /// Appends encoded records.
    ///
    /// On failure nothing of them stays: the file is cut back and the next records begin a new one.
    func append(_ records: [UInt8]) throws(FileError) {
        guard let file = current?.file, let offset = current?.byteCount else {
            preconditionFailure("append before prepare")
        }
        do throws(FileError) {
            try file.write(records, at: offset)
        } catch {
            // If even this fails, the tail is torn, and reading stops at it.
            try? file.truncate(to: offset)
            // What was appended before may have been acknowledged already, to be synced later.
            let isSynced = current?.isSynced ?? true
            current = nil
            if !isSynced { try file.sync() }
            throw error
        }
        current?.byteCount += records.count
        current?.isSynced = false
    }

    /// Makes everything appended so far durable.
    func sync() throws(FileError) {
        guard let file = current?.file, current?.isSynced == false else { return }
        try file.sync()
        current?.isSynced = true
    }

    /// Closes the current file; the next append begins another.
    func rotate() throws(FileError) {
        try sync()
        current = nil
    }

    /// Removes the files whose records all have sequences up to `sequence`.
    func removeFiles(through sequence: UInt64) throws(FileError) {
        let files = try files()
        for (index, file) in files.enumerated() {
            if file.firstSequence == current?.firstSequence { continue }
            let isCovered =
                index + 1 < files.count
                ? files[index + 1].firstSequence <= sequence + 1 : current == nil
            guard isCovered, file.firstSequence <= sequence else { continue }
            try fileSystem.removeFile("\(directory)/\(file.name)")
        }
    }

    // MARK: Reading

    /// What reading the journal found besides its records.
    struct ReplayReport: Hashable, Sendable {
        var recordCount = 0
        var rowCount = 0
        /// Files that end in bytes that are no whole record: path, offset, bytes ignored.
        var tornTails: [String] = []
        /// Sequences that are missing between records: something acknowledged was lost.
        var gaps: [ClosedRange<UInt64>] = []
    }

    /// Calls `body` with every record, in order, those up to `checkpoint` too: they may define
    /// streams that later ones of their file name.
    ///
    /// `fileNumber` tells files apart. Reads in pieces, so memory is bounded by the largest record.
    func replay(
        after checkpoint: UInt64,
        _ body: (_ record: JournalRecord, _ fileNumber: Int) -> Void
    ) throws(FileError) -> ReplayReport {
        var report = ReplayReport()
        var last = checkpoint
        for (fileNumber, (name, _)) in try files().enumerated() {
            let file = try fileSystem.openForReading("\(directory)/\(name)")
            let size = try file.size()
            var reader = try JournalFileReader(file: file, byteCount: size)
            while let payload = try reader.next() {
                guard let record = try? JournalRecord(payload: payload) else {
                    reader.stopBeforeLast()
                    break
                }
                body(record, fileNumber)
                guard record.sequence > last else { continue }
                if record.sequence > last + 1 { report.gaps.append(last + 1...record.sequence - 1) }
                last = record.sequence
                report.recordCount += 1
                report.rowCount += record.times.count
            }
            if reader.offset < size {
                report.tornTails.append(
                    "\(file.path): cut at byte \(reader.offset), \(size - reader.offset) ignored"
                )
            }
        }
        return report
    }
}

/// Reads the records of one journal file, up to the first that is not whole.
struct JournalFileReader {
    private let file: any File
    private let byteCount: Int
    private var buffer: [UInt8] = []
    private var bufferStart = 0
    private var lastStart = 0
    /// The end of the last whole record.
    private(set) var offset: Int

    private static let readAheadBytes = 4 << 20

    init(file: any File, byteCount: Int) throws(FileError) {
        self.file = file
        self.byteCount = byteCount
        offset = 0
        let magic = try file.read(at: 0, count: Journal.magic.count)
        // A file without its magic is torn at 0: it never held an acknowledged record.
        offset = magic == Journal.magic ? Journal.magic.count : 0
    }

    /// The next record's payload, or nil at the end or at a torn record.
    mutating func next() throws(FileError) -> [UInt8]? {
        guard offset > 0, let header = try bytes(at: offset, count: JournalRecord.headerCount)
        else { return nil }
        var length = 0
        var checksum: UInt32 = 0
        for byte in 0..<4 {
            length |= Int(header[header.startIndex + byte]) << (8 * byte)
            checksum |= UInt32(header[header.startIndex + 4 + byte]) << UInt32(8 * byte)
        }
        guard length > 0, length <= JournalRecord.payloadBytesMax,
            let covered = try bytes(at: offset + 8, count: length + 1)
        else { return nil }
        guard covered.first == JournalRecord.batchType,
            Checksum.crc32(Array(covered)) == checksum
        else { return nil }
        lastStart = offset
        offset += JournalRecord.headerCount + length
        return Array(covered.dropFirst())
    }

    /// Counts the record last returned as torn.
    mutating func stopBeforeLast() { offset = lastStart }

    private mutating func bytes(at start: Int, count: Int) throws(FileError) -> ArraySlice<UInt8>? {
        guard start + count <= byteCount else { return nil }
        if start < bufferStart || start + count > bufferStart + buffer.count {
            buffer = try file.read(at: start, count: max(count, Self.readAheadBytes))
            bufferStart = start
        }
        let first = start - bufferStart
        guard first + count <= buffer.count else { return nil }
        return buffer[first..<(first + count)]
    }
}
