internal import Glibc

/// Looks at bytes eight at a time.
enum ByteWords {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    @inline(__always)
    static func mix(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        return product.high ^ product.low
    }

    /// Eight bytes, the first one lowest.
    @inline(__always)
    static func word(_ bytes: Span<UInt8>, _ index: Int) -> UInt64 {
        // SAFETY: callers prove index + 8 <= bytes.count.
        unsafe bytes.withUnsafeBytes {
            unsafe $0.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        }
    }

    /// The first quote, backslash or control byte at or after `start`, or `end`.
    @inline(__always)
    static func endOfPlainText(_ bytes: Span<UInt8>, from start: Int, end: Int) -> Int {
        var index = start
        while index &+ 8 <= end {
            let word = word(bytes, index)
            let quote = word ^ (ones &* 0x22)
            let backslash = word ^ (ones &* 0x5C)
            // The lowest hit of each is exact: a borrow only goes upwards from one.
            let hits =
                ((quote &- ones) & ~quote | (backslash &- ones) & ~backslash
                    | (word &- ones &* 0x20) & ~word) & highs
            if hits != 0 { return index &+ hits.trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        while index < end {
            // SAFETY: index < end <= bytes.count.
            let byte = unsafe bytes[unchecked: index]
            if byte < 0x20 || byte == 0x22 || byte == 0x5C { return index }
            index &+= 1
        }
        return end
    }

    @inline(__always)
    static func areEqual(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
        let count = left.count
        guard count == right.count else { return false }
        var index = 0
        while index &+ 8 <= count {
            if word(left, index) != word(right, index) { return false }
            index &+= 8
        }
        while index < count {
            // SAFETY: index < count of both.
            if unsafe left[unchecked: index] != right[unchecked: index] { return false }
            index &+= 1
        }
        return true
    }

    /// Below 0 where `left` comes first in the order of bytes, 0 where they are equal.
    static func order(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Int {
        let count = min(left.count, right.count)
        let order = unsafe left.withUnsafeBytes { left in
            unsafe right.withUnsafeBytes { right in
                guard let left = left.baseAddress, let right = right.baseAddress else {
                    return CInt(0)
                }
                // SAFETY: both hold at least `count` bytes.
                return unsafe memcmp(left, right, count)
            }
        }
        return order == 0 ? left.count - right.count : Int(order)
    }

    @inline(__always)
    static func hash(_ bytes: Span<UInt8>, seed: UInt64) -> UInt64 {
        var hash = mix(seed ^ 0x9E37_79B9_7F4A_7C15 ^ UInt64(bytes.count))
        var index = 0
        while index &+ 8 <= bytes.count {
            hash = mix(hash ^ word(bytes, index))
            index &+= 8
        }
        var rest: UInt64 = 0
        while index < bytes.count {
            // SAFETY: index < bytes.count.
            rest = rest &<< 8 | UInt64(unsafe bytes[unchecked: index])
            index &+= 1
        }
        return mix(hash ^ rest)
    }

    /// The first `byte` in `range`, or its end.
    static func find(_ byte: UInt8, in bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        guard !range.isEmpty, range.upperBound <= bytes.count else { return range.upperBound }
        return unsafe bytes.withUnsafeBytes { buffer in
            // SAFETY: memchr reads `range`, which lies inside the buffer.
            guard let start = buffer.baseAddress,
                let found = unsafe memchr(start + range.lowerBound, CInt(byte), range.count)
            else { return range.upperBound }
            return unsafe UnsafeRawPointer(found) - start
        }
    }

    /// How often `byte` is in `range`.
    static func count(_ byte: UInt8, in bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        var count = 0
        var start = range.lowerBound
        while start < range.upperBound {
            let found = find(byte, in: bytes, start..<range.upperBound)
            if found < range.upperBound { count += 1 }
            start = found + 1
        }
        return count
    }

    /// Where to cut a text so that at most `limit` bytes stay and no UTF-8 sequence is split.
    static func cut(_ bytes: Span<UInt8>, to limit: Int) -> Int {
        guard bytes.count > limit else { return bytes.count }
        var end = limit
        while end > max(0, limit - 4), bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return end == max(0, limit - 4) ? limit : end
    }
}
