import Glibc
import WeirHTTP

/// Bytes of a file or of standard input, unpacked when they are gzip.
final class ImportInput {
    enum Failure: Error {
        case unreadable(String)
        case damagedGzip
        case lineTooLong(limit: Int)

        var text: String {
            switch self {
            case .unreadable(let reason): reason
            case .damagedGzip: "the gzip file is damaged or cut short"
            case .lineTooLong(let limit): "a line of more than \(limit) bytes"
            }
        }
    }

    static let lineBytesMax = 16 << 20
    private static let chunkBytes = 2 << 20

    private let descriptor: CInt
    /// Bytes of the file; nil for a pipe.
    let size: Int?
    /// Bytes read so far, as they are in the file.
    private(set) var position = 0
    private var gzip: GzipDecoder?
    private var waiting: [UInt8] = []
    private var isAtEnd = false

    /// Opens a file; `-` is standard input.
    init(path: String) throws(Failure) {
        descriptor = unsafe path == "-" ? STDIN_FILENO : open(path, O_RDONLY)
        guard descriptor >= 0 else {
            throw .unreadable("\(path): \(unsafe String(cString: strerror(errno)))")
        }
        var status = stat()
        let isFile = unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        size = isFile ? Int(status.st_size) : nil
    }

    deinit { if descriptor != STDIN_FILENO { close(descriptor) } }

    /// The next whole lines, some megabytes of them; nil at the end.
    func next() throws(Failure) -> [UInt8]? {
        while !isAtEnd, waiting.count < Self.chunkBytes || !waiting.contains(0x0A) {
            guard waiting.count <= Self.lineBytesMax else {
                throw .lineTooLong(limit: Self.lineBytesMax)
            }
            try read()
        }
        guard !waiting.isEmpty else { return nil }
        guard !isAtEnd, let end = waiting.lastIndex(of: 0x0A) else {
            defer { waiting = [] }
            return waiting
        }
        let lines = Array(waiting[...end])
        waiting.removeSubrange(...end)
        return lines
    }

    private func read() throws(Failure) {
        var piece = [UInt8](repeating: 0, count: 1 << 20)
        // SAFETY: read writes at most the count given.
        let count = unsafe piece.withUnsafeMutableBytes {
            unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
        }
        if count < 0, errno == EINTR { return }
        guard count >= 0 else {
            throw .unreadable("read: \(unsafe String(cString: strerror(errno)))")
        }
        guard count > 0 else {
            isAtEnd = true
            if let gzip, !gzip.isWhole { throw .damagedGzip }
            return
        }
        piece.removeSubrange(count...)
        if position == 0, piece.starts(with: [0x1F, 0x8B]) { gzip = GzipDecoder() }
        position += count
        guard let gzip else {
            waiting += piece
            return
        }
        guard gzip.append(piece, { waiting += $0 }) else { throw .damagedGzip }
    }
}
