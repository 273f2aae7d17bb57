internal import Glibc

/// Numbers and texts as Go's `fmt` writes them.
enum GoFormat {
    /// The shortest text that reads back the same: `7.5`, `1e+06`, `NaN`, `+Inf`.
    static func shortest(_ value: Double) -> String {
        guard value.isFinite else { return special(value) }
        if value == 0 { return value.sign == .minus ? "-0" : "0" }
        let (isNegative, digits, exponent) = parts(value)
        let sign = isNegative ? "-" : ""
        // Go turns to the exponent form outside of this range, whatever the digits.
        if exponent < -4 || exponent >= 6 {
            return sign + scientific(digits, exponent)
        }
        if exponent < 0 {
            return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits
        }
        if digits.count <= exponent + 1 {
            return sign + digits + String(repeating: "0", count: exponent + 1 - digits.count)
        }
        return sign + digits.prefix(exponent + 1) + "." + digits.dropFirst(exponent + 1)
    }

    /// `7.5e+00`: as the API writes an alert's value.
    static func scientific(_ value: Double) -> String {
        guard value.isFinite else { return special(value) }
        if value == 0 { return value.sign == .minus ? "-0e+00" : "0e+00" }
        let (isNegative, digits, exponent) = parts(value)
        return (isNegative ? "-" : "") + scientific(digits, exponent)
    }

    private static func scientific(_ digits: String, _ exponent: Int) -> String {
        let magnitude = String(abs(exponent))
        return String(digits.prefix(1)) + (digits.count > 1 ? "." + digits.dropFirst() : "") + "e"
            + (exponent < 0 ? "-" : "+") + (magnitude.count < 2 ? "0" : "") + magnitude
    }

    static func special(_ value: Double) -> String {
        value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf"
    }

