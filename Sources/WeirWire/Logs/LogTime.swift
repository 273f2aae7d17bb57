internal import WeirCore

/// Reads the times that logs are sent with.
package enum LogTime {
    package enum Reading: Hashable {
        /// Nanoseconds since the Unix epoch.
        case time(Int64)
        /// A time, but of no moment that 64 bits of nanoseconds hold: the years 1678 to 2261 fit.
        case outOfRange
        case notATime
    }

    /// Reads RFC 3339 with any fraction and offset, the same with a space and without an offset
    /// (then UTC), a date, or an epoch in seconds, milliseconds, microseconds or nanoseconds.
    package static func read(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Reading {
        guard range.count >= 10, digit(bytes, range.lowerBound + 4) == nil,
            bytes[range.lowerBound + 4] == UInt8(ascii: "-"),
            digit(bytes, range.lowerBound) != nil
        else { return epoch(bytes, range) }
        return civil(bytes, range)
    }

    package static func read(_ text: String) -> Reading {
        let bytes = Array(text.utf8)
        return read(bytes.span, 0..<bytes.count)
    }

    @inline(__always)
    private static func digit(_ bytes: Span<UInt8>, _ index: Int) -> Int? {
        let value = bytes[index] &- UInt8(ascii: "0")
        return value <= 9 ? Int(value) : nil
    }

    @inline(__always)
    private static func pair(_ bytes: Span<UInt8>, _ index: Int) -> Int? {
        let tens = bytes[index] &- UInt8(ascii: "0")
        let ones = bytes[index + 1] &- UInt8(ascii: "0")
        return tens <= 9 && ones <= 9 ? Int(tens) * 10 + Int(ones) : nil
    }

    private static func civil(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Reading {
        let start = range.lowerBound
        guard let century = pair(bytes, start), let year = pair(bytes, start + 2),
            let month = pair(bytes, start + 5), let day = pair(bytes, start + 8),
            bytes[start + 7] == UInt8(ascii: "-"), (1...12).contains(month), day >= 1,
            day <= CivilTime.daysIn(month: month, of: century * 100 + year)
        else { return .notATime }
        let days = CivilDate(year: century * 100 + year, month: month, day: day).daysSinceEpoch
        var seconds = days * 86_400
        guard range.count > 10 else { return nanoseconds(seconds: seconds, fraction: 0) }
        let separator = bytes[start + 10]
        guard separator | 0x20 == UInt8(ascii: "t") || separator == UInt8(ascii: " "),
            range.count >= 16, bytes[start + 13] == UInt8(ascii: ":"),
            let hour = pair(bytes, start + 11), hour <= 23,
            let minute = pair(bytes, start + 14), minute <= 59
        else { return .notATime }
        seconds += hour * 3600 + minute * 60
        var cursor = start + 16
        var fraction = 0
        if cursor < range.upperBound, bytes[cursor] == UInt8(ascii: ":") {
            // 60 is a leap second: taken as the second after.
            guard range.upperBound - cursor >= 3, let second = pair(bytes, cursor + 1),
                second <= 60
            else { return .notATime }
            seconds += second
            cursor += 3
            if cursor < range.upperBound,
                bytes[cursor] == UInt8(ascii: ".") || bytes[cursor] == UInt8(ascii: ",")
            {
                cursor += 1
                let first = cursor
                var scale = 100_000_000
                while cursor < range.upperBound, let digit = digit(bytes, cursor) {
                    fraction += digit * scale
                    scale /= 10
                    cursor += 1
                }
                guard cursor > first else { return .notATime }
            }
        }
        guard let offset = offset(bytes, cursor..<range.upperBound) else { return .notATime }
        return nanoseconds(seconds: seconds - offset, fraction: fraction)
    }

    /// Seconds east of UTC: `Z`, `+02:00`, `+0200`, `+02`, or nothing for UTC.
    private static func offset(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        var range = range
        while let first = range.first, bytes[first] == UInt8(ascii: " ") { range.removeFirst() }
        guard let first = range.first else { return 0 }
        if bytes[first] | 0x20 == UInt8(ascii: "z") { return range.count == 1 ? 0 : nil }
        let sign: Int
        switch bytes[first] {
        case UInt8(ascii: "+"): sign = 1
        case UInt8(ascii: "-"): sign = -1
        default: return nil
        }
        guard range.count >= 3, let hours = pair(bytes, first + 1), hours <= 23 else { return nil }
        var minutes = 0
        switch range.count {
        case 3: break
        case 5:
            guard let value = pair(bytes, first + 3) else { return nil }
            minutes = value
        case 6:
            guard bytes[first + 3] == UInt8(ascii: ":"), let value = pair(bytes, first + 4) else {
                return nil
            }
            minutes = value
        default: return nil
        }
        return minutes <= 59 ? sign * (hours * 3600 + minutes * 60) : nil
    }

    private static func nanoseconds(seconds: Int, fraction: Int) -> Reading {
        // Below zero, the last second that fits ends in the middle: counted from the second after.
        let isBelow = seconds < 0 && fraction > 0
        let whole = isBelow ? seconds + 1 : seconds
        let rest = isBelow ? fraction - 1_000_000_000 : fraction
        let (product, overflow) = Int64(whole).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = product.addingReportingOverflow(Int64(rest))
        return overflow || carry ? .outOfRange : .time(sum)
    }

    // MARK: Epochs

    /// Reads a decimal number, whose magnitude says its unit: below 10^11 it counts seconds, below
    /// 10^14 milliseconds, below 10^17 microseconds, else nanoseconds.
    private static func epoch(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Reading {
        var cursor = range.lowerBound
        guard cursor < range.upperBound, range.count <= 64 else { return .notATime }
        let isNegative = bytes[cursor] == UInt8(ascii: "-")
        if isNegative { cursor += 1 }
        let first = cursor
        var whole: Int64 = 0
        while cursor < range.upperBound, let digit = digit(bytes, cursor) {
            let (tens, overflow) = whole.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(Int64(digit))
            if overflow || carry { return isDecimal(bytes, first..<range.upperBound) }
            whole = sum
            cursor += 1
        }
        guard cursor > first else { return .notATime }
        let fraction: Range<Int>
        if cursor < range.upperBound, bytes[cursor] == UInt8(ascii: ".") {
            let start = cursor + 1
            cursor = start
            while cursor < range.upperBound, digit(bytes, cursor) != nil { cursor += 1 }
            fraction = start..<cursor
        } else {
            fraction = cursor..<cursor
        }
        if cursor < range.upperBound {
            return exponent(bytes, range)
        }
        let scale: Int64 =
            switch whole {
            case ..<100_000_000_000: 1_000_000_000
            case ..<100_000_000_000_000: 1_000_000
            case ..<100_000_000_000_000_000: 1000
            default: 1
            }
        var rest: Int64 = 0
        var place = scale / 10
        for index in fraction where place > 0 {
            rest += Int64(bytes[index] &- UInt8(ascii: "0")) * place
            place /= 10
        }
        let (product, overflow) = whole.multipliedReportingOverflow(by: scale)
        let (sum, carry) = product.addingReportingOverflow(rest)
        if overflow || carry { return .outOfRange }
        return .time(isNegative ? -sum : sum)
    }

    /// Too many digits for 64 bits: a number still, or not one at all.
    private static func isDecimal(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Reading {
        for index in range {
            let byte = bytes[index]
            guard byte &- UInt8(ascii: "0") <= 9 || byte == UInt8(ascii: ".") else {
                return .notATime
            }
        }
        return .outOfRange
    }

    /// `1.79e9`: as exact as a double.
    private static func exponent(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Reading {
        var text: [UInt8] = []
        for index in range {
            let byte = bytes[index]
            let isPart =
                byte &- UInt8(ascii: "0") <= 9 || byte == UInt8(ascii: ".")
                || byte | 0x20 == UInt8(ascii: "e") || byte == UInt8(ascii: "+")
                || byte == UInt8(ascii: "-")
            guard isPart else { return .notATime }
            text.append(byte)
        }
        guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else {
            return .notATime
        }
        let scale: Double =
            switch value.magnitude {
            case ..<1e11: 1e9
            case ..<1e14: 1e6
            case ..<1e17: 1e3
            default: 1
            }
        let scaled = (value * scale).rounded()
        return Int64(exactly: scaled).map { .time($0) } ?? .outOfRange
    }
}
