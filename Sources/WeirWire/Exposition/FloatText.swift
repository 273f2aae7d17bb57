/// Numbers as labels have them.
enum FloatText {
    /// A bound as Prometheus 3 writes `le` and `quantile`: shortest digits, `1.0` for whole numbers,
    /// exponents from 1e+06 on and below 0.0001.
    static func label(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == 0 { return value.sign == .minus ? "-0.0" : "0.0" }
        // Swift's shortest digits, taken apart: `-1.25e-07`, `100000.0`.
        let text = abs(value).description
        let parts = text.split(separator: "e", maxSplits: 1)
        let halves = parts[0].split(separator: ".", maxSplits: 1)
        let whole = String(halves[0])
        var digits = whole + (halves.count > 1 ? String(halves[1]) : "")
        var point = whole.utf8.count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
        while digits.hasPrefix("0"), digits.utf8.count > 1 {
            digits.removeFirst()
            point -= 1
        }
        while digits.hasSuffix("0"), digits.utf8.count > 1 { digits.removeLast() }
        let sign = value < 0 ? "-" : ""
        let exponent = point - 1
        guard exponent >= -4, exponent < 6 else {
            return sign + scientific(digits, exponent)
        }
        if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
        if digits.utf8.count <= point {
            return sign + digits + String(repeating: "0", count: point - digits.utf8.count) + ".0"
        }
        let cut = digits.index(digits.startIndex, offsetBy: point)
        return sign + digits[..<cut] + "." + digits[cut...]
    }

    private static func scientific(_ digits: String, _ exponent: Int) -> String {
        let rest = digits.dropFirst()
        let mantissa = digits.prefix(1) + (rest.isEmpty ? "" : "." + rest)
        let size = String(abs(exponent))
        return mantissa + "e" + (exponent < 0 ? "-" : "+")
            + (size.utf8.count < 2 ? "0" + size : size)
    }
}
