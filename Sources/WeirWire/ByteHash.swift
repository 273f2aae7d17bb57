/// Hashes and compares ranges of bytes, eight at a time.
///
/// Not keyed: a hostile body can slow its own parsing by collisions, and is bounded by its size.
enum ByteHash {
    static func hash(_ range: Range<Int>, in bytes: Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(range.count)
        var index = range.lowerBound
        while index &+ 8 <= range.upperBound {
            hash = mix(hash ^ word(index, in: bytes))
            index &+= 8
        }
        while index < range.upperBound {
            // SAFETY: index < range.upperBound <= bytes.count.
            hash = mix(hash ^ UInt64(unsafe bytes[unchecked: index]))
            index &+= 1
        }
        return hash
    }

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        return product.high ^ product.low
    }

    @inline(__always)
    private static func word(_ index: Int, in bytes: Span<UInt8>) -> UInt64 {
        // SAFETY: callers prove index + 8 <= bytes.count.
        unsafe bytes.withUnsafeBytes {
            unsafe $0.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        }
    }

    /// Whether `count` bytes at `left` and at `right`, which lie inside their spans, are equal.
    static func areEqual(
        _ left: Int,
        in leftBytes: Span<UInt8>,
        _ right: Int,
        in rightBytes: Span<UInt8>,
        count: Int
    ) -> Bool {
        var offset = 0
        while offset &+ 8 <= count {
            if word(left &+ offset, in: leftBytes) != word(right &+ offset, in: rightBytes) {
                return false
            }
            offset &+= 8
        }
        while offset < count {
            if leftBytes[left &+ offset] != rightBytes[right &+ offset] { return false }
            offset &+= 1
        }
        return true
    }
}
