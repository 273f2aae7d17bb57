/// The seam between the store and the disk: the host's files, or a test's failing ones.
///
/// Paths are taken as they are. All calls block.
package protocol FileSystem: Sendable {
    /// Opens for reading and writing, and creates the file when it is missing.
    func openForWriting(_ path: String) throws(FileError) -> any File
    func openForReading(_ path: String) throws(FileError) -> any File
    /// Creates the folder and those above it.
    func createDirectories(_ path: String) throws(FileError)
    /// The names in a folder, sorted, without `.` and `..`.
    func list(_ path: String) throws(FileError) -> [String]
    func rename(_ source: String, to target: String) throws(FileError)
    func hardLink(_ source: String, to target: String) throws(FileError)
    func removeFile(_ path: String) throws(FileError)
    func removeDirectory(_ path: String) throws(FileError)
    /// Makes names created, renamed or removed in the folder durable.
    func syncDirectory(_ path: String) throws(FileError)
    func exists(_ path: String) -> Bool
    /// Room on the disk that holds `path`, in bytes.
    func space(at path: String) throws(FileError) -> DiskSpace
}

/// How much room a disk has, in bytes.
package struct DiskSpace: Hashable, Sendable {
    package let free: Int
    package let total: Int

    package init(free: Int, total: Int) {
        self.free = free
        self.total = total
    }
}

/// One open file.
///
/// Offsets and counts are bytes. Closed when the last reference goes.
package protocol File: AnyObject, Sendable {
    var path: String { get }
    func size() throws(FileError) -> Int
    /// Reads up to `count` bytes at `offset`; fewer only at the end of the file.
    func read(at offset: Int, count: Int) throws(FileError) -> [UInt8]
    /// Writes all of `bytes` at `offset`, or throws; part of them may then be written.
    func write(_ bytes: [UInt8], at offset: Int) throws(FileError)
    /// Returns once the contents, and the size, are on stable storage.
    func sync() throws(FileError)
    func truncate(to size: Int) throws(FileError)
}

extension FileSystem {
    /// Reads a whole file, refusing one larger than `bytesMax` with `EFBIG`.
    package func readFile(_ path: String, bytesMax: Int) throws(FileError) -> [UInt8] {
        let file = try openForReading(path)
        let size = try file.size()
        guard size <= bytesMax else { throw FileError(.read, path: path, code: 27) }
        return try file.read(at: 0, count: size)
    }

    /// Puts `bytes` at `path` so that after a crash either all of them are there or none:
    /// temporary file, sync, rename, sync of the folder.
    package func writeFileAtomically(
        _ bytes: [UInt8],
        to path: String,
        inDirectory directory: String
    ) throws(FileError) {
        let temporary = path + ".tmp"
        do throws(FileError) {
            let file = try openForWriting(temporary)
            try file.truncate(to: 0)
            try file.write(bytes, at: 0)
            try file.sync()
            try rename(temporary, to: path)
        } catch {
            try? removeFile(temporary)
            throw error
        }
        try syncDirectory(directory)
    }
}
