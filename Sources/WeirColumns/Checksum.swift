internal import CDeflate

/// CRC-32 (ISO 3309, as in gzip), computed by libdeflate.
package enum Checksum {
    package static func crc32(_ bytes: Span<UInt8>, continuing seed: UInt32 = 0) -> UInt32 {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            // SAFETY: libdeflate reads exactly `count` bytes; a null start goes with a count of 0.
            guard let start = buffer.baseAddress else { return seed }
            return unsafe libdeflate_crc32(seed, start, buffer.count)
        }
    }

    package static func crc32(_ bytes: [UInt8]) -> UInt32 { crc32(bytes.span) }
}
