/// Cuts PromQL text into tokens; skips white space and `#` comments.
package struct PromQLLexer {
    private let bytes: [UInt8]
    private var offset = 0
    private var bracketDepth = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// All tokens of `bytes`, the last one `.end`.
    ///
    /// - Throws: `.parse` at the first byte that starts no token.
    package static func tokens(of bytes: [UInt8]) throws(QueryError) -> [PromQLToken] {
        var lexer = Self(bytes)
        var tokens: [PromQLToken] = []
        while true {
            let token = try lexer.next()
            tokens.append(token)
            if token.kind == .end { return tokens }
        }
    }

    private func byte(at index: Int) -> UInt8 { index < bytes.count ? bytes[index] : 0 }

    private func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }

    private mutating func skipBlanks() {
        while offset < bytes.count {
            if isSpace(bytes[offset]) {
                offset += 1
            } else if bytes[offset] == UInt8(ascii: "#") {
                while offset < bytes.count, bytes[offset] != 0x0A { offset += 1 }
            } else {
                return
            }
        }
    }

    private mutating func take(_ kind: PromQLToken.Kind, length: Int) -> PromQLToken {
        let start = offset
        offset += length
        return PromQLToken(kind: kind, range: start..<offset)
    }

    private mutating func next() throws(QueryError) -> PromQLToken {
        skipBlanks()
        guard offset < bytes.count else { return take(.end, length: 0) }
        let first = bytes[offset]
        let second = byte(at: offset + 1)
        switch first {
        case UInt8(ascii: "("): return take(.leftParenthesis, length: 1)
        case UInt8(ascii: ")"): return take(.rightParenthesis, length: 1)
        case UInt8(ascii: "{"): return take(.leftBrace, length: 1)
        case UInt8(ascii: "}"): return take(.rightBrace, length: 1)
        case UInt8(ascii: "["):
            bracketDepth += 1
            return take(.leftBracket, length: 1)
        case UInt8(ascii: "]"):
            bracketDepth -= 1
            return take(.rightBracket, length: 1)
        case UInt8(ascii: ","): return take(.comma, length: 1)
        case UInt8(ascii: "@"): return take(.at, length: 1)
        case UInt8(ascii: "+"): return take(.add, length: 1)
        case UInt8(ascii: "-"): return take(.subtract, length: 1)
        case UInt8(ascii: "*"): return take(.multiply, length: 1)
        case UInt8(ascii: "/"): return take(.divide, length: 1)
        case UInt8(ascii: "%"): return take(.modulo, length: 1)
        case UInt8(ascii: "^"): return take(.power, length: 1)
        case UInt8(ascii: "="):
            if second == UInt8(ascii: "=") { return take(.equal, length: 2) }
            if second == UInt8(ascii: "~") { return take(.matches, length: 2) }
            return take(.assign, length: 1)
        case UInt8(ascii: "!"):
            if second == UInt8(ascii: "=") { return take(.notEqual, length: 2) }
            if second == UInt8(ascii: "~") { return take(.notMatches, length: 2) }
            throw .parse(offset: offset, reason: "unexpected character after '!'")
        case UInt8(ascii: "<"):
            if second == UInt8(ascii: "=") { return take(.lessOrEqual, length: 2) }
            return take(.less, length: 1)
        case UInt8(ascii: ">"):
            if second == UInt8(ascii: "=") { return take(.greaterOrEqual, length: 2) }
            return take(.greater, length: 1)
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"):
            let start = offset
            let text = try PromQLStringLiteral.parse(bytes, at: &offset)
            return PromQLToken(kind: .string(text), range: start..<offset)
        case UInt8(ascii: ":") where bracketDepth > 0: return take(.colon, length: 1)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return try numberOrDuration()
        case UInt8(ascii: ".") where Self.isDigit(second): return try numberOrDuration()
        default:
            guard Self.isNameStart(first) || first == UInt8(ascii: ":") else {
                throw .parse(offset: offset, reason: "unexpected character: \(quoted(offset))")
            }
            return name()
        }
    }

    /// The character at `index` in single quotes, for an error message.
    private func quoted(_ index: Int) -> String {
        let tail = String(decoding: bytes[index..<min(index + 4, bytes.count)], as: UTF8.self)
        return "'\(tail.prefix(1))'"
    }

    private mutating func name() -> PromQLToken {
        let start = offset
        while offset < bytes.count {
            let byte = bytes[offset]
            let isPart =
                Self.isNameStart(byte) || Self.isDigit(byte)
                || (byte == UInt8(ascii: ":") && bracketDepth <= 0)
            guard isPart else { break }
            offset += 1
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self).lowercased()
        let kind: PromQLToken.Kind =
            switch text {
            case "inf": .number(.infinity)
            case "nan": .number(.nan)
            default: .identifier
            }
        return PromQLToken(kind: kind, range: start..<offset)
    }

    static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    static func isNameStart(_ byte: UInt8) -> Bool {
        let lower = byte | 0x20
        return (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(lower) || byte == UInt8(ascii: "_")
    }

    /// Everything that a number or duration may consist of is taken first, then judged as a whole.
    private mutating func numberOrDuration() throws(QueryError) -> PromQLToken {
        let start = offset
        while offset < bytes.count {
            let byte = bytes[offset]
            let isHexadecimal = self.byte(at: start + 1) | 0x20 == UInt8(ascii: "x")
            let isSign =
                (byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-"))
                && !isHexadecimal && offset > start
                && bytes[offset - 1] | 0x20 == UInt8(ascii: "e")
                && Self.isDigit(self.byte(at: offset + 1))
            let isPart =
                Self.isNameStart(byte) || Self.isDigit(byte) || byte == UInt8(ascii: ".") || isSign
            guard isPart else { break }
            offset += 1
        }
        let range = start..<offset
        let text = bytes[range]
        if let number = PromQLNumber.parse(text) {
            guard number.isFinite else {
                throw .parse(offset: start, reason: "error parsing number: value out of range")
            }
            return PromQLToken(kind: .number(number), range: range)
        }
        switch PromQLDuration.parse(text) {
        case .milliseconds(let milliseconds):
            return PromQLToken(kind: .duration(milliseconds), range: range)
        case .outOfRange: throw .parse(offset: start, reason: "duration out of range")
        case .malformed:
            let shown = String(decoding: text, as: UTF8.self)
            throw .parse(offset: start, reason: "bad number or duration syntax: \"\(shown)\"")
        }
    }
}
