/// Floating-point numbers as text, the way Go's `strconv` writes them, digit for digit.
package enum NumberText {
    /// The shortest decimal digits that read back as the number, and where the point goes.
    private struct Digits {
        let isNegative: Bool
        let digits: [UInt8]
        /// The value is `0.digits × 10^point`.
        let point: Int
    }

    private static func digits(of number: Double) -> Digits {
        // `description` is shortest and exact, but chooses its own notation: take it apart.
        var isNegative = false
        var digits: [UInt8] = []
        var point = 0
        var hasPoint = false
        var exponent = 0
        var exponentIsNegative = false
        var inExponent = false
        for byte in number.description.utf8 {
            switch byte {
            case UInt8(ascii: "-"):
                if inExponent { exponentIsNegative = true } else { isNegative = true }
            case UInt8(ascii: "+"): break
            case UInt8(ascii: "."): hasPoint = true
            case UInt8(ascii: "e"): inExponent = true
            default:
                if inExponent {
                    exponent = exponent * 10 + Int(byte - UInt8(ascii: "0"))
                } else {
                    digits.append(byte)
                    if !hasPoint { point += 1 }
                }
            }
        }
        point += exponentIsNegative ? -exponent : exponent
        let zero = UInt8(ascii: "0")
        let leading = digits.prefix { $0 == zero }.count
        digits.removeFirst(leading)
        point -= leading
        while digits.last == zero { digits.removeLast() }
        if digits.isEmpty { point = 0 }
        return Digits(isNegative: isNegative, digits: digits, point: point)
    }

    private static func appendSpecial(_ number: Double, to bytes: inout [UInt8]) -> Bool {
        guard !number.isFinite else { return false }
        bytes.append(contentsOf: (number.isNaN ? "NaN" : number > 0 ? "+Inf" : "-Inf").utf8)
        return true
    }

    /// Plain decimal notation at any size: format `f`.
    package static func appendPlain(_ number: Double, to bytes: inout [UInt8]) {
        if appendSpecial(number, to: &bytes) { return }
        if number.magnitude < 9_007_199_254_740_992, number == number.rounded(.towardZero) {
            if number == 0, number.sign == .minus { bytes.append(UInt8(ascii: "-")) }
            bytes.append(contentsOf: Int64(number).description.utf8)
            return
        }
        let zero = UInt8(ascii: "0")
        let parts = digits(of: number)
        if parts.isNegative { bytes.append(UInt8(ascii: "-")) }
        if parts.point <= 0 { bytes.append(zero) }
        for index in 0..<max(0, parts.point) {
            bytes.append(index < parts.digits.count ? parts.digits[index] : zero)
        }
        guard parts.digits.count > parts.point else { return }
        bytes.append(UInt8(ascii: "."))
        for _ in 0..<max(0, -parts.point) { bytes.append(zero) }
        bytes.append(contentsOf: parts.digits[max(0, parts.point)...])
    }

    /// Scientific notation: format `e`, at least two digits of exponent.
    package static func appendScientific(_ number: Double, to bytes: inout [UInt8]) {
        if appendSpecial(number, to: &bytes) { return }
        let parts = digits(of: number)
        if parts.isNegative { bytes.append(UInt8(ascii: "-")) }
        bytes.append(parts.digits.first ?? UInt8(ascii: "0"))
        if parts.digits.count > 1 {
            bytes.append(UInt8(ascii: "."))
            bytes.append(contentsOf: parts.digits.dropFirst())
        }
        let exponent = parts.digits.isEmpty ? 0 : parts.point - 1
        bytes.append(contentsOf: (exponent < 0 ? "e-" : "e+").utf8)
        if exponent.magnitude < 10 { bytes.append(UInt8(ascii: "0")) }
        bytes.append(contentsOf: exponent.magnitude.description.utf8)
    }

    /// As the Prometheus API writes a sample's value: plain, but scientific for the very large
    /// and the very small.
    package static func appendSample(_ number: Double, to bytes: inout [UInt8]) {
        let magnitude = number.magnitude
        if magnitude != 0, magnitude < 1e-6 || magnitude >= 1e21, number.isFinite {
            appendScientific(number, to: &bytes)
        } else {
            appendPlain(number, to: &bytes)
        }
    }

    /// `number` in plain notation, as `count_values` labels are written.
    package static func plain(_ number: Double) -> String {
        var bytes: [UInt8] = []
        appendPlain(number, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// As the Prometheus API writes a sample's value.
    package static func sample(_ number: Double) -> String {
        var bytes: [UInt8] = []
        appendSample(number, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Plain notation with six digits after the point: Go's format `f`.
    package static func fixed(_ number: Double) -> String {
        guard number.isFinite, number.magnitude < 0x1p53 else { return plain(number) }
        let millionths = (number.magnitude.truncatingRemainder(dividingBy: 1) * 1e6).rounded()
        let whole = number.magnitude.rounded(.towardZero) + (millionths >= 1e6 ? 1 : 0)
        let digits = String(Int64(millionths >= 1e6 ? 0 : millionths) + 1_000_000).dropFirst()
        return "\(number < 0 ? "-" : "")\(Int64(whole)).\(digits)"
    }

    /// The shortest digits, in scientific notation from a million on and below 1e-4: Go's format `g`.
    package static func general(_ number: Double) -> String {
        var bytes: [UInt8] = []
        let magnitude = number.magnitude
        if magnitude != 0, number.isFinite, magnitude < 1e-4 || magnitude >= 1e6 {
            appendScientific(number, to: &bytes)
        } else {
            appendPlain(number, to: &bytes)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// As a number in PromQL text: `Inf` without a sign, scientific from 1e21 and below 1e-4.
    package static func literal(_ number: Double) -> String {
        if number == .infinity { return "Inf" }
        var bytes: [UInt8] = []
        let magnitude = number.magnitude
        if magnitude != 0, number.isFinite, magnitude < 1e-4 || magnitude >= 1e21 {
            appendScientific(number, to: &bytes)
        } else {
            appendPlain(number, to: &bytes)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
