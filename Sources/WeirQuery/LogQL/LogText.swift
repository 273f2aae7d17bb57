/// What people type where Weir's own paths take a log query.
package enum LogText {
    /// LogQL, a bare pipeline (`| level="error"`), an id of 16 or 32 hexadecimal digits, plain
    /// words that the line contains as they stand (quotes around them all are left off), or
    /// nothing at all.
    ///
    /// - Throws: `.parse` with offsets in `text`.
    package static func parse(_ text: String) throws(QueryError) -> LogQLQuery {
        let bytes = Array(text.utf8)
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
        guard let first = bytes.firstIndex(where: { !isBlank($0) }),
            let last = bytes.lastIndex(where: { !isBlank($0) })
        else { return LogQLQuery() }
        let core = bytes[first...last]
        if core.starts(with: "{".utf8) || core.starts(with: "({".utf8) {
            return try LogQLParser.parseLogs(text)
        }
        if ["|", "!=", "!~", "!>"].contains(where: { core.starts(with: $0.utf8) }) {
            return LogQLQuery(stages: try LogQLParser.parseStages(text))
        }
        guard core.count <= LogQLParser.lengthMax else {
            throw .limit(name: "query length in bytes", limit: LogQLParser.lengthMax)
        }
        if isMetric(text) {
            throw .parse(offset: first, reason: "expected a log query, not a metric query")
        }
        if let phrase = quoted(core) {
            return LogQLQuery(
                stages: [.line(LogQLLineFilter(operation: .contains, operands: [.text(phrase)]))]
            )
        }
        let words = String(decoding: core, as: UTF8.self)
        let isHexadecimal = core.allSatisfy { byte in
            PromQLLexer.isDigit(byte) || (0x61...0x66).contains(byte | 0x20)
        }
        if isHexadecimal, core.count == 16 || core.count == 32 {
            return LogQLQuery(stages: [.identifier(words)])
        }
        let filter = LogQLLineFilter(operation: .contains, operands: [.text(words)])
        return LogQLQuery(stages: [.line(filter)])
    }

    /// What stands between the quotes around the whole text; backslashes are taken as they are.
    private static func quoted(_ core: ArraySlice<UInt8>) -> String? {
        guard let quote = core.first, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "`"),
            core.count > 2, core.last == quote
        else { return nil }
        let inner = core.dropFirst().dropLast()
        return inner.contains(quote) ? nil : String(decoding: inner, as: UTF8.self)
    }

    private static func isMetric(_ text: String) -> Bool {
        guard text.utf8.contains(UInt8(ascii: "[")), text.utf8.contains(UInt8(ascii: "{")),
            let expression = try? LogQLParser.parse(text)
        else { return false }
        return expression.type != .logs
    }
}
