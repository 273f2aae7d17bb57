internal import WeirColumns
package import WeirCore

/// Fields as JSON values.
package enum LogJSON {
    /// Writes a value as what it was sent as: numbers, booleans and JSON keep their text.
    package static func value(_ text: [UInt8], _ kind: FieldKind, to writer: inout JSONWriter) {
        switch kind {
        case .text: writer.value(String(decoding: text, as: UTF8.self))
        case .number where isNumber(text), .json where !text.isEmpty, .boolean where !text.isEmpty:
            if kind == .json, (try? JSONParser.parse(text)) == nil {
                writer.value(String(decoding: text, as: UTF8.self))
            } else {
                writer.raw(text)
            }
        default: writer.value(String(decoding: text, as: UTF8.self))
        }
    }

    /// Whether the text is a JSON number: `+1`, `.5` and `1.` are none.
    private static func isNumber(_ text: [UInt8]) -> Bool {
        guard DecimalParser.double(text.span) != nil, let first = text.first else { return false }
        guard first != UInt8(ascii: "+"), text.last != UInt8(ascii: ".") else { return false }
        let digits = first == UInt8(ascii: "-") ? text.dropFirst() : text[...]
        guard let lead = digits.first, PromQLLexer.isDigit(lead) else { return false }
        let second = digits.dropFirst().first ?? 0
        return lead != UInt8(ascii: "0") || !PromQLLexer.isDigit(second)
    }
}
