internal import Glibc

/// A file operation that the system refused.
///
/// `code` is its `errno`.
package struct FileError: Error, Hashable {
    package enum Operation: String, Hashable, Sendable {
        case open
        case read
        case write
        case sync
        case truncate
        case rename
        case link
        case remove
        case list
        case createDirectory
        case status
    }

    package let operation: Operation
    package let path: String
    package let code: Int32

    package init(_ operation: Operation, path: String, code: Int32) {
        self.operation = operation
        self.path = path
        self.code = code
    }

    /// The disk or the quota is full: it may have room again later.
    package var isNoSpace: Bool { code == ENOSPC || code == EDQUOT }
    package var isNotFound: Bool { code == ENOENT }
}

extension FileError: CustomStringConvertible {
    package var description: String {
        "\(operation.rawValue) \(path): \(unsafe String(cString: strerror(code)))"
    }
}
