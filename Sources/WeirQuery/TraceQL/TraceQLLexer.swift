internal import WeirCore

/// Cuts TraceQL text into tokens; skips white space.
package struct TraceQLLexer {
    private let bytes: [UInt8]
    private var offset = 0

    /// All tokens of `bytes`, the last one `.end`.
    ///
    /// - Throws: `.parse` at the first byte that starts no token.
    package static func tokens(of bytes: [UInt8]) throws(QueryError) -> [TraceQLToken] {
        var lexer = Self(bytes: bytes)
        var tokens: [TraceQLToken] = []
        while true {
            let token = try lexer.next()
            tokens.append(token)
            if token.kind == .end { return tokens }
        }
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// Of two that fit the longer comes first.
    private static let symbols: [[UInt8]] = [
        "&>>", "&<<", "!>>", "!<<", "&&", "||", "&>", "&<", "&~", "!>", "!<", "!~", "!=", "=~",
        ">>", "<<", ">=", "<=", "{", "}", "(", ")", ",", "|", "=", ">", "<", "~", "!", "+", "-",
        "*", "/", "%", "^",
    ].map { Array($0.utf8) }

    private static let scopes: [String: TraceQLAttribute.Scope] = [
        "span": .span, "resource": .resource, "instrumentation": .instrumentation,
        "event": .event, "link": .link,
    ]

    /// Whether a byte may stand in an attribute's name without quotes.
    static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...0x20, 0x7F: false
        default: !"{}(),=~!<>&|^\"`".utf8.contains(byte)
        }
    }

    private func byte(_ ahead: Int = 0) -> UInt8 {
        offset + ahead < bytes.count ? bytes[offset + ahead] : 0
    }

    private mutating func next() throws(QueryError) -> TraceQLToken {
        while [0x20, 0x09, 0x0A, 0x0D].contains(byte()) { offset += 1 }
        let start = offset
        guard start < bytes.count else { return TraceQLToken(kind: .end, range: start..<start) }
        let first = bytes[start]
        if first == UInt8(ascii: "\"") || first == UInt8(ascii: "`") {
            let text = try PromQLStringLiteral.parse(bytes, at: &offset)
            return TraceQLToken(kind: .string(text), range: start..<offset)
        }
        if PromQLLexer.isDigit(first) || first == UInt8(ascii: ".") && PromQLLexer.isDigit(byte(1))
        {
            return try quantity()
        }
        if first == UInt8(ascii: ".") {
            offset += 1
            let name = try attributeName()
            return TraceQLToken(kind: .attribute(.attribute(.any, name)), range: start..<offset)
        }
        if Self.isWordStart(first) { return try word() }
        for text in Self.symbols where bytes[start...].starts(with: text) {
            offset += text.count
            let symbol = String(decoding: text, as: UTF8.self)
            return TraceQLToken(kind: .symbol(symbol), range: start..<offset)
        }
        let tail = String(decoding: bytes[start..<min(start + 4, bytes.count)], as: UTF8.self)
        throw .parse(offset: start, reason: "unexpected character: '\(tail.prefix(1))'")
    }

    private static func isWordStart(_ byte: UInt8) -> Bool {
        byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
            || byte == UInt8(ascii: "_")
    }

    private mutating func bareWord() -> String {
        let start = offset
        while Self.isWordStart(byte()) || PromQLLexer.isDigit(byte()) { offset += 1 }
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    /// A keyword, an intrinsic with a colon in its name, or an attribute behind its scope.
    private mutating func word() throws(QueryError) -> TraceQLToken {
        let start = offset
        let word = bareWord()
        func token(_ kind: TraceQLToken.Kind, _ end: Int) -> TraceQLToken {
            TraceQLToken(kind: kind, range: start..<end)
        }
        if byte() == UInt8(ascii: ":"), Self.isWordStart(byte(1)) {
            offset += 1
            let name = word + ":" + bareWord()
            guard let intrinsic = TraceQLIntrinsic(name: name) else {
                throw .parse(offset: start, reason: "unknown intrinsic: \(name)")
            }
            return token(.attribute(.intrinsic(intrinsic)), offset)
        }
        guard byte() == UInt8(ascii: ".") else { return token(.identifier(word), offset) }
        if let scope = Self.scopes[word] {
            offset += 1
            let name = try attributeName()
            return token(.attribute(.attribute(scope, name)), offset)
        }
        guard word == "parent" else { return token(.identifier(word), offset) }
        offset += 1
        for scope in [TraceQLAttribute.Scope.span, .resource]
        where bytes[offset...].starts(with: (scope.rawValue + ".").utf8) {
            offset += scope.rawValue.utf8.count + 1
            let name = try attributeName()
            return token(.attribute(.parent(scope, name)), offset)
        }
        let name = try attributeName()
        return token(.attribute(.parent(.any, name)), offset)
    }

    /// A name after its scope's point; parts of it may be quoted.
    private mutating func attributeName() throws(QueryError) -> String {
        let start = offset
        var name: [UInt8] = []
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\"") {
                name.append(contentsOf: try PromQLStringLiteral.parse(bytes, at: &offset).utf8)
            } else if Self.isNameByte(byte) {
                name.append(byte)
                offset += 1
            } else {
                break
            }
        }
        guard !name.isEmpty, let text = String(validating: name, as: UTF8.self) else {
            throw .parse(offset: start, reason: "an attribute's name is missing")
        }
        return text
    }

    /// A number or a duration: all of it is taken first, then judged as a whole.
    private mutating func quantity() throws(QueryError) -> TraceQLToken {
        let start = offset
        while offset < bytes.count {
            let byte = bytes[offset]
            let isSign =
                (byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")) && offset > start
                && bytes[offset - 1] | 0x20 == UInt8(ascii: "e")
                && PromQLLexer.isDigit(self.byte(1))
            guard
                Self.isWordStart(byte) || PromQLLexer.isDigit(byte) || byte == UInt8(ascii: ".")
                    || byte >= 0x80 || isSign
            else { break }
            offset += 1
        }
        let range = start..<offset
        let text = Array(bytes[range])
        if text.allSatisfy(PromQLLexer.isDigit) {
            guard let number = Int64(String(decoding: text, as: UTF8.self)) else {
                throw .parse(offset: start, reason: "integer out of range")
            }
            return TraceQLToken(kind: .integer(number), range: range)
        }
        let isPlain = text.allSatisfy {
            PromQLLexer.isDigit($0) || ".eE+-".utf8.contains($0)
        }
        if isPlain, let number = PromQLNumber.parse(text[...]), number.isFinite {
            return TraceQLToken(kind: .double(number), range: range)
        }
        if let nanoseconds = LogQLUnits.nanoseconds(text.span) {
            guard nanoseconds.magnitude < 0x1p63 else {
                throw .parse(offset: start, reason: "duration out of range")
            }
            return TraceQLToken(kind: .duration(Int64(nanoseconds)), range: range)
        }
        let shown = String(decoding: text, as: UTF8.self)
        throw .parse(offset: start, reason: "bad number or duration: \"\(shown)\"")
    }
}
