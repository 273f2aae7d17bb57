extension NumberText {
    /// Powers of ten that a word of fewer than eight digits is followed by.
    private static let tens: [UInt64] = [
        1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000,
    ]

    /// Powers of five that 64 bits hold.
    private static let fives: [UInt64] = (0...27).map { exponent in
        (0..<exponent).reduce(1) { power, _ in power * 5 }
    }

    /// Reads a plain number, `-12`, `12i`, `1.25`, that a comma, a space or the end of `text` follows.
    ///
    /// - Returns: The number and where it ends; nil leaves it to `value`, which reads the rest of what
    ///   there is.
    @inline(__always)
    static func scan(_ bytes: Span<UInt8>, _ text: Range<Int>) -> (value: Double, end: Int)? {
        guard !text.isEmpty, text.lowerBound >= 0, text.upperBound <= bytes.count else {
            return nil
        }
        var cursor = text.lowerBound
        let end = text.upperBound
        // SAFETY: cursor < end <= bytes.count, here and below.
        let isNegative = unsafe bytes[unchecked: cursor] == UInt8(ascii: "-")
        if isNegative { cursor &+= 1 }
        var digits: UInt64 = 0
        let wholeStart = cursor
        cursor = readDigits(bytes, cursor, end, into: &digits)
        let wholeCount = cursor &- wholeStart
        guard wholeCount <= 18 else { return nil }
        var scale = 0
        if cursor < end {
            let next = unsafe bytes[unchecked: cursor]
            if next == UInt8(ascii: "i") {
                guard wholeCount > 0, isEnd(bytes, cursor &+ 1, end) else { return nil }
                let whole = Int64(truncatingIfNeeded: digits)
                return (Double(isNegative ? -whole : whole), cursor &+ 1)
            }
            if next == UInt8(ascii: ".") {
                let fractionStart = cursor &+ 1
                let isSmall = digits == 0
                cursor = readDigits(bytes, fractionStart, end, into: &digits)
                scale = cursor &- fractionStart
                guard (isSmall ? 0 : wholeCount) &+ scale <= 19 else { return nil }
            }
        }
        guard wholeCount &+ scale > 0, isEnd(bytes, cursor, end) else { return nil }
        let magnitude = quotient(digits, scale: scale)
        return (isNegative ? -magnitude : magnitude, cursor)
    }

    @inline(__always)
    private static func isEnd(_ bytes: Span<UInt8>, _ cursor: Int, _ end: Int) -> Bool {
        guard cursor < end else { return true }
        // SAFETY: cursor < end <= bytes.count.
        let byte = unsafe bytes[unchecked: cursor]
        return byte == UInt8(ascii: ",") || byte == UInt8(ascii: " ")
    }

    /// Reads digits, eight bytes at a time, and puts them behind those of `digits`, which overflows behind
    /// the nineteenth.
    ///
    /// - Returns: Where they end.
    @inline(__always)
    static func readDigits(
        _ bytes: Span<UInt8>,
        _ start: Int,
        _ end: Int,
        into digits: inout UInt64
    ) -> Int {
        var cursor = start
        while cursor &+ 8 <= bytes.count {
            // SAFETY: cursor + 8 <= bytes.count.
            let word = unsafe bytes.withUnsafeBytes {
                unsafe $0.loadUnaligned(fromByteOffset: cursor, as: UInt64.self)
            }
            // A digit's byte is below 10 now. The first that is not one is found by its highest bit; carries
            // of the addition only reach bytes behind it.
            let values = UInt64(littleEndian: word) ^ 0x3030_3030_3030_3030
            let marks = ((values &+ 0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080
            let count = min(marks.trailingZeroBitCount &>> 3, end &- cursor)
            guard count > 0 else { return cursor }
            // The digits go to the high end, zeros before them; then neighbours are joined thrice.
            var sum = values &<< UInt64(truncatingIfNeeded: 64 &- 8 &* count)
            sum = (sum &* 10 &+ (sum &>> 8)) & 0x00FF_00FF_00FF_00FF
            sum = (sum &* 100 &+ (sum &>> 16)) & 0x0000_FFFF_0000_FFFF
            sum = (sum &* 10_000 &+ (sum &>> 32)) & 0xFFFF_FFFF
            digits = digits &* tens[count] &+ sum
            cursor &+= count
            guard count == 8 else { return cursor }
        }
        while cursor < end {
            // SAFETY: cursor < end <= bytes.count.
            let digit = unsafe bytes[unchecked: cursor] &- UInt8(ascii: "0")
            guard digit <= 9 else { return cursor }
            digits = digits &* 10 &+ UInt64(digit)
            cursor &+= 1
        }
        return cursor
    }

    /// The double nearest to `digits` over 10 to the power of `scale`, which is at most 27.
    @inline(__always)
    static func quotient(_ digits: UInt64, scale: Int) -> Double {
        // Both are doubles then, and one division rounds once.
        if digits < 1 << 53, scale <= 22 {
            return scale == 0 ? Double(digits) : Double(digits) / powers[scale]
        }
        return longQuotient(digits, scale: scale)
    }

    /// In 128 bits: at least 63 of the quotient, and whether anything is left over.
    private static func longQuotient(_ digits: UInt64, scale: Int) -> Double {
        guard digits > 0 else { return 0 }
        let divisor = fives[scale]
        let digitShift = digits.leadingZeroBitCount
        let divisorShift = divisor.leadingZeroBitCount
        let numerator = digits << digitShift
        // The high half is below 2^63 and the divisor is not, so the quotient fits.
        let (quotient, rest) = (divisor << divisorShift)
            .dividingFullWidth((numerator >> 1, numerator << 63))
        let exponent = divisorShift - digitShift - 63 - scale
        let power = Double(bitPattern: UInt64(1023 + exponent) << 52)
        // What is left over breaks ties, far below the last bit that is kept.
        return Double(quotient | (rest == 0 ? 0 : 1)) * power
    }
}
