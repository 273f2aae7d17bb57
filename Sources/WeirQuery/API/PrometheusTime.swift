internal import WeirCore

/// Times and durations as the Prometheus API's parameters write them.
package enum PrometheusTime {
    /// The furthest times there are: the years 1 to 9999, milliseconds.
    package static let millisecondsMin: Int64 = -62_135_596_800_000
    package static let millisecondsMax: Int64 = 253_402_300_799_999

    /// Reads seconds since the epoch with a fraction, or RFC 3339.
    ///
    /// - Returns: Milliseconds, or nil when the text is neither or out of range.
    package static func milliseconds(_ text: String) -> Int64? {
        if let seconds = Double(text) {
            let milliseconds = (seconds * 1000).rounded()
            guard milliseconds >= Double(millisecondsMin), milliseconds <= Double(millisecondsMax)
            else { return nil }
            return Int64(milliseconds)
        }
        return rfc3339(Array(text.utf8))
    }

    /// Reads seconds with a fraction, or a duration such as `1h30m`.
    ///
    /// - Returns: Milliseconds, not negative for the latter; or nil.
    package static func durationMilliseconds(_ text: String) -> Int64? {
        if let seconds = Double(text) {
            let milliseconds = (seconds * 1000).rounded()
            guard milliseconds.magnitude <= Double(PromQLDuration.millisecondsMax) else {
                return nil
            }
            return Int64(milliseconds)
        }
        if case .milliseconds(let milliseconds) = PromQLDuration.parse(text) { return milliseconds }
        return nil
    }

    /// `2015-07-01T20:10:51.781Z`, `2015-07-01T22:10:51+02:00`.
    private static func rfc3339(_ bytes: [UInt8]) -> Int64? {
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[range] {
                guard PromQLLexer.isDigit(byte) else { return nil }
                value = value * 10 + Int64(byte - UInt8(ascii: "0"))
            }
            return value
        }
        func isMark(_ index: Int, _ marks: StaticString) -> Bool {
            index < bytes.count && marks.description.utf8.contains(bytes[index])
        }
        guard isMark(4, "-"), isMark(7, "-"), isMark(10, "Tt"), isMark(13, ":"), isMark(16, ":"),
            let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16),
            let second = number(17..<19), year >= 1, (1...12).contains(month), hour <= 23,
            minute <= 59, second <= 59
        else { return nil }
        guard day >= 1, day <= CivilTime.daysIn(month: Int(month), of: Int(year)) else {
            return nil
        }
        let first = Int64(CivilDate(year: Int(year), month: Int(month), day: 1).daysSinceEpoch)
        var index = 19
        var fraction: Int64 = 0
        if isMark(index, ".") {
            index += 1
            var scale: Int64 = 100
            let start = index
            while index < bytes.count, PromQLLexer.isDigit(bytes[index]) {
                fraction += Int64(bytes[index] - UInt8(ascii: "0")) * scale
                scale /= 10
                index += 1
            }
            guard index > start else { return nil }
        }
        var offsetMinutes: Int64 = 0
        if isMark(index, "Zz") {
            index += 1
        } else {
            guard isMark(index, "+-"), isMark(index + 3, ":"),
                let hours = number((index + 1)..<(index + 3)),
                let minutes = number((index + 4)..<(index + 6)), hours <= 23, minutes <= 59
            else { return nil }
            offsetMinutes = hours * 60 + minutes
            if bytes[index] == UInt8(ascii: "-") { offsetMinutes = -offsetMinutes }
            index += 6
        }
        guard index == bytes.count else { return nil }
        let days = first + day - 1
        let seconds = days * 86400 + hour * 3600 + (minute - offsetMinutes) * 60 + second
        return min(max(seconds * 1000 + fraction, millisecondsMin), millisecondsMax)
    }

    /// Appends milliseconds as seconds: `1435781430.781`, `1435781430`.
    package static func append(milliseconds: Int64, to bytes: inout [UInt8]) {
        if milliseconds < 0 { bytes.append(UInt8(ascii: "-")) }
        bytes.appendDecimal(milliseconds.magnitude / 1000)
        let fraction = milliseconds.magnitude % 1000
        guard fraction != 0 else { return }
        bytes.append(UInt8(ascii: "."))
        bytes.appendDecimal(fraction, minimumCount: 3)
    }
}
