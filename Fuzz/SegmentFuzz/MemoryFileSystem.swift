import WeirSystem

/// One file in memory, whatever path is asked for.
///
/// Nothing can be written.
struct MemoryFileSystem: FileSystem {
    let bytes: [UInt8]

    func openForReading(_ path: String) throws(FileError) -> any File {
        MemoryFile(path: path, bytes: bytes)
    }

    func exists(_ path: String) -> Bool { true }

    func openForWriting(_ path: String) throws(FileError) -> any File { throw Self.refusal(path) }
    func createDirectories(_ path: String) throws(FileError) {}
    func list(_ path: String) throws(FileError) -> [String] { [] }
    func rename(_ source: String, to target: String) throws(FileError) {
        throw Self.refusal(source)
    }
    func hardLink(_ source: String, to target: String) throws(FileError) {
        throw Self.refusal(source)
    }
    func removeFile(_ path: String) throws(FileError) { throw Self.refusal(path) }
    func removeDirectory(_ path: String) throws(FileError) { throw Self.refusal(path) }
    func syncDirectory(_ path: String) throws(FileError) {}
    func space(at path: String) throws(FileError) -> DiskSpace { DiskSpace(free: 0, total: 0) }

    private static func refusal(_ path: String) -> FileError {
        FileError(.write, path: path, code: 30)
    }
}

/// Bytes that are read like a file.
private final class MemoryFile: File {
    let path: String
    private let bytes: [UInt8]

    init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }

    func size() throws(FileError) -> Int { bytes.count }

    func read(at offset: Int, count: Int) throws(FileError) -> [UInt8] {
        guard offset >= 0, offset < bytes.count, count > 0 else { return [] }
        return Array(bytes[offset..<(offset + min(count, bytes.count - offset))])
    }

    func write(_ bytes: [UInt8], at offset: Int) throws(FileError) {
        throw FileError(.write, path: path, code: 30)
    }
    func sync() throws(FileError) {}
    func truncate(to size: Int) throws(FileError) {}
}
