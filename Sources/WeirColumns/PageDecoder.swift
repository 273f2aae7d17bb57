internal import CDeflate

/// Why a page could not be read back.
package enum PageError: Error, Hashable {
    /// The stream is damaged, or does not hold exactly the bytes it should.
    case corrupt
    /// The page claims to hold `claimed` bytes but only `limit` are allowed.
    case tooLarge(claimed: Int, limit: Int)
}

/// Decompresses pages.
///
/// Owns its library's state: keep one per thread.
@safe
package final class PageDecoder {
    /// The largest page a reader takes, decompressed.
    package static let rawCountMax = 16 << 20

    private let decompressor: OpaquePointer

    package init() {
        guard let decompressor = unsafe libdeflate_alloc_decompressor() else {
            fatalError("out of memory: libdeflate_alloc_decompressor")
        }
        unsafe self.decompressor = decompressor
    }

    deinit { unsafe libdeflate_free_decompressor(decompressor) }

    /// Gives back a page's bytes, replacing what `output` held.
    ///
    /// - Throws: `PageError`; `output` is then empty.
    package func decode(
        _ stored: Span<UInt8>,
        encoding: PageEncoding,
        rawCount: Int,
        into output: inout [UInt8]
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
                            decompressor,
                            source.baseAddress,
                            source.count,
                            target.baseAddress,
                            rawCount,
                            nil
                        )
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
