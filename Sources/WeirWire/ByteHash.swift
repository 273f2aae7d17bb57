internal import Glibc

/// Hashes and compares ranges of bytes.
///
/// Keyed anew with each process, so that no sender can make names that collide.
enum ByteHash {
    private static let start = UInt64.random(in: .min ... .max)

    /// Long ranges are taken in three lanes, so that no multiplication waits for the one before.
    static func hash(_ range: Range<Int>, in bytes: Span<UInt8>) -> UInt64 {
        var hash = start ^ UInt64(range.count)
        var index = range.lowerBound
        if range.count >= 48 {
            var (second, third) = (hash &* 3, hash &* 5)
            while index &+ 24 <= range.upperBound {
                hash = mix(hash ^ word(index, in: bytes))
                second = mix(second ^ word(index &+ 8, in: bytes))
                third = mix(third ^ word(index &+ 16, in: bytes))
                index &+= 24
            }
            hash ^= mix(second ^ start) ^ mix(third &+ start)
        }
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

    /// Whether `count` bytes at `left` and at `right` are equal; false where they do not lie inside
    /// their spans.
    static func areEqual(
        _ left: Int,
        in leftBytes: Span<UInt8>,
        _ right: Int,
        in rightBytes: Span<UInt8>,
        count: Int
    ) -> Bool {
        guard count > 0 else { return count == 0 }
        guard left >= 0, right >= 0, leftBytes.count &- left >= count,
            rightBytes.count &- right >= count
        else { return false }
        // SAFETY: the guard proves that both runs lie inside their buffers.
        return unsafe leftBytes.withUnsafeBytes { leftBuffer in
            unsafe rightBytes.withUnsafeBytes { rightBuffer in
                guard let leftStart = leftBuffer.baseAddress,
                    let rightStart = rightBuffer.baseAddress
                else { return false }
                return unsafe memcmp(leftStart + left, rightStart + right, count) == 0
            }
        }
    }

    /// What `areEqual` says, without a call: for a few words, whose ranges the caller has proven to lie
    /// inside their spans.
    @inline(__always)
    static func areEqualShort(
        _ left: Int,
        in leftBytes: Span<UInt8>,
        _ right: Int,
        in rightBytes: Span<UInt8>,
        count: Int
    ) -> Bool {
        guard count >= 8 else {
            for offset in 0..<count {
                // SAFETY: both ranges lie inside their spans.
                let isEqual =
                    unsafe leftBytes[unchecked: left &+ offset]
                    == rightBytes[unchecked: right &+ offset]
                if !isEqual { return false }
            }
            return true
        }
        var offset = 0
        while offset &+ 8 < count {
            guard word(left &+ offset, in: leftBytes) == word(right &+ offset, in: rightBytes)
            else { return false }
            offset &+= 8
        }
        // The last word may overlap the one before.
        offset = count &- 8
        return word(left &+ offset, in: leftBytes) == word(right &+ offset, in: rightBytes)
    }
}
