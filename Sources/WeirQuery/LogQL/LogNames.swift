/// The names of labels and fields as LogQL sees them.
package enum LogNames {
    package static let error = "__error__"
    package static let errorDetails = "__error_details__"

    /// Fields that may hold the severity, in the order they are looked for.
    package static let levelFields = [
        "level", "severity", "severity_text", "lvl", "loglevel", "log.level", "detected_level",
    ]
    private static let levelAliases: Set<String> = ["level", "detected_level", "severity"]
    private static let bodyAliases: Set<String> = ["message", "msg", "_msg", "body"]

    /// Other fields that a name stands for, in order; the body is the empty name.
    package static func aliases(of name: String) -> [String] {
        if levelAliases.contains(name) { return levelFields }
        if bodyAliases.contains(name) { return [""] }
        return []
    }

    /// Whether LogQL can write the name as it is.
    package static func isPlain(_ name: String) -> Bool {
        guard let first = name.utf8.first, PromQLLexer.isNameStart(first) else { return false }
        return name.utf8.allSatisfy { PromQLLexer.isNameStart($0) || PromQLLexer.isDigit($0) }
    }

    /// The name with `_` for every character that LogQL does not allow.
    package static func sanitized(_ name: String) -> String {
        if isPlain(name) { return name }
        var bytes: [UInt8] = []
        for scalar in name.unicodeScalars {
            let byte = scalar.isASCII ? UInt8(truncatingIfNeeded: scalar.value) : 0
            if PromQLLexer.isDigit(byte), bytes.isEmpty { bytes.append(UInt8(ascii: "_")) }
            let isAllowed = PromQLLexer.isNameStart(byte) || PromQLLexer.isDigit(byte)
            bytes.append(isAllowed ? byte : UInt8(ascii: "_"))
        }
        return bytes.isEmpty ? "_" : String(decoding: bytes, as: UTF8.self)
    }
}
