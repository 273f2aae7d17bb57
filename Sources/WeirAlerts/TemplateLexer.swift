/// One word inside `{{ … }}`.
enum TemplateToken: Hashable {
    case name(String)
    /// `.Name`; attached when nothing stands between it and the word before.
    case field(String, isAttached: Bool)
    case variable(String)
    case literal(TemplateValue)
    case dot
    case leftParenthesis
    case rightParenthesis
    case pipe
    case declare
    case assign
    case comma
}

/// A stretch of template text: outside or inside of braces.
enum TemplateChunk {
    case text(String)
    case action([TemplateToken])
}

/// Cuts a template into text and actions, and actions into tokens.
struct TemplateLexer {
    private let bytes: [UInt8]
    private var index = 0

    static func chunks(_ text: String) throws(TemplateError) -> [TemplateChunk] {
        var lexer = TemplateLexer(bytes: Array(text.utf8))
        return try lexer.run()
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private static let space: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]

    private func isAt(_ text: StaticString, _ index: Int) -> Bool {
        let wanted = Array(text.description.utf8)
        return index + wanted.count <= bytes.count
            && bytes[index..<(index + wanted.count)].elementsEqual(wanted)
    }

    private mutating func run() throws(TemplateError) -> [TemplateChunk] {
        var chunks: [TemplateChunk] = []
        var trimsNext = false
        while index < bytes.count {
            let start = index
            while index < bytes.count, !isAt("{{", index) { index += 1 }
            var text = bytes[start..<index]
            let isOpen = index < bytes.count
            let trimsHere =
                isOpen && isAt("{{-", index) && index + 3 < bytes.count
                && Self.space.contains(bytes[index + 3])
            if trimsNext { text = text.drop { Self.space.contains($0) } }
            if trimsHere {
                while let last = text.last, Self.space.contains(last) { text.removeLast() }
            }
            if !text.isEmpty { chunks.append(.text(String(decoding: text, as: UTF8.self))) }
            guard isOpen else { break }
            index += trimsHere ? 4 : 2
            trimsNext = false
            if let comment = try readComment() {
                trimsNext = comment
                continue
            }
            let (tokens, trims) = try readAction()
            chunks.append(.action(tokens))
            trimsNext = trims
        }
        return chunks
    }

    /// - Returns: Whether the text after it is trimmed; nil when there is no comment here.
    private mutating func readComment() throws(TemplateError) -> Bool? {
        guard isAt("/*", index) else { return nil }
        index += 2
        while index < bytes.count, !isAt("*/", index) { index += 1 }
        guard index < bytes.count else { throw TemplateError(reason: "unclosed comment") }
        index += 2
        if isAt("}}", index) {
            index += 2
            return false
        }
        if index < bytes.count, Self.space.contains(bytes[index]), isAt("-}}", index + 1) {
            index += 4
            return true
        }
        throw TemplateError(reason: "comment ends before closing delimiter")
    }

    private mutating func readAction() throws(TemplateError) -> ([TemplateToken], Bool) {
        var tokens: [TemplateToken] = []
        var isAfterSpace = true
        while true {
            guard index < bytes.count else { throw TemplateError(reason: "unclosed action") }
            if isAt("}}", index) {
                index += 2
                return (tokens, false)
            }
            let byte = bytes[index]
            if Self.space.contains(byte) {
                if isAt("-}}", index + 1) {
                    index += 4
                    return (tokens, true)
                }
                index += 1
                isAfterSpace = true
                continue
            }
            tokens.append(try readToken(byte, isAfterSpace: isAfterSpace))
            isAfterSpace = false
        }
    }

