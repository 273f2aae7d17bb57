/// Reads the numbers that line protocol and text expositions write.
enum NumberText {
    enum Reading<Value> {
        case number(Value)
        case outOfRange
        case notANumber
    }

    /// Powers of ten that are exact doubles.
    static let powers: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    /// Reads a field value: float, `i` and `u` integers, and booleans, which become 1 and 0.
    static func value(_ bytes: Span<UInt8>, _ text: Range<Int>) -> Reading<Double> {
        let last = bytes[text.upperBound - 1]
        let body = text.lowerBound..<(text.upperBound - 1)
        switch last {
        case UInt8(ascii: "i"):
            switch integer(bytes, body) {
            case .number(let value): return .number(Double(value))
            case .outOfRange: return .outOfRange
            case .notANumber: return .notANumber
            }
        case UInt8(ascii: "u"):
            guard !body.isEmpty else { return .notANumber }
            var value: UInt64 = 0
            for index in body {
                let digit = bytes[index] &- UInt8(ascii: "0")
                guard digit <= 9 else { return .notANumber }
                let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
                let (sum, carry) = tens.addingReportingOverflow(UInt64(digit))
                guard !overflow, !carry else { return .outOfRange }
                value = sum
            }
            return .number(Double(value))
        default: return decimal(bytes, text) ?? word(bytes, text)
        }
    }

    /// Reads a signed decimal integer.
    static func integer(_ bytes: Span<UInt8>, _ text: Range<Int>) -> Reading<Int64> {
        var index = text.lowerBound
        guard index < text.upperBound else { return .notANumber }
        let isNegative = bytes[index] == UInt8(ascii: "-")
        if isNegative || bytes[index] == UInt8(ascii: "+") { index += 1 }
        guard index < text.upperBound else { return .notANumber }
        // Up to 19 digits do not overflow, and that is nearly every number there is.
        if text.upperBound - index <= 19 {
            var digits: UInt64 = 0
            let end = readDigits(bytes, index, text.upperBound, into: &digits)
            guard end == text.upperBound else { return .notANumber }
            if let value = Int64(exactly: digits) { return .number(isNegative ? -value : value) }
            return isNegative && digits == Int64.min.magnitude ? .number(.min) : .outOfRange
        }
        var value: Int64 = 0
        while index < text.upperBound {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return .notANumber }
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) =
                isNegative
                ? tens.subtractingReportingOverflow(Int64(digit))
                : tens.addingReportingOverflow(Int64(digit))
            guard !overflow, !carry else { return .outOfRange }
            value = sum
            index += 1
        }
        return .number(value)
    }

    /// Reads `-123.456` when the digits are few enough for one exact division; nil leaves it to the
    /// general reader.
    private static func decimal(_ bytes: Span<UInt8>, _ text: Range<Int>) -> Reading<Double>? {
        guard let (value, end) = scan(bytes, text), end == text.upperBound,
            bytes[end - 1] != UInt8(ascii: "i")
        else { return nil }
        return .number(value)
    }

    /// Reads a number as Prometheus does: decimal, or `NaN`, `Inf`, `Infinity` in any case; nil for
    /// anything else, and for what is too large for a double.
    static func float(_ bytes: Span<UInt8>, _ text: Range<Int>) -> Double? {
        guard !text.isEmpty else { return nil }
        if case .number(let value) = decimal(bytes, text) { return value }
        var isWord = false
        for index in text {
            switch bytes[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "+"),
                UInt8(ascii: "-"), UInt8(ascii: "e"), UInt8(ascii: "E"):
                break
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
                isWord = true
            default: return nil
            }
        }
        let word = String(decoding: text.map { bytes[$0] }, as: UTF8.self)
        if isWord {
            switch word.lowercased() {
            case "nan", "+nan", "-nan": return .nan
            case "inf", "+inf", "infinity", "+infinity": return .infinity
            case "-inf", "-infinity": return -.infinity
            default: return nil
            }
        }
        guard let value = Double(word), value.isFinite else { return nil }
        return value
    }

    /// Reads seconds, with or without decimals, as nanoseconds; digits past the ninth are cut.
    static func seconds(_ bytes: Span<UInt8>, _ text: Range<Int>) -> Int64? {
        let point = text.first { bytes[$0] == UInt8(ascii: ".") } ?? text.upperBound
        let isPlain = text.allSatisfy {
            bytes[$0] &- 0x30 < 10 || bytes[$0] == UInt8(ascii: ".") || $0 == text.lowerBound
        }
        guard isPlain, case .number(let whole) = integer(bytes, text.lowerBound..<point) else {
            // With an exponent, or without a digit before the point.
            guard let value = float(bytes, text), let time = Int64(exactly: (value * 1e3).rounded())
            else { return nil }
            let (product, overflow) = time.multipliedReportingOverflow(by: 1_000_000)
            return overflow ? nil : product
        }
        var fraction: Int64 = 0
        var index = point + 1
        for _ in 0..<9 {
            fraction *= 10
            guard index < text.upperBound else { continue }
            let digit = bytes[index] &- 0x30
            guard digit < 10 else { return nil }
            fraction += Int64(digit)
            index += 1
        }
        let (product, overflow) = whole.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return nil }
        let isNegative = bytes[text.lowerBound] == UInt8(ascii: "-")
        let (time, carry) = product.addingReportingOverflow(isNegative ? -fraction : fraction)
        return carry ? nil : time
    }

    /// Reads booleans, and floats with exponents or many digits.
    private static func word(_ bytes: Span<UInt8>, _ text: Range<Int>) -> Reading<Double> {
        let isHexadecimal = text.contains { bytes[$0] | 0x20 == UInt8(ascii: "x") }
        let word = String(decoding: text.map { bytes[$0] }, as: UTF8.self)
        switch word {
        case "t", "T", "true", "True", "TRUE": return .number(1)
        case "f", "F", "false", "False", "FALSE": return .number(0)
        default:
            // Swift also reads hexadecimal floats, which line protocol does not have.
            guard !isHexadecimal, !word.contains("("), let value = Double(word) else {
                return .notANumber
            }
            // Too many digits for a double; infinity itself is spelt in letters alone.
            let isNumber = text.contains { bytes[$0] &- UInt8(ascii: "0") < 10 }
            return value.isInfinite && isNumber ? .outOfRange : .number(value)
        }
    }
}
