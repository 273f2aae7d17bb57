internal import WeirCore

/// Nanosecond times as text.
package enum LogTimestamp {
    /// `2026-11-24T18:22:00.123456789Z`; as many digits of the second as are not zero.
    package static func rfc3339(_ nanoseconds: Int64) -> [UInt8] {
        let secondsPerDay: Int64 = 86400
        var seconds = nanoseconds / 1_000_000_000
        var rest = nanoseconds % 1_000_000_000
        if rest < 0 {
            rest += 1_000_000_000
            seconds -= 1
        }
        var days = seconds / secondsPerDay
        var ofDay = seconds % secondsPerDay
        if ofDay < 0 {
            ofDay += secondsPerDay
            days -= 1
        }
        // Days since 0000-03-01 in eras of 400 years (Howard Hinnant, "chrono-compatible
        // low-level date algorithms").
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthIndex + 2) / 5 + 1
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(30)
        func put(_ number: Int64, _ digits: Int) {
            var scale: Int64 = 1
            for _ in 1..<digits { scale *= 10 }
            while scale > 0 {
                bytes.append(UInt8(ascii: "0") + UInt8(number / scale % 10))
                scale /= 10
            }
        }
        put(max(0, year), 4)
        bytes.append(UInt8(ascii: "-"))
        put(month, 2)
        bytes.append(UInt8(ascii: "-"))
        put(day, 2)
        bytes.append(UInt8(ascii: "T"))
        put(ofDay / 3600, 2)
        bytes.append(UInt8(ascii: ":"))
        put(ofDay / 60 % 60, 2)
        bytes.append(UInt8(ascii: ":"))
        put(ofDay % 60, 2)
        if rest > 0 {
            bytes.append(UInt8(ascii: "."))
            put(rest, 9)
            while bytes.last == UInt8(ascii: "0") { bytes.removeLast() }
        }
        bytes.append(UInt8(ascii: "Z"))
        return bytes
    }

    /// Reads what Loki's parameters take: nanoseconds or seconds since the epoch, seconds with a
    /// fraction, RFC 3339 with any fraction.
    ///
    /// - Returns: Nanoseconds, or nil when the text is none of those or does not fit.
    package static func nanoseconds(_ text: String) -> Int64? {
        if let number = Int64(text) {
            // Ten digits and fewer are seconds and more are nanoseconds, as Loki has it; but what is
            // as long as today's milli- or microseconds is meant as those.
            switch number.magnitude.description.utf8.count {
            case ...10: return scaled(number, 1_000_000_000)
            case 13: return scaled(number, 1_000_000)
            case 16: return scaled(number, 1000)
            default: return number
            }
        }
        if let seconds = Double(text), seconds.magnitude < 9.2e9 {
            let whole = seconds.rounded(.down)
            return Int64(whole) * 1_000_000_000 + Int64(((seconds - whole) * 1e6).rounded()) * 1000
        }
        guard let milliseconds = PrometheusTime.milliseconds(text), Double(text) == nil else {
            return nil
        }
        guard let base = scaled(milliseconds, 1_000_000) else { return nil }
        // Digits beyond the third.
        guard let point = text.firstIndex(of: ".") else { return base }
        let digits = text[text.index(after: point)...].prefix { $0.isASCII && $0.isNumber }
        var fraction: Int64 = 0
        var scale: Int64 = 100_000
        for digit in digits.utf8.dropFirst(3).prefix(6) {
            fraction += Int64(digit - 0x30) * scale
            scale /= 10
        }
        return base.addingReportingOverflow(fraction).overflow ? nil : base + fraction
    }

    private static func scaled(_ number: Int64, _ scale: Int64) -> Int64? {
        let (product, overflow) = number.multipliedReportingOverflow(by: scale)
        return overflow ? nil : product
    }
}