    /// The shortest decimal digits without zeros at the ends, and the exponent of the first.
    private static func parts(_ value: Double) -> (Bool, digits: String, exponent: Int) {
        let text = value.magnitude.description
        let halves = text.split(separator: "e")
        let mantissa = halves[0].split(separator: ".", omittingEmptySubsequences: false)
        var exponent = (halves.count > 1 ? Int(halves[1]) ?? 0 : 0) + mantissa[0].count - 1
        var digits = mantissa.joined()
        while digits.hasPrefix("0"), digits.count > 1 {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.hasSuffix("0"), digits.count > 1 { digits.removeLast() }
        return (value.sign == .minus, digits, exponent)
    }

    /// `%.4g`, `%.2f`, `%e` and their kind, by C's printf, which agrees with Go's on them.
    static func formatted(
        _ value: Double,
        verb: Character,
        flags: String = "",
        width: Int? = nil,
        precision: Int? = nil
    ) -> String {
        guard value.isFinite else {
            return padded(special(value), flags: flags.filter { $0 != "0" }, width: width)
        }
        let format =
            "%" + flags + (width.map { String(min($0, 1000)) } ?? "")
            + (precision.map { "." + String(min($0, 400)) } ?? "") + String(verb)
        var buffer = [CChar](repeating: 0, count: 2048)
        let capacity = buffer.count
        // SAFETY: vsnprintf writes at most `capacity` bytes, its terminator among them; the format
        // is made above and takes exactly one double.
        _ = unsafe withVaList([value]) { arguments in
            unsafe vsnprintf(&buffer, capacity, format, arguments)
        }
        return String(
            decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
    }

    static func padded(_ text: String, flags: String, width: Int?) -> String {
        guard let width, text.count < min(width, 1000) else { return text }
        let fill = min(width, 1000) - text.count
        if flags.contains("-") { return text + String(repeating: " ", count: fill) }
        if flags.contains("0") {
            let sign = text.hasPrefix("-") || text.hasPrefix("+") ? String(text.prefix(1)) : ""
            return sign + String(repeating: "0", count: fill) + text.dropFirst(sign.count)
        }
        return String(repeating: " ", count: fill) + text
    }

    /// A Go string literal: `"a\n"`.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7F {
                    let hex = String(scalar.value, radix: 16)
                    quoted += "\\x" + (hex.count < 2 ? "0" : "") + hex
                } else {
                    quoted.unicodeScalars.append(scalar)
                }
            }
        }
        return quoted + "\""
    }

    /// `printf` with Go's verbs.
    static func printf(_ format: String, _ arguments: [TemplateValue]) -> String {
        var output = ""
        var rest = Substring(format)
        var next = 0
        while let percent = rest.firstIndex(of: "%") {
            output += rest[..<percent]
            rest = rest[percent...].dropFirst()
            let flags = rest.prefix { "+-# 0".contains($0) }
            rest = rest.dropFirst(flags.count)
            let width = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(width.count)
            var precision: Int?
            if rest.hasPrefix(".") {
                rest = rest.dropFirst()
                let digits = rest.prefix { $0.isASCII && $0.isNumber }
                rest = rest.dropFirst(digits.count)
                precision = Int(digits) ?? 0
            }
            guard let verb = rest.popFirst() else {
                output += "%!(NOVERB)"
                break
            }
            if verb == "%" {
                output += "%"
                continue
            }
            guard next < arguments.count else {
                output += "%!\(verb)(MISSING)"
                continue
            }
            output += one(
                arguments[next],
                verb,
                flags: String(flags),
                width: Int(width),
                precision: precision
            )
            next += 1
        }
        output += rest
        if next < arguments.count {
            let extra = arguments[next...].map { "\($0.kind)=\($0.text)" }
            output += "%!(EXTRA \(extra.joined(separator: ", ")))"
        }
        return output
    }

    private static func one(
        _ value: TemplateValue,
        _ verb: Character,
        flags: String,
        width: Int?,
        precision: Int?
    ) -> String {
        switch (verb, value) {
        case ("v", .float(let number)) where precision == nil:
            return padded(shortest(number), flags: flags, width: width)
        case ("v", .float(let number)):
            return formatted(number, verb: "g", flags: flags, width: width, precision: precision)
        case ("g", .float(let number)) where precision == nil,
            ("G", .float(let number)) where precision == nil:
            return padded(shortest(number), flags: flags, width: width)
        case ("f", .float(let number)), ("F", .float(let number)), ("e", .float(let number)),
            ("E", .float(let number)), ("g", .float(let number)), ("G", .float(let number)):
            return formatted(number, verb: verb, flags: flags, width: width, precision: precision)
        case ("d", .int(let number)):
            let text = (flags.contains("+") && number >= 0 ? "+" : "") + String(number)
            return padded(text, flags: flags, width: width)
        case ("x", .int(let number)):
            return padded(String(number, radix: 16), flags: flags, width: width)
        case ("X", .int(let number)):
            return padded(String(number, radix: 16, uppercase: true), flags: flags, width: width)
        case ("o", .int(let number)):
            return padded(String(number, radix: 8), flags: flags, width: width)
        case ("b", .int(let number)):
            return padded(String(number, radix: 2), flags: flags, width: width)
        case ("c", .int(let number)):
            let scalar = UInt32(exactly: number).flatMap { Unicode.Scalar($0) } ?? "\u{FFFD}"
            return padded(String(Character(scalar)), flags: flags, width: width)
        case ("q", .string(let text)):
            return padded(quoted(text), flags: flags, width: width)
        case ("s", .string(let text)), ("v", .string(let text)):
            let cut = precision.map { String(text.prefix($0)) } ?? text
            return padded(cut, flags: flags.filter { $0 != "0" }, width: width)
        case ("x", .string(let text)):
            let hex = text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            return padded(hex, flags: flags, width: width)
        case ("t", .bool(let flag)):
            return padded(flag ? "true" : "false", flags: flags, width: width)
        case ("v", _):
            return padded(value.text, flags: flags, width: width)
        case ("s", .labels), ("s", .map), ("s", .list):
            return padded(value.text, flags: flags, width: width)
        default: return "%!\(verb)(\(value.kind)=\(value.text))"
        }
    }
}
