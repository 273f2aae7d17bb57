internal import CDeflate
internal import CZlib

/// How a page's bytes are kept. Layout: docs/format/columns.md, version 1.
package enum PageEncoding: UInt8, Hashable, Sendable {
    /// The bytes as they are: compressing would have saved under a tenth.
    case raw = 0
    /// A zlib stream (RFC 1950).
    case zlib = 1
}

/// One page made ready to be written.
package struct EncodedPage: Sendable {
    package let encoding: PageEncoding
    package let bytes: [UInt8]
    /// The length before compression.
    package let rawCount: Int
}

/// Why a page could not be read back.
package enum PageError: Error, Hashable {
    /// The stream is damaged, or does not hold exactly the bytes it should.
    case corrupt
    /// The page claims to hold `claimed` bytes but only `limit` are allowed.
    case tooLarge(claimed: Int, limit: Int)
}

/// Compresses and decompresses pages. Owns its libraries' state: keep one per thread.
///
/// Writing tries two ways and keeps the shorter: zlib's Huffman-only strategy, which is best for
/// the residuals that the codecs leave (nothing repeats, but some values are far more common than
/// others), and libdeflate's matching. Both are zlib streams, read by libdeflate.
@safe
package final class PageCodec {
    /// The largest page a reader takes, decompressed.
    package static let rawCountMax = 16 << 20

    /// How much work a writer puts in.
    package enum Effort: Sendable {
        /// For data that a merge will read again soon.
        case fast
        /// For data that is likely to stay.
        case thorough
    }

    private let compressor: OpaquePointer
    private let decompressor: OpaquePointer
    private let huffman: UnsafeMutablePointer<z_stream>
    private var scratch: [UInt8] = []

    package init(effort: Effort) {
        let level: CInt = effort == .fast ? 1 : 6
        guard let compressor = unsafe libdeflate_alloc_compressor(level),
            let decompressor = unsafe libdeflate_alloc_decompressor()
        else { fatalError("out of memory: libdeflate") }
        unsafe self.compressor = compressor
        unsafe self.decompressor = decompressor
        let huffman = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe huffman.initialize(to: z_stream())
        guard unsafe weir_deflate_init(huffman, 6, 15, 9, Z_HUFFMAN_ONLY) == Z_OK else {
            fatalError("out of memory: deflateInit2")
        }
        unsafe self.huffman = huffman
    }

    deinit {
        unsafe libdeflate_free_compressor(compressor)
        unsafe libdeflate_free_decompressor(decompressor)
        unsafe deflateEnd(huffman)
        unsafe huffman.deallocate()
    }

    /// Compresses `bytes`, or keeps them when that would save less than a tenth.
    package func encode(_ bytes: [UInt8]) -> EncodedPage {
        let limit = bytes.count - bytes.count / 10
        guard bytes.count > 24 else {
            return EncodedPage(encoding: .raw, bytes: bytes, rawCount: bytes.count)
        }
        var best = huffmanOnly(bytes, limit: limit)
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
                    compressor, source.baseAddress, source.count, target.baseAddress, limit - 1)
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

    /// Gives back a page's bytes, replacing what `output` held.
    ///
    /// - Throws: `PageError`; `output` is then empty.
    package func decode(
        _ stored: Span<UInt8>, encoding: PageEncoding, rawCount: Int, into output: inout [UInt8]
    ) throws(PageError) {
        output.removeAll(keepingCapacity: true)
        guard rawCount >= 0, rawCount <= Self.rawCountMax else {
            throw .tooLarge(claimed: rawCount, limit: Self.rawCountMax)
        }
        switch encoding {
        case .raw:
            guard stored.count == rawCount else { throw .corrupt }
            unsafe stored.withUnsafeBufferPointer { unsafe output.append(contentsOf: $0) }
        case .zlib:
            // Deflate cannot expand past 1032 to 1: a larger claim is refused unread.
            guard rawCount <= stored.count * 1032 + 64 else { throw .corrupt }
            var isCorrupt = false
            output.append(addingCapacity: rawCount) { free in
                unsafe stored.withUnsafeBufferPointer { source in
                    unsafe free.withUnsafeMutableBufferPointer { target, initializedCount in
                        // SAFETY: libdeflate writes at most `rawCount` bytes, which
                        // `addingCapacity` made room for.
                        let result = unsafe libdeflate_zlib_decompress(
                            decompressor, source.baseAddress, source.count, target.baseAddress,
                            rawCount, nil)
                        if result == LIBDEFLATE_SUCCESS {
                            initializedCount = rawCount
                        } else {
                            isCorrupt = true
                        }
                    }
                }
            }
            if isCorrupt {
                output.removeAll(keepingCapacity: true)
                throw .corrupt
            }
        }
    }
}
