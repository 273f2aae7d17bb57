extension [UInt8] {
    /// Appends `value` in decimal digits, with a sign below zero, without a `String` between.
    @inlinable
    package mutating func appendDecimal(_ value: Int64) {
        if value < 0 { append(UInt8(ascii: "-")) }
        appendDecimal(value.magnitude)
    }

    /// Appends `value` in decimal digits; at least `minimumCount` of them, at most 20, zeros first.
    @inlinable
    package mutating func appendDecimal(_ value: UInt64, minimumCount: Int = 1) {
        if value < 10, minimumCount <= 1 {
            append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value))
            return
        }
        var digits = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
        var start = 20
        var rest = value
        while rest > 0 {
            let quotient = rest / 10
            start &-= 1
            digits[start] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest &- quotient &* 10)
            rest = quotient
        }
        start = Swift.max(0, Swift.min(start, 20 - minimumCount))
        append(addingCapacity: 20 - start) { free in
            for place in start..<20 { free.append(digits[place]) }
        }
    }
}
