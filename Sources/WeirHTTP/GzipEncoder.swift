internal import CZlib

/// Packs bytes in gzip format (RFC 1952), whole or piece by piece.
@safe
package final class GzipEncoder {
    private let stream: UnsafeMutablePointer<z_stream>
    private var isFinished = false

    package init(level: Int = 1) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // 15 window bits, and 16 for a gzip wrapper.
        let code = unsafe weir_deflate_init(
            stream,
            Int32(min(max(level, 0), 9)),
            15 + 16,
            8,
            Z_DEFAULT_STRATEGY
        )
        guard code == Z_OK else { fatalError("out of memory: deflateInit2") }
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Packs one whole body.
    package static func encode(_ bytes: [UInt8], level: Int = 1) -> [UInt8] {
        GzipEncoder(level: level).append(bytes, flush: .finish)
    }

    /// What must come out after a piece went in.
    package enum Flush: Sendable {
        /// Whatever is ready.
        case none
        /// All that went in, so that the other side can read it now.
        case sync
        /// All, and the end mark; nothing may follow.
        case finish

        fileprivate var code: Int32 {
            switch self {
            case .none: Z_NO_FLUSH
            case .sync: Z_SYNC_FLUSH
            case .finish: Z_FINISH
            }
        }
    }

    /// Packs one piece.
    ///
    /// - Returns: The packed bytes that are ready.
    package func append(_ bytes: [UInt8], flush: Flush) -> [UInt8] {
        guard !isFinished else { return [] }
        isFinished = flush == .finish
        var packed: [UInt8] = []
        var room = [UInt8](repeating: 0, count: min(64 * 1024, bytes.count / 2 + 1024))
        // SAFETY: zlib reads only the input and writes only the room, both alive in the closures,
        // and keeps neither pointer once avail_in is 0. Inputs over 4 GiB are cut by the caller's
        // limits: a body is bounded far below.
        unsafe bytes.withUnsafeBufferPointer { input in
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            unsafe stream.pointee.avail_in = UInt32(clamping: input.count)
            while true {
                let (code, count) = unsafe room.withUnsafeMutableBufferPointer { output in
                    unsafe stream.pointee.next_out = output.baseAddress
                    unsafe stream.pointee.avail_out = UInt32(output.count)
                    let code = unsafe deflate(stream, flush.code)
                    return unsafe (code, output.count - Int(stream.pointee.avail_out))
                }
                packed.append(contentsOf: room[..<count])
                if code == Z_STREAM_END || code < 0 || count < room.count { break }
            }
            unsafe stream.pointee.next_in = nil
            unsafe stream.pointee.next_out = nil
        }
        return packed
    }
}
