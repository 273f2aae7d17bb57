internal import Glibc

/// Holds a folder for this process alone, until it is released or the process ends.
package final class DirectoryLock: Sendable {
    private let descriptor: CInt

    /// - Throws: `FileError` with `EWOULDBLOCK` when another process holds it.
    package init(directory: String) throws(FileError) {
        let path = "\(directory)/LOCK"
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileError(.open, path: path, code: errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            throw FileError(.open, path: path, code: code)
        }
    }

    deinit { close(descriptor) }
}
