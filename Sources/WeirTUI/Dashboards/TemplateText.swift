/// `$name` and `${name}` in queries, `{{label}}` in legends.
package enum TemplateText {
    /// The names every dashboard knows.
    package static let builtIn = ["__interval", "__rate_interval", "__range"]

    package static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, isNameByte(first), !isDigit(first) else { return false }
        return text.utf8.allSatisfy { isNameByte($0) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || byte == UInt8(ascii: "_")
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private enum Part {
        case text(ArraySlice<UInt8>)
        case name(String, raw: ArraySlice<UInt8>)
    }

    /// A `$` that no name follows is text: an end anchor, or `$1` of a replacement.
    private static func parts(_ text: String) -> [Part] {
        let bytes = Array(text.utf8)
        var parts: [Part] = []
        var start = 0
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "$"), index + 1 < bytes.count else {
                index += 1
                continue
            }
            let isBraced = bytes[index + 1] == UInt8(ascii: "{")
            let first = index + (isBraced ? 2 : 1)
            var end = first
            while end < bytes.count, isNameByte(bytes[end]) { end += 1 }
            let isClosed = !isBraced || (end < bytes.count && bytes[end] == UInt8(ascii: "}"))
            guard end > first, !isDigit(bytes[first]), isClosed else {
                index += 1
                continue
            }
            let after = isBraced ? end + 1 : end
            if start < index { parts.append(.text(bytes[start..<index])) }
            parts.append(
                .name(
                    String(decoding: bytes[first..<end], as: UTF8.self),
                    raw: bytes[index..<after]
                )
            )
            index = after
            start = after
        }
        if start < bytes.count { parts.append(.text(bytes[start...])) }
        return parts
    }

    /// The names used in a text.
    package static func names(in text: String) -> [String] {
        parts(text).compactMap { part in
            if case .name(let name, _) = part { return name }
            return nil
        }
    }

    /// The text with each name's value in its place; a name without a value stays.
    package static func substitute(_ text: String, _ value: (String) -> String?) -> String {
        var result: [UInt8] = []
        for part in parts(text) {
            switch part {
            case .text(let bytes): result.append(contentsOf: bytes)
            case .name(let name, let raw):
                if let value = value(name) {
                    result.append(contentsOf: value.utf8)
                } else {
                    result.append(contentsOf: raw)
                }
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// A legend with each `{{label}}` replaced; an absent label is nothing.
    package static func legend(_ template: String, _ series: QueryResult.Series) -> String {
        var result = ""
        var rest = Substring(template)
        while let open = rest.firstRange(of: "{{") {
            guard let close = rest[open.upperBound...].firstRange(of: "}}") else { break }
            result += rest[..<open.lowerBound]
            let name = rest[open.upperBound..<close.lowerBound]
            let trimmed = name.drop { $0 == " " }
            result += series[String(trimmed.prefix { $0 != " " })] ?? ""
            rest = rest[close.upperBound...]
        }
        return result + rest
    }

    /// Inside a PromQL string in double quotes.
    static func escapedForString(_ value: String) -> String {
        var result = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\", "\"": result += "\\" + String(Character(scalar))
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// As a pattern that matches only itself.
    static func escapedForPattern(_ value: String) -> String {
        var result = ""
        for scalar in value.unicodeScalars {
            if "\\.+*?()|[]{}^$".unicodeScalars.contains(scalar) { result += "\\" }
            result.unicodeScalars.append(scalar)
        }
        return result
    }
}
