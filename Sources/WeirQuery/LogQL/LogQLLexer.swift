internal import WeirCore

/// Cuts LogQL text into tokens; skips white space and `#` comments.
package struct LogQLLexer {
    private let bytes: [UInt8]
    private var offset = 0

    /// All tokens of `bytes`, the last one `.end`.
    ///
    /// - Throws: `.parse` at the first byte that starts no token.
    package static func tokens(of bytes: [UInt8]) throws(QueryError) -> [LogQLToken] {
        var lexer = Self(bytes: bytes)
        var tokens: [LogQLToken] = []
        while true {
            let token = try lexer.next()
            tokens.append(token)
            if token.kind == .end { return tokens }
        }
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// By first byte; of two that fit the longer comes first.
    private static let symbols: [UInt8: [(text: [UInt8], symbol: LogQLToken.Symbol)]] = {
        var table: [UInt8: [(text: [UInt8], symbol: LogQLToken.Symbol)]] = [:]
        for symbol in LogQLToken.Symbol.allCases {
            let text = Array(symbol.rawValue.utf8)
            table[text[0], default: []].append((text, symbol))
        }
        for key in table.keys { table[key]?.sort { $0.text.count > $1.text.count } }
        return table
    }()

    private mutating func skipBlanks() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            case UInt8(ascii: "#"):
                while offset < bytes.count, bytes[offset] != 0x0A { offset += 1 }
            default: return
            }
        }
    }

    private mutating func next() throws(QueryError) -> LogQLToken {
        skipBlanks()
        let start = offset
        guard start < bytes.count else { return LogQLToken(kind: .end, range: start..<start) }
        let first = bytes[start]
        let second = start + 1 < bytes.count ? bytes[start + 1] : 0
        switch first {
        case UInt8(ascii: "\""), UInt8(ascii: "`"), UInt8(ascii: "'"):
            let text = try PromQLStringLiteral.parse(bytes, at: &offset)
            return LogQLToken(kind: .string(text), range: start..<offset)
        case UInt8(ascii: "-") where second == UInt8(ascii: "-"):
            offset += 2
            while offset < bytes.count,
                PromQLLexer.isNameStart(bytes[offset]) || bytes[offset] == UInt8(ascii: "-")
            {
                offset += 1
            }
            let name = String(decoding: bytes[(start + 2)..<offset], as: UTF8.self)
            return LogQLToken(kind: .flag(name), range: start..<offset)
        case _ where PromQLLexer.isDigit(first),
            UInt8(ascii: ".") where PromQLLexer.isDigit(second):
            return try quantity()
        case _ where PromQLLexer.isNameStart(first):
            while offset < bytes.count,
                PromQLLexer.isNameStart(bytes[offset]) || PromQLLexer.isDigit(bytes[offset])
            {
                offset += 1
            }
            return LogQLToken(kind: .identifier, range: start..<offset)
        default:
            for (text, symbol) in Self.symbols[first] ?? []
            where bytes[start...].starts(with: text) {
                offset += text.count
                return LogQLToken(kind: .symbol(symbol), range: start..<offset)
            }
            let tail = String(decoding: bytes[start..<min(start + 4, bytes.count)], as: UTF8.self)
            throw .parse(offset: start, reason: "unexpected character: '\(tail.prefix(1))'")
        }
    }

    /// A number, a duration or a size: all of it is taken first, then judged as a whole.
    private mutating func quantity() throws(QueryError) -> LogQLToken {
        let start = offset
        while offset < bytes.count {
            let byte = bytes[offset]
            let isSign =
                (byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-"))
                && bytes[offset - (offset > start ? 1 : 0)] | 0x20 == UInt8(ascii: "e")
                && offset + 1 < bytes.count && PromQLLexer.isDigit(bytes[offset + 1])
            guard
                PromQLLexer.isNameStart(byte) || PromQLLexer.isDigit(byte)
                    || byte == UInt8(ascii: ".") || byte >= 0x80 || isSign
            else { break }
            offset += 1
        }
        let range = start..<offset
        let text = bytes[range]
        if let number = PromQLNumber.parse(text), number.isFinite {
            return LogQLToken(kind: .number(number), range: range)
        }
        let whole = Array(text)
        if let nanoseconds = LogQLUnits.nanoseconds(whole.span) {
            guard nanoseconds.magnitude < 0x1p63 else {
                throw .parse(offset: start, reason: "duration out of range")
            }
            return LogQLToken(kind: .duration(Int64(nanoseconds)), range: range)
        }
        if let count = LogQLUnits.bytes(whole.span) {
            return LogQLToken(kind: .bytes(count), range: range)
        }
        let shown = String(decoding: text, as: UTF8.self)
        throw .parse(offset: start, reason: "bad number, duration or size: \"\(shown)\"")
    }
}
