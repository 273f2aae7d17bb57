internal import CDeflate

/// Compresses pages.
///
/// Owns its libraries' state: keep one per thread.
///
/// Writing tries two ways and keeps the shorter: Huffman codes only, which are best for the
/// residuals that the codecs leave (nothing repeats, but some values are far more common than
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
        /// Matching is not: where a merge will try it.
        case later
        /// Neither: for what is as random as can be.
        case none
    }

    /// What of a long page is tried both ways first.
    private static let sampleCount = 4096

    /// What the writer was made for.
    package let effort: Effort
    private let compressor: OpaquePointer
    private var huffman = HuffmanWriter()
    private var scratch: [UInt8] = []

    package init(effort: Effort) {
        self.effort = effort
        let level: CInt = effort == .fast ? 1 : 6
        guard let compressor = unsafe libdeflate_alloc_compressor(level) else {
            fatalError("out of memory: libdeflate_alloc_compressor")
        }
        unsafe self.compressor = compressor
    }

    deinit { unsafe libdeflate_free_compressor(compressor) }

    /// Compresses `bytes`, or keeps them when that would save less than a tenth.
    package func encode(_ bytes: [UInt8], matching: Matching = .tried) -> EncodedPage {
        let limit = bytes.count - bytes.count / 10
        guard bytes.count > 24, matching != .none else {
            return EncodedPage(encoding: .raw, bytes: bytes, rawCount: bytes.count)
        }
        var best = matching == .only ? nil : huffman.compress(bytes, limit: limit)
        if matching != .later, isMatchingWorthTrying(bytes, matching: matching) {
            let matched = deflate(bytes, limit: best?.count ?? limit)
            if let matched, matched.count < best?.count ?? Int.max { best = matched }
        }
        guard let best else {
            return EncodedPage(encoding: .raw, bytes: bytes, rawCount: bytes.count)
        }
        return EncodedPage(encoding: .zlib, bytes: best, rawCount: bytes.count)
    }

    /// Whether matching comes near to Huffman codes alone, or saves a tenth where these do not, in the
    /// middle of a long page.
    private func isMatchingWorthTrying(_ bytes: [UInt8], matching: Matching) -> Bool {
        guard bytes.count >= Self.sampleCount * 4, matching == .tried else { return true }
        let start = (bytes.count - Self.sampleCount) / 2
        let sample = Array(bytes[start..<(start + Self.sampleCount)])
        let limit = sample.count - sample.count / 10
        guard let coded = huffman.compress(sample, limit: limit) else {
            return deflate(sample, limit: limit) != nil
        }
        return deflate(sample, limit: coded.count + coded.count / 16) != nil
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

    private func growScratch(to count: Int) {
        if scratch.count < count {
            scratch.append(contentsOf: repeatElement(0, count: count - scratch.count))
        }
    }
}
