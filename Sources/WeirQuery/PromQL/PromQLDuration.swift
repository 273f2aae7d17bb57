/// Durations as PromQL writes them: `1y2w3d4h5m6s7ms`, largest unit first, each at most once.
package enum PromQLDuration {
    package enum Outcome: Hashable, Sendable {
        case milliseconds(Int64)
        case outOfRange
        case malformed
    }

    /// The longest duration taken: 292 years, what 64 bits of nanoseconds hold.
    package static let millisecondsMax: Int64 = 9_223_372_036_854

    private static let units: [(name: String, milliseconds: Int64, isWholeOnly: Bool)] = [
        ("y", 31_536_000_000, true),
        ("w", 604_800_000, true),
        ("d", 86_400_000, true),
        ("h", 3_600_000, false),
        ("m", 60000, false),
        ("s", 1000, false),
        ("ms", 1, false),
    ]

    package static func parse(_ text: ArraySlice<UInt8>) -> Outcome {
        var total: Int64 = 0
        var unitNext = 0
        var index = text.startIndex
        guard !text.isEmpty else { return .malformed }
        var isOutOfRange = false
        while index < text.endIndex {
            var count: Int64 = 0
            let digitsStart = index
            while index < text.endIndex, PromQLLexer.isDigit(text[index]) {
                // 19 digits are past every limit; stop counting, keep reading.
                if count < 1_000_000_000_000_000 {
                    count = count * 10 + Int64(text[index] - UInt8(ascii: "0"))
                }
                index += 1
            }
            guard index > digitsStart else { return .malformed }
            let nameStart = index
            while index < text.endIndex, !PromQLLexer.isDigit(text[index]) { index += 1 }
            let name = text[nameStart..<index]
            guard
                let unit = units.indices.first(where: { units[$0].name.utf8.elementsEqual(name) }),
                unit >= unitNext
            else { return .malformed }
            unitNext = unit + 1
            let (part, overflow) = count.multipliedReportingOverflow(by: units[unit].milliseconds)
            if overflow || part > millisecondsMax - total {
                isOutOfRange = true
            } else {
                total += part
            }
        }
        return isOutOfRange ? .outOfRange : .milliseconds(total)
    }

    package static func parse(_ text: String) -> Outcome { parse(ArraySlice(text.utf8)) }

    /// Writes a duration that `parse` reads back; a negative one with a leading minus.
    package static func text(milliseconds: Int64) -> String {
        guard milliseconds != 0 else { return "0s" }
        var rest = milliseconds.magnitude
        var text = milliseconds < 0 ? "-" : ""
        for unit in units {
            let size = UInt64(unit.milliseconds)
            if rest < size || (unit.isWholeOnly && rest % size != 0) { continue }
            text += "\(rest / size)\(unit.name)"
            rest %= size
        }
        return text
    }
}
