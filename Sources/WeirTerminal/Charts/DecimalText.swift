internal import Glibc

/// Numbers with a fixed count of digits, without Foundation.
package enum DecimalText {
    /// `value` with `decimals` digits after the point, rounded half away from zero.
    package static func fixed(_ value: Double, decimals: Int) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        let digits = max(0, min(decimals, 9))
        var power = 1.0
        for _ in 0..<digits { power *= 10 }
        let scaled = (abs(value) * power).rounded()
        guard scaled < 9e15 else { return value.description }
        let whole = Int64(scaled)
        let unit = Int64(power)
        var text = "\(whole / unit)"
        if digits > 0 {
            let fraction = "\(whole % unit)"
            text += "." + String(repeating: "0", count: digits - fraction.utf8.count) + fraction
        }
        return value < 0 && whole != 0 ? "-" + text : text
    }

    /// About `count` significant digits, without trailing zeros.
    package static func significant(_ value: Double, _ count: Int = 3) -> String {
        guard value.isFinite, value != 0 else { return fixed(value, decimals: 0) }
        let magnitude = Int(log10(abs(value)).rounded(.down))
        guard magnitude < 15 else { return value.description }
        if magnitude < -4 {
            // Zeros after the point say less than a power of ten.
            let mantissa = value / pow(10, Double(magnitude))
            guard mantissa.isFinite else { return value.description }
            return significant(mantissa, count) + "e\(magnitude)"
        }
        let decimals = count - 1 - magnitude
        return trimmed(fixed(value, decimals: decimals))
    }

    /// Without zeros at the end of the fraction.
    package static func trimmed(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: ".")), !text.utf8.contains(UInt8(ascii: "e")) else {
            return text
        }
        var kept = Substring(text)
        while kept.last == "0" { kept.removeLast() }
        if kept.last == "." { kept.removeLast() }
        return String(kept)
    }
}
