/// Reads and writes string literals: `"…"` and `'…'` with Go's escapes, `` `…` `` raw.
package enum PromQLStringLiteral {
    /// Reads the literal whose opening quote is at `offset`; moves `offset` past the closing one.
    ///
    /// - Throws: `.parse` for an unterminated literal, an unknown escape, or bytes that are no
    ///   UTF-8.
    static func parse(_ bytes: [UInt8], at offset: inout Int) throws(QueryError) -> String {
        let start = offset
        let quote = bytes[offset]
        let isRaw = quote == UInt8(ascii: "`")
        var text: [UInt8] = []
        offset += 1
        while true {
            guard offset < bytes.count else {
                throw .parse(
                    offset: start,
                    reason: isRaw ? "unterminated raw string" : "unterminated quoted string"
                )
            }
            let byte = bytes[offset]
            if byte == quote { break }
            if !isRaw, byte == 0x0A {
                throw .parse(offset: start, reason: "unterminated quoted string")
            }
            if !isRaw, byte == UInt8(ascii: "\\") {
                try parseEscape(bytes, at: &offset, quote: quote, of: start, into: &text)
            } else {
                text.append(byte)
                offset += 1
            }
        }
        offset += 1
        guard let string = String(validating: text, as: UTF8.self) else {
            throw .parse(offset: start, reason: "string is not valid UTF-8")
        }
        return string
    }

    private static func parseEscape(
        _ bytes: [UInt8],
        at offset: inout Int,
        quote: UInt8,
        of literal: Int,
        into text: inout [UInt8]
    ) throws(QueryError) {
        let start = offset
        guard start + 1 < bytes.count else {
            throw .parse(offset: literal, reason: "escape sequence not terminated")
        }
        let kind = bytes[start + 1]
        offset += 2
        switch kind {
        case UInt8(ascii: "a"): text.append(0x07)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "v"): text.append(0x0B)
        case UInt8(ascii: "\\"), quote: text.append(kind)
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            offset = start + 1
            let value = try digits(bytes, at: &offset, count: 3, radix: 8, of: literal)
            guard value <= 255 else {
                throw .parse(
                    offset: literal,
                    reason: "escape sequence is an invalid Unicode code point"
                )
            }
            text.append(UInt8(value))
        case UInt8(ascii: "x"):
            text.append(UInt8(try digits(bytes, at: &offset, count: 2, radix: 16, of: literal)))
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            let count = kind == UInt8(ascii: "u") ? 4 : 8
            let value = try digits(bytes, at: &offset, count: count, radix: 16, of: literal)
            guard let scalar = Unicode.Scalar(value) else {
                throw .parse(
                    offset: literal,
                    reason: "escape sequence is an invalid Unicode code point"
                )
            }
            text.append(contentsOf: String(Character(scalar)).utf8)
        default:
            throw .parse(
                offset: literal,
                reason: "unknown escape sequence \(shown(bytes, at: start + 1))"
            )
        }
    }

    /// A character as messages show it: `U+0071 'q'`.
    private static func shown(_ bytes: [UInt8], at offset: Int) -> String {
        let tail = bytes[offset..<min(offset + 4, bytes.count)]
        guard let scalar = String(decoding: tail, as: UTF8.self).unicodeScalars.first else {
            return ""
        }
        let hexadecimal = String(scalar.value, radix: 16, uppercase: true)
        let zeros = String(repeating: "0", count: max(0, 4 - hexadecimal.count))
        return "U+\(zeros)\(hexadecimal) '\(scalar)'"
    }

    private static func digits(
        _ bytes: [UInt8],
        at offset: inout Int,
        count: Int,
        radix: UInt32,
        of literal: Int
    ) throws(QueryError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard offset < bytes.count,
                let digit = Character(Unicode.Scalar(bytes[offset])).hexDigitValue, digit < radix
            else {
                throw .parse(
                    offset: literal,
                    reason: offset < bytes.count
                        ? "illegal character \(shown(bytes, at: offset)) in escape sequence"
                        : "escape sequence not terminated"
                )
            }
            let (shifted, overflow) = value.multipliedReportingOverflow(by: radix)
            guard !overflow else {
                throw .parse(
                    offset: literal,
                    reason: "escape sequence is an invalid Unicode code point"
                )
            }
            value = shifted + UInt32(digit)
            offset += 1
        }
        return value
    }

    /// `text` as a double-quoted literal.
    package static func quote(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case "\u{7}": quoted += "\\a"
            case "\u{8}": quoted += "\\b"
            case "\u{C}": quoted += "\\f"
            case "\u{B}": quoted += "\\v"
            case "\u{0}"..<" ", "\u{7F}":
                let hexadecimal = String(scalar.value, radix: 16)
                quoted += "\\x" + (hexadecimal.count < 2 ? "0" : "") + hexadecimal
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
