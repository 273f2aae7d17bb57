/// A fast hash of byte strings, for tables in memory and for token filters on disk.
///
/// Part of the format: docs/format/fields.md.
package enum ByteHash {
    private static let multiplier: UInt64 = 0x9FB2_1C65_1E98_DF25

    package static func hash(_ bytes: Span<UInt8>) -> UInt64 {
        unsafe bytes.withUnsafeBytes { unsafe hash($0) }
    }

    @inline(__always)
    static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash = 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: bytes.count)
        var index = 0
        // SAFETY: every load lies within `bytes.count`.
        while index &+ 8 <= bytes.count {
            let word = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            hash = mix(hash ^ UInt64(littleEndian: word))
            index &+= 8
        }
        if index < bytes.count {
            var word: UInt64 = 0
            var shift: UInt64 = 0
            while index < bytes.count {
                word |= UInt64(unsafe bytes[index]) &<< shift
                shift &+= 8
                index &+= 1
            }
            hash = mix(hash ^ word)
        }
        return hash ^ (hash &>> 29)
    }

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: multiplier)
        return product.low ^ product.high
    }
}
