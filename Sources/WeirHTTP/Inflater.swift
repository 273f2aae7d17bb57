internal import CZlib

/// Owns one zlib inflate state.
@safe
final class Inflater {
    enum End {
        case none
        /// The stream's own end mark.
        case member
        case corrupt
    }

    private let stream: UnsafeMutablePointer<z_stream>

    /// - Parameter windowBits: 15 for zlib, 31 for gzip, -15 for raw deflate.
    init(windowBits: Int32) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        guard unsafe weir_inflate_init(stream, windowBits) == Z_OK else {
            fatalError("out of memory: inflateInit2")
        }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Makes ready for another stream of the same format.
    func reset() { unsafe inflateReset(stream) }

    /// Unpacks at most `room` bytes of `input` to the end of `output`.
    func inflate(
        _ input: UnsafeBufferPointer<UInt8>,
        room: Int,
        into output: inout [UInt8]
    ) -> (used: Int, written: Int, end: End) {
        let before = output.count
        var code = Z_OK
        var used = 0
        // SAFETY: zlib reads only `input` and writes only the free span, at most `room` bytes,
        // and its pointers are forgotten before this returns.
        output.append(addingCapacity: room) { free in
            unsafe free.withUnsafeMutableBufferPointer { target, initializedCount in
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                unsafe stream.pointee.avail_in = UInt32(clamping: input.count)
                unsafe stream.pointee.next_out = target.baseAddress
                unsafe stream.pointee.avail_out = UInt32(clamping: room)
                unsafe code = CZlib.inflate(stream, Z_NO_FLUSH)
                used = unsafe input.count - Int(stream.pointee.avail_in)
                initializedCount = unsafe room - Int(stream.pointee.avail_out)
            }
        }
        unsafe stream.pointee.next_in = nil
        unsafe stream.pointee.next_out = nil
        let written = output.count - before
        switch code {
        case Z_STREAM_END: return (used, written, .member)
        case Z_OK, Z_BUF_ERROR: return (used, written, .none)
        default: return (used, written, .corrupt)
        }
    }
}
