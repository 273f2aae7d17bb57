internal import WeirCore

/// Floating-point numbers as text, the way Go's `strconv` writes them, digit for digit.
package enum NumberText {
    /// The shortest decimal digits that read back as a number: its magnitude is
    /// `significand × 10^exponent`, without zeros at the significand's end.
    private struct Digits {
        var significand: UInt64
        var exponent: Int
        /// Digits of the significand; 1 for 0.
        let count: Int

        init(significand: UInt64, exponent: Int) {
            self.significand = significand
            self.exponent = significand == 0 ? 0 : exponent
            while self.significand != 0, self.significand.isMultiple(of: 10) {
                self.significand /= 10
                self.exponent += 1
            }
            var rest = self.significand
            var count = 1
            while rest >= 10 {
                rest /= 10
                count += 1
            }
            self.count = count
        }

        /// Appends the digits from place `range.lowerBound` on.
        func append(_ range: Range<Int>, to bytes: inout [UInt8]) {
            let below = NumberText.integerPowers[count - range.upperBound]
            let part = significand / below % NumberText.integerPowers[range.count]
            bytes.appendDecimal(part, minimumCount: range.count)
        }
    }

    private static let integerPowers: [UInt64] = (0...17).map { exponent in
        (0..<exponent).reduce(1) { power, _ in power * 10 }
    }

    /// The digits of a finite number.
    private static func digits(of number: Double) -> Digits {
        // Decimals of at most 15 digits are told apart by doubles, so one that reads back as the
        // number with the fewest places is the shortest text there is.
        var scale = 1.0
        for places in 1...4 {
            scale *= 10
            let scaled = (number.magnitude * scale).rounded()
            guard scaled < 1e15 else { break }
            if scaled / scale == number.magnitude {
                return Digits(significand: UInt64(scaled), exponent: -places)
            }
        }
        // `description` is shortest and exact, but chooses its own notation: take it apart.
        var significand: UInt64 = 0
        var exponent = 0
        var places = 0
        var hasPoint = false
        var inExponent = false
        var isExponentNegative = false
        for byte in number.description.utf8 {
            switch byte {
            case UInt8(ascii: "-"): isExponentNegative = inExponent
            case UInt8(ascii: "."): hasPoint = true
            case UInt8(ascii: "e"): inExponent = true
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                let digit = byte &- UInt8(ascii: "0")
                if inExponent {
                    exponent = exponent * 10 + Int(digit)
                } else {
                    significand = significand &* 10 &+ UInt64(digit)
                    if hasPoint { places += 1 }
                }
            default: break
            }
        }
        let shift = isExponentNegative ? -exponent : exponent
        return Digits(significand: significand, exponent: shift - places)
    }

    private static func appendSpecial(_ number: Double, to bytes: inout [UInt8]) -> Bool {
        guard !number.isFinite else { return false }
        bytes.append(contentsOf: (number.isNaN ? "NaN" : number > 0 ? "+Inf" : "-Inf").utf8)
        return true
    }

    /// Plain decimal notation at any size: format `f`.
    package static func appendPlain(_ number: Double, to bytes: inout [UInt8]) {
        if appendSpecial(number, to: &bytes) { return }
        if number.sign == .minus { bytes.append(UInt8(ascii: "-")) }
        if number.magnitude < 0x1p53, number == number.rounded(.towardZero) {
            bytes.appendDecimal(UInt64(number.magnitude))
            return
        }
        let zero = UInt8(ascii: "0")
        let parts = digits(of: number)
        let point = parts.count + parts.exponent
        if parts.exponent >= 0 {
            parts.append(0..<parts.count, to: &bytes)
            bytes.append(contentsOf: repeatElement(zero, count: parts.exponent))
        } else if point > 0 {
            parts.append(0..<point, to: &bytes)
            bytes.append(UInt8(ascii: "."))
            parts.append(point..<parts.count, to: &bytes)
        } else {
            bytes.append(zero)
            bytes.append(UInt8(ascii: "."))
            bytes.append(contentsOf: repeatElement(zero, count: -point))
            parts.append(0..<parts.count, to: &bytes)
        }
    }

    /// Scientific notation: format `e`, at least two digits of exponent.
    package static func appendScientific(_ number: Double, to bytes: inout [UInt8]) {
        if appendSpecial(number, to: &bytes) { return }
        let parts = digits(of: number)
        if number.sign == .minus { bytes.append(UInt8(ascii: "-")) }
        parts.append(0..<1, to: &bytes)
        if parts.count > 1 {
            bytes.append(UInt8(ascii: "."))
            parts.append(1..<parts.count, to: &bytes)
        }
        let exponent = parts.significand == 0 ? 0 : parts.count + parts.exponent - 1
        bytes.append(UInt8(ascii: "e"))
        bytes.append(exponent < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        bytes.appendDecimal(UInt64(exponent.magnitude), minimumCount: 2)
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
