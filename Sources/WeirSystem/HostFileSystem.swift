internal import Glibc

/// The host's own files.
package struct HostFileSystem: FileSystem {
    package init() {}

    package func openForWriting(_ path: String) throws(FileError) -> any File {
        try HostFile(path: path, flags: O_RDWR | O_CREAT | O_CLOEXEC)
    }

    package func openForReading(_ path: String) throws(FileError) -> any File {
        try HostFile(path: path, flags: O_RDONLY | O_CLOEXEC)
    }

    package func createDirectories(_ path: String) throws(FileError) {
        if unsafe mkdir(path, 0o755) == 0 { return }
        switch errno {
        case EEXIST: return
        case ENOENT:
            guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
                throw FileError(.createDirectory, path: path, code: ENOENT)
            }
            try createDirectories(String(path[..<slash]))
            guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else {
                throw FileError(.createDirectory, path: path, code: errno)
            }
        default: throw FileError(.createDirectory, path: path, code: errno)
        }
    }

    package func list(_ path: String) throws(FileError) -> [String] {
        guard let directory = unsafe opendir(path) else {
            throw FileError(.list, path: path, code: errno)
        }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    package func rename(_ source: String, to target: String) throws(FileError) {
        guard unsafe Glibc.rename(source, target) == 0 else {
            throw FileError(.rename, path: source, code: errno)
        }
    }

    package func hardLink(_ source: String, to target: String) throws(FileError) {
        guard unsafe link(source, target) == 0 else {
            throw FileError(.link, path: source, code: errno)
        }
    }

    package func removeFile(_ path: String) throws(FileError) {
        guard unsafe unlink(path) == 0 else { throw FileError(.remove, path: path, code: errno) }
    }

    package func removeDirectory(_ path: String) throws(FileError) {
        guard unsafe rmdir(path) == 0 else { throw FileError(.remove, path: path, code: errno) }
    }

    package func syncDirectory(_ path: String) throws(FileError) {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(.sync, path: path, code: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileError(.sync, path: path, code: errno) }
    }

    package func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    package func space(at path: String) throws(FileError) -> DiskSpace {
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0 else {
            throw FileError(.status, path: path, code: errno)
        }
        return DiskSpace(
            free: Int(status.f_bavail) * Int(status.f_frsize),
            total: Int(status.f_blocks) * Int(status.f_frsize)
        )
    }
}

/// One open descriptor, closed with the object.
private final class HostFile: File {
    let path: String
    private let descriptor: CInt

    init(path: String, flags: CInt) throws(FileError) {
        let descriptor = unsafe open(path, flags, 0o644)
        guard descriptor >= 0 else { throw FileError(.open, path: path, code: errno) }
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    func size() throws(FileError) -> Int {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw FileError(.status, path: path, code: errno)
        }
        return Int(status.st_size)
    }

    func read(at offset: Int, count: Int) throws(FileError) -> [UInt8] {
        // The file's size bounds the allocation, whatever count was asked for.
        let available = min(count, max(0, try size() - offset))
        guard available > 0 else { return [] }
        var failure: CInt = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: available) { buffer, filled in
            // SAFETY: pread writes at most `available - filled` bytes behind what is filled.
            filled = 0
            while filled < available {
                let got = unsafe pread(
                    descriptor,
                    buffer.baseAddress?.advanced(by: filled),
                    available - filled,
                    off_t(offset + filled)
                )
                if got == 0 { break }
                if got < 0 {
                    if errno == EINTR { continue }
                    failure = errno
                    break
                }
                filled += got
            }
        }
        guard failure == 0 else { throw FileError(.read, path: path, code: failure) }
        return bytes
    }

    func write(_ bytes: [UInt8], at offset: Int) throws(FileError) {
        var failure: CInt = 0
        unsafe bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count {
                // SAFETY: `written` stays below the buffer's count.
                let put = unsafe pwrite(
                    descriptor,
                    buffer.baseAddress?.advanced(by: written),
                    buffer.count - written,
                    off_t(offset + written)
                )
                if put < 0 {
                    if errno == EINTR { continue }
                    failure = errno
                    return
                }
                written += put
            }
        }
        guard failure == 0 else { throw FileError(.write, path: path, code: failure) }
    }

    func sync() throws(FileError) {
        guard fdatasync(descriptor) == 0 else { throw FileError(.sync, path: path, code: errno) }
    }

    func truncate(to size: Int) throws(FileError) {
        guard ftruncate(descriptor, off_t(size)) == 0 else {
            throw FileError(.truncate, path: path, code: errno)
        }
    }
}
