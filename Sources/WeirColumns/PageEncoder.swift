internal import CDeflate
internal import CZlib

/// Compresses pages.
///
/// Owns its libraries' state: keep one per thread.
///
/// Writing tries two ways and keeps the shorter: zlib's Huffman-only strategy, which is best for
/// the residuals that the codecs leave (nothing repeats, but some values are far more common than
/// others), and libdeflate's matching. Both are zlib streams, read by libdeflate.
@safe
package final class PageEncoder {
    /// How much work a writer puts in.
    package enum Effort: Sendable {
        /// For data that a merge will read again soon.
        case fast
        /// For data that is likely to stay.
        case thorough
    }

    /// Whether a page is tried with libdeflate's matching.
    package enum Matching: Sendable {
        /// Both ways are tried: for residuals and codes.
        case tried
        /// Only matching is: for text, where it always wins.
        case only
        /// Neither: for what is as random as can be.
        case none
    }

    private let compressor: OpaquePointer
    private let huffman: UnsafeMutablePointer<z_stream>
    private var scratch: [UInt8] = []

    package init(effort: Effort) {
        let level: CInt = effort == .fast ? 1 : 6
        guard let compressor = unsafe libdeflate_alloc_compressor(level) else {
            fatalError("out of memory: libdeflate_alloc_compressor")
        }
        unsafe self.compressor = compressor
        let huffman = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe huffman.initialize(to: z_stream())
        guard unsafe weir_deflate_init(huffman, 6, 15, 9, Z_HUFFMAN_ONLY) == Z_OK else {
            fatalError("out of memory: deflateInit2")
        }
        unsafe self.huffman = huffman
    }

    deinit {
        unsafe libdeflate_free_compressor(compressor)
        unsafe deflateEnd(huffman)
        unsafe huffman.deallocate()
    }

    /// Compresses `bytes`, or keeps them when that would save less than a tenth.
    package func encode(_ bytes: [UInt8], matching: Matching = .tried) -> EncodedPage {
        let limit = bytes.count - bytes.count / 10
        guard bytes.count > 24, matching != .none else {
            return EncodedPage(encoding: .raw, bytes: bytes, rawCount: bytes.count)
        }
        var best = matching == .only ? nil : huffmanOnly(bytes, limit: limit)
        let matched = deflate(bytes, limit: best?.count ?? limit)
        if let matched, matched.count < best?.count ?? Int.max { best = matched }
        guard let best else {
            return EncodedPage(encoding: .raw, bytes: bytes, rawCount: bytes.count)
        }
        return EncodedPage(encoding: .zlib, bytes: best, rawCount: bytes.count)
    }

    /// - Returns: A zlib stream shorter than `limit`, or nil.
    private func deflate(_ bytes: [UInt8], limit: Int) -> [UInt8]? {
        guard limit > 1 else { return nil }
        growScratch(to: limit)
        let count = unsafe scratch.withUnsafeMutableBufferPointer { target in
            unsafe bytes.withUnsafeBufferPointer { source in
                // SAFETY: libdeflate writes at most `limit - 1` bytes into `target`.
                unsafe libdeflate_zlib_compress(
                    compressor,
                    source.baseAddress,
                    source.count,
                    target.baseAddress,
                    limit - 1
                )
            }
        }
        return count == 0 ? nil : Array(scratch[..<count])
    }

    /// - Returns: A Huffman-only zlib stream shorter than `limit`, or nil.
    private func huffmanOnly(_ bytes: [UInt8], limit: Int) -> [UInt8]? {
        guard limit > 1 else { return nil }
        growScratch(to: limit)
        var bytes = bytes
        let count: Int? = unsafe scratch.withUnsafeMutableBufferPointer { target in
            unsafe bytes.withUnsafeMutableBufferPointer { source in
                // SAFETY: zlib reads `avail_in` bytes and writes at most `avail_out`.
                unsafe deflateReset(huffman)
                unsafe huffman.pointee.next_in = source.baseAddress
                unsafe huffman.pointee.avail_in = UInt32(source.count)
                unsafe huffman.pointee.next_out = target.baseAddress
                unsafe huffman.pointee.avail_out = UInt32(limit - 1)
                let code = unsafe CZlib.deflate(huffman, Z_FINISH)
                return unsafe code == Z_STREAM_END ? Int(huffman.pointee.total_out) : nil
            }
        }
        return count.map { Array(scratch[..<$0]) }
    }

    private func growScratch(to count: Int) {
        if scratch.count < count {
            scratch.append(contentsOf: repeatElement(0, count: count - scratch.count))
        }
    }
}
