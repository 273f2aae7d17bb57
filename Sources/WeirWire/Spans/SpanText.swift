internal import WeirCore

/// Numbers, ids and JSON as bytes, without a `String` between.
enum SpanText {
    /// Reads hexadecimal digits of either case: 1 to 16 of them; nil for anything else.
    static func id(_ text: some Collection<UInt8>) -> UInt64? {
        guard (1...16).contains(text.count) else { return nil }
        var value: UInt64 = 0
        for byte in text {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            value = value << 4 | UInt64(digit)
        }
        return value
    }

    /// Reads a trace id of 16 or 32 hexadecimal digits.
    static func traceID(
        _ text: String,
        _ field: String = "trace id"
    ) throws(SpanError) -> (high: UInt64, low: UInt64) {
        let bytes = Array(text.utf8)
        if bytes.count == 16, let low = id(bytes) { return (0, low) }
        guard bytes.count == 32, let high = id(bytes[..<16]), let low = id(bytes[16...]) else {
            throw .badID(field: field, text: shown(text))
        }
        return (high, low)
    }

    /// Reads a span id of 16 hexadecimal digits.
    static func spanID(_ text: String, _ field: String) throws(SpanError) -> UInt64 {
        guard text.utf8.count == 16, let value = id(Array(text.utf8)) else {
            throw .badID(field: field, text: shown(text))
        }
        return value
    }

    /// What was sent, short enough for a message.
    static func shown(_ text: String) -> String {
        "\"\(text.utf8.count <= 64 ? text : String(text.prefix(40)) + "…")\""
    }

    /// Appends bytes quoted and escaped as JSON.
    static func appendQuoted(_ bytes: Span<UInt8>, _ range: Range<Int>, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        var cursor = range.lowerBound
        while true {
            let stop = ByteWords.endOfPlainText(bytes, from: cursor, end: range.upperBound)
            output.append(bytes, cursor..<stop)
            guard stop < range.upperBound else { break }
            switch bytes[stop] {
            case UInt8(ascii: "\""): output += [0x5C, 0x22]
            case 0x5C: output += [0x5C, 0x5C]
            case 0x0A: output += [0x5C, UInt8(ascii: "n")]
            case 0x0D: output += [0x5C, UInt8(ascii: "r")]
            case 0x09: output += [0x5C, UInt8(ascii: "t")]
            case let byte:
                let digits = Array("0123456789abcdef".utf8)
                output += Array("\\u00".utf8)
                output += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
            cursor = stop + 1
        }
        output.append(UInt8(ascii: "\""))
    }

    static func appendQuoted(_ bytes: [UInt8], to output: inout [UInt8]) {
        appendQuoted(bytes.span, 0..<bytes.count, to: &output)
    }

    /// Appends a double so that it can be told from an integer; JSON has no NaN and no infinities,
    /// which there are texts.
    static func appendJSON(_ value: Double, to output: inout [UInt8]) {
        let text = OTLPText.number(value)
        if value.isFinite {
            output += text.utf8
        } else {
            appendQuoted(Array(text.utf8), to: &output)
        }
    }

    /// Appends `{"bytes":"<base64>"}`, `base64` being so already.
    static func appendJSON(base64: [UInt8], to output: inout [UInt8]) {
        output += Array("{\"bytes\":".utf8)
        appendQuoted(base64, to: &output)
        output.append(UInt8(ascii: "}"))
    }

    /// Appends an attribute's value as JSON.
    static func appendJSON(_ value: OTLPAttribute, to output: inout [UInt8]) {
        switch value.kind {
        case .text: appendQuoted(value.value, to: &output)
        case .bytes: appendJSON(base64: value.value, to: &output)
        case .number where value.value.last.map { $0 > UInt8(ascii: "9") } ?? true:
            appendQuoted(value.value, to: &output)
        case .number, .boolean, .json: output += value.value
        }
    }

    /// Appends `,"name":` or, at the start of an object, `"name":`.
    static func appendKey(_ name: StaticString, to output: inout [UInt8]) {
        if output.last != UInt8(ascii: "{") { output.append(UInt8(ascii: ",")) }
        output.append(UInt8(ascii: "\""))
        // SAFETY: the buffer is copied inside the closure.
        name.withUTF8Buffer { unsafe output.append(contentsOf: $0) }
        output.append(UInt8(ascii: "\""))
        output.append(UInt8(ascii: ":"))
    }
}
