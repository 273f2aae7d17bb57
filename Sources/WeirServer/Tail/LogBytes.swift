internal import WeirCore

/// The bytes of logs as JSON shows them.
enum LogBytes {
    /// Appends `bytes` quoted and escaped; what is not UTF-8 is shown as U+FFFD.
    static func appendString(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
        let needsWork = bytes.contains { byte in
            byte < 0x20 || byte >= 0x80 || byte == 0x22 || byte == 0x5C
        }
        if needsWork {
            JSONWriter.appendString(String(decoding: bytes, as: UTF8.self), to: &output)
        } else {
            output.append(UInt8(ascii: "\""))
            output.append(contentsOf: bytes)
            output.append(UInt8(ascii: "\""))
        }
    }

    /// Whether a text is a number as JSON spells it (RFC 8259, 6), and so needs no quotes.
    static func isJSONNumber(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        guard let first = rest.first, isDigit(first) else { return false }
        let whole = rest.prefix(while: isDigit)
        if first == UInt8(ascii: "0"), whole.count > 1 { return false }
        rest = rest.dropFirst(whole.count)
        if rest.first == UInt8(ascii: ".") {
            let fraction = rest.dropFirst().prefix(while: isDigit)
            guard !fraction.isEmpty else { return false }
            rest = rest.dropFirst(1 + fraction.count)
        }
        if let mark = rest.first, mark | 0x20 == UInt8(ascii: "e") {
            rest = rest.dropFirst()
            if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
                rest = rest.dropFirst()
            }
            guard !rest.isEmpty else { return false }
            rest = rest.drop(while: isDigit)
        }
        return rest.isEmpty
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
}