    private mutating func readToken(
        _ byte: UInt8,
        isAfterSpace: Bool
    ) throws(TemplateError) -> TemplateToken {
        switch byte {
        case UInt8(ascii: "("):
            index += 1
            return .leftParenthesis
        case UInt8(ascii: ")"):
            index += 1
            return .rightParenthesis
        case UInt8(ascii: "|"):
            index += 1
            return .pipe
        case UInt8(ascii: ","):
            index += 1
            return .comma
        case UInt8(ascii: "="):
            index += 1
            return .assign
        case UInt8(ascii: ":"):
            guard isAt(":=", index) else { throw TemplateError(reason: "expected :=") }
            index += 2
            return .declare
        case UInt8(ascii: "\""): return .literal(.string(try readQuoted()))
        case UInt8(ascii: "`"): return .literal(.string(try readRaw()))
        case UInt8(ascii: "'"): return .literal(.int(try readCharacter()))
        case UInt8(ascii: "$"):
            index += 1
            return .variable(readWord())
        case UInt8(ascii: "."):
            if index + 1 < bytes.count, Self.isDigit(bytes[index + 1]) {
                return .literal(try readNumber())
            }
            index += 1
            let word = readWord()
            return word.isEmpty ? .dot : .field(word, isAttached: !isAfterSpace)
        case UInt8(ascii: "+"), UInt8(ascii: "-"): return .literal(try readNumber())
        default:
            if Self.isDigit(byte) { return .literal(try readNumber()) }
            let word = readWord()
            switch word {
            case "": break
            case "true": return .literal(.bool(true))
            case "false": return .literal(.bool(false))
            case "nil": return .literal(.none)
            default: return .name(word)
            }
            let rest = String(decoding: bytes[index...].prefix(4), as: UTF8.self).prefix(1)
            throw TemplateError(reason: "unexpected \(GoFormat.quoted(String(rest))) in action")
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private mutating func readWord() -> String {
        let start = index
        while index < bytes.count {
            let byte = bytes[index]
            let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            guard isLetter || Self.isDigit(byte) || byte == UInt8(ascii: "_") || byte >= 0x80
            else { break }
            index += 1
        }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func readNumber() throws(TemplateError) -> TemplateValue {
        let start = index
        if bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") { index += 1 }
        while index < bytes.count {
            let byte = bytes[index]
            let isExponentSign =
                (byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-"))
                && bytes[index - 1] | 0x20 == UInt8(ascii: "e")
            let isPart =
                Self.isDigit(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            guard isPart || isExponentSign else { break }
            index += 1
        }
        let written = String(decoding: bytes[start..<index], as: UTF8.self)
        let text = written.filter { $0 != "_" }
        if let number = Int(text) { return .int(number) }
        let isNegative = text.hasPrefix("-")
        let digits = text.drop { "+-".contains($0) }.lowercased()
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where digits.hasPrefix(prefix) {
            if let number = Int(digits.dropFirst(2), radix: radix) {
                return .int(isNegative ? -number : number)
            }
        }
        // Swift reads "inf" and "nan" too, but no number begins so.
        if let number = Double(text) { return .float(number) }
        throw TemplateError(reason: "bad number syntax: \(GoFormat.quoted(written))")
    }

    private mutating func readRaw() throws(TemplateError) -> String {
        let start = index + 1
        guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "`")) else {
            throw TemplateError(reason: "unterminated raw quoted string")
        }
        index = end + 1
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    private mutating func readCharacter() throws(TemplateError) -> Int {
        let text = try readQuoted(end: UInt8(ascii: "'"))
        guard text.unicodeScalars.count == 1, let scalar = text.unicodeScalars.first else {
            throw TemplateError(reason: "malformed character constant")
        }
        return Int(scalar.value)
    }

    private mutating func readQuoted(
        end: UInt8 = UInt8(ascii: "\"")
    ) throws(TemplateError) -> String {
        index += 1
        var text: [UInt8] = []
        while index < bytes.count, bytes[index] != 0x0A {
            let byte = bytes[index]
            index += 1
            if byte == end { return String(decoding: text, as: UTF8.self) }
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            guard index < bytes.count else { break }
            let escape = bytes[index]
            index += 1
            switch escape {
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "a"): text.append(0x07)
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "v"): text.append(0x0B)
            case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"): text.append(escape)
            case UInt8(ascii: "x"): text.append(UInt8(truncatingIfNeeded: try readHex(2)))
            case UInt8(ascii: "u"): try appendScalar(try readHex(4), to: &text)
            case UInt8(ascii: "U"): try appendScalar(try readHex(8), to: &text)
            default: throw TemplateError(reason: "unknown escape in string")
            }
        }
        throw TemplateError(reason: "unterminated quoted string")
    }

    private mutating func readHex(_ count: Int) throws(TemplateError) -> UInt32 {
        guard bytes.count - index >= count,
            let value = UInt32(
                String(decoding: bytes[index..<(index + count)], as: UTF8.self),
                radix: 16
            )
        else { throw TemplateError(reason: "bad escape in string") }
        index += count
        return value
    }

    private func appendScalar(_ value: UInt32, to text: inout [UInt8]) throws(TemplateError) {
        guard let scalar = Unicode.Scalar(value) else {
            throw TemplateError(reason: "bad escape in string")
        }
        text.append(contentsOf: String(Character(scalar)).utf8)
    }
}
