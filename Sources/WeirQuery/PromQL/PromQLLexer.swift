/// Cuts PromQL text into tokens; skips white space and `#` comments.
package struct PromQLLexer {
    private let bytes: [UInt8]
    private var offset = 0
    private var parenthesisDepth = 0
    private var isInBrackets = false
    private var isInBraces = false
    /// A colon was met in these brackets.
    private var hasColon = false

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// All tokens of `bytes`, the last one `.end`: or those before the first byte that starts no
    /// token, which `failure` tells of.
    package static func tokens(
        of bytes: [UInt8]
    ) -> (tokens: [PromQLToken], failure: QueryError?) {
        var lexer = Self(bytes)
        var tokens: [PromQLToken] = []
        while true {
            do throws(QueryError) {
                let token = try lexer.next()
                tokens.append(token)
                if token.kind == .end { return (tokens, nil) }
            } catch {
                tokens.append(PromQLToken(kind: .end, range: bytes.count..<bytes.count))
                return (tokens, error)
            }
        }
    }

    private func failure(at offset: Int, _ reason: String) -> QueryError {
        .parse(offset: offset, reason: reason)
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
        if isInBraces { return try nextInBraces() }
        guard offset < bytes.count else {
            if parenthesisDepth > 0 { throw failure(at: offset, "unclosed left parenthesis") }
            if isInBrackets {
                let isEmpty = bytes.last == UInt8(ascii: "[")
                throw failure(
                    at: offset,
                    isEmpty
                        ? "unexpected end of input in duration expression"
                        : "unclosed left bracket"
                )
            }
            return take(.end, length: 0)
        }
        let first = bytes[offset]
        let second = byte(at: offset + 1)
        switch first {
        case UInt8(ascii: "("):
            parenthesisDepth += 1
            return take(.leftParenthesis, length: 1)
        case UInt8(ascii: ")"):
            parenthesisDepth -= 1
            guard parenthesisDepth >= 0 else {
                throw failure(at: offset + 1, "unexpected right parenthesis ')'")
            }
            return take(.rightParenthesis, length: 1)
        case UInt8(ascii: "{"):
            isInBraces = true
            return take(.leftBrace, length: 1)
        case UInt8(ascii: "["):
            guard !isInBrackets else { throw failure(at: offset, "unexpected left bracket '['") }
            isInBrackets = true
            hasColon = false
            return take(.leftBracket, length: 1)
        case UInt8(ascii: "]"):
            guard isInBrackets else { throw failure(at: offset, "unexpected right bracket ']'") }
            isInBrackets = false
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
            guard second != UInt8(ascii: "~") else {
                throw failure(at: offset, "unexpected character after '=': '~'")
            }
            return take(.assign, length: 1)
        case UInt8(ascii: "!"):
            if second == UInt8(ascii: "=") { return take(.notEqual, length: 2) }
            throw failure(
                at: offset,
                "unexpected character after '!': \(quoted(offset + 1))"
            )
        case UInt8(ascii: "<"):
            if second == UInt8(ascii: "=") { return take(.lessOrEqual, length: 2) }
            return take(.less, length: 1)
        case UInt8(ascii: ">"):
            if second == UInt8(ascii: "=") { return take(.greaterOrEqual, length: 2) }
            return take(.greater, length: 1)
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"): return try text()
        case UInt8(ascii: ":") where isInBrackets:
            guard !hasColon else { throw failure(at: offset, "unexpected colon ':'") }
            hasColon = true
            return take(.colon, length: 1)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return try numberOrDuration()
        case UInt8(ascii: ".") where Self.isDigit(second): return try numberOrDuration()
        default:
            guard Self.isNameStart(first) || first == UInt8(ascii: ":") else {
                throw failure(at: offset, "unexpected character: \(quoted(offset))")
            }
            return name()
        }
    }

    private mutating func nextInBraces() throws(QueryError) -> PromQLToken {
        guard offset < bytes.count else {
            throw failure(at: offset, "unexpected end of input inside braces")
        }
        let second = byte(at: offset + 1)
        switch bytes[offset] {
        case UInt8(ascii: "}"):
            isInBraces = false
            return take(.rightBrace, length: 1)
        case UInt8(ascii: "{"): throw failure(at: offset, "unexpected left brace '{'")
        case UInt8(ascii: ","): return take(.comma, length: 1)
        case UInt8(ascii: "="):
            if second == UInt8(ascii: "~") { return take(.matches, length: 2) }
            return take(.assign, length: 1)
        case UInt8(ascii: "!"):
            if second == UInt8(ascii: "=") { return take(.notEqual, length: 2) }
            if second == UInt8(ascii: "~") { return take(.notMatches, length: 2) }
            throw failure(
                at: offset,
                "unexpected character after '!' inside braces: \(quoted(offset + 1))"
            )
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"): return try text()
        default:
            guard Self.isNameStart(bytes[offset]) else {
                throw failure(
                    at: offset,
                    "unexpected character inside braces: \(quoted(offset))"
                )
            }
            return name()
        }
    }

    private mutating func text() throws(QueryError) -> PromQLToken {
        let start = offset
        let text = try PromQLStringLiteral.parse(bytes, at: &offset)
        return PromQLToken(kind: .string(text), range: start..<offset)
    }

    /// The character at `index` in single quotes, for an error message.
    private func quoted(_ index: Int) -> String {
        guard index < bytes.count else { return "'\\x00'" }
        let tail = String(decoding: bytes[index..<min(index + 4, bytes.count)], as: UTF8.self)
        if tail.first == "'" { return "'\\''" }
        return "'\(tail.prefix(1))'"
    }

    private mutating func name() -> PromQLToken {
        let start = offset
        while offset < bytes.count {
            let byte = bytes[offset]
            let isPart =
                Self.isNameStart(byte) || Self.isDigit(byte)
                || (byte == UInt8(ascii: ":") && !isInBrackets && !isInBraces)
            guard isPart else { break }
            offset += 1
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self).lowercased()
        let kind: PromQLToken.Kind =
            switch isInBraces ? "" : text {
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
            let shown = String(decoding: Self.misread(text), as: UTF8.self)
            throw .parse(offset: start, reason: "bad number or duration syntax: \"\(shown)\"")
        }
    }

    /// The part of a bad number or duration after which nothing good can come.
    private static func misread(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let points = text.indices.filter { text[$0] == UInt8(ascii: ".") }
        if points.count > 1 { return text[...points[1]] }
        let end = text.firstIndex { !isDigit($0) && $0 != UInt8(ascii: ".") } ?? text.endIndex
        guard end < text.endIndex else { return text }
        switch text[end] {
        case UInt8(ascii: "_"), UInt8(ascii: "e"), UInt8(ascii: "E"):
            return text[...min(end + 1, text.endIndex - 1)]
        case UInt8(ascii: "s"), UInt8(ascii: "m"), UInt8(ascii: "h"), UInt8(ascii: "d"),
            UInt8(ascii: "w"), UInt8(ascii: "y"):
            return text[...min(end + 1, text.endIndex - 1)]
        default: return text[..<end]
        }
    }
}
