internal import WeirPattern

/// Reads LogQL text into a type-checked expression, by precedence climbing.
///
/// Recursion and the depth of what is built are bounded by `depthMax`.
package struct LogQLParser {
    /// The longest query taken, in bytes.
    package static let lengthMax = 64 * 1024
    /// The deepest nesting taken.
    package static let depthMax = 100
    /// The most stages a pipeline may have.
    package static let stagesMax = 200

    let bytes: [UInt8]
    let tokens: [LogQLToken]
    var position = 0
    private var recursion = 0

    /// Parses one whole query.
    ///
    /// - Throws: `.parse` with the byte offset of what is wrong.
    package static func parse(_ text: String) throws(QueryError) -> LogQLExpression {
        var parser = try Self(text)
        guard parser.kind != .end else {
            throw .parse(offset: 0, reason: "no expression found in input")
        }
        let expression = try parser.parseExpression(minimum: 0)
        guard parser.kind == .end else { throw parser.unexpected() }
        return expression
    }

    /// Parses a log query: a selector and its pipeline.
    package static func parseLogs(_ text: String) throws(QueryError) -> LogQLQuery {
        let expression = try parse(text).unwrapped
        guard case .logs(let query) = expression else {
            throw .parse(offset: 0, reason: "expected a log query, not a metric query")
        }
        return query
    }

    /// Parses stages alone: `| json | level="error"`.
    package static func parseStages(_ text: String) throws(QueryError) -> [LogQLStage] {
        var parser = try Self(text)
        let pipeline = try parser.parsePipeline()
        guard parser.kind == .end, pipeline.unwrap == nil else { throw parser.unexpected() }
        return pipeline.stages
    }

    private init(_ text: String) throws(QueryError) {
        bytes = Array(text.utf8)
        guard bytes.count <= Self.lengthMax else {
            throw .limit(name: "query length in bytes", limit: Self.lengthMax)
        }
        tokens = try LogQLLexer.tokens(of: bytes)
    }

    // MARK: Tokens

    var token: LogQLToken { tokens[position] }
    var kind: LogQLToken.Kind { tokens[position].kind }
    var kindAfter: LogQLToken.Kind { tokens[min(position + 1, tokens.count - 1)].kind }
    var offset: Int { token.range.lowerBound }

    mutating func advance() { position = min(position + 1, tokens.count - 1) }

    func text(of token: LogQLToken) -> String {
        String(decoding: bytes[token.range], as: UTF8.self)
    }

    /// The current token's text if it is a name, else the empty string.
    var word: String { kind == .identifier ? text(of: token) : "" }

    func isSymbol(_ symbol: LogQLToken.Symbol) -> Bool { kind == .symbol(symbol) }

    func unexpected(expected: String = "") -> QueryError {
        let shown =
            kind == .end ? "end of input" : PromQLStringLiteral.quote(text(of: token))
        return .parse(
            offset: offset,
            reason: "unexpected \(shown)" + (expected.isEmpty ? "" : ", expected \(expected)")
        )
    }

    mutating func expect(_ symbol: LogQLToken.Symbol) throws(QueryError) {
        guard isSymbol(symbol) else { throw unexpected(expected: "\"\(symbol.rawValue)\"") }
        advance()
    }

    mutating func take(_ symbol: LogQLToken.Symbol) -> Bool {
        guard isSymbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func takeString() throws(QueryError) -> String {
        guard case .string(let text) = kind else { throw unexpected(expected: "a quoted string") }
        advance()
        return text
    }

    mutating func takeName() throws(QueryError) -> String {
        guard kind == .identifier else { throw unexpected(expected: "a label name") }
        let name = word
        advance()
        return name
    }

    /// Keeps what recurses within bounds.
    mutating func nested<Result>(
        _ body: (inout LogQLParser) throws(QueryError) -> Result
    ) throws(QueryError) -> Result {
        recursion += 1
        guard recursion < Self.depthMax else {
            throw .limit(name: "query nesting depth", limit: Self.depthMax)
        }
        let result = try body(&self)
        recursion -= 1
        return result
    }

    // MARK: Binary expressions

    mutating func parseExpression(minimum: Int) throws(QueryError) -> LogQLExpression {
        try nested { (parser) throws(QueryError) in
            let start = parser.offset
            var left = try parser.parsePrimary()
            var links = 0
            while let operation = parser.binaryOperator(), operation.precedence >= minimum {
                links += 1
                guard links < Self.depthMax else {
                    throw .limit(name: "query nesting depth", limit: Self.depthMax)
                }
                parser.advance()
                left = try parser.parseBinary(operation, left, from: start)
            }
            return left
        }
    }

    private func binaryOperator() -> BinaryOperator? {
        switch kind {
        case .symbol(let symbol):
            switch symbol {
            case .add, .subtract, .multiply, .divide, .modulo, .power, .equal, .notEqual,
                .greater, .greaterOrEqual, .less, .lessOrEqual:
                BinaryOperator(rawValue: symbol.rawValue)
            default: nil
            }
        case .identifier:
            switch word.lowercased() {
            case "and": .and
            case "or": .or
            case "unless": .unless
            default: nil
            }
        default: nil
        }
    }

    private mutating func parseBinary(
        _ operation: BinaryOperator,
        _ left: LogQLExpression,
        from start: Int
    ) throws(QueryError) -> LogQLExpression {
        var returnsBool = false
        if word == "bool" {
            guard operation.isComparison else {
                throw .parse(
                    offset: offset,
                    reason: "bool modifier can only be used on comparison operators"
                )
            }
            returnsBool = true
            advance()
        }
        var matching: VectorMatching?
        if word == "on" || word == "ignoring" {
            var written = VectorMatching(isOn: word == "on")
            advance()
            written.labels = try parseLabelList()
            if word == "group_left" || word == "group_right" {
                written.cardinality = word == "group_left" ? .manyToOne : .oneToMany
                advance()
                if isSymbol(.leftParenthesis) { written.included = try parseLabelList() }
            }
            matching = written
        }
        let rightStart = offset
        let right = try parseExpression(
            minimum: operation.precedence + (operation.isRightAssociative ? 0 : 1)
        )
        for (side, place) in [(left, start), (right, rightStart)] where side.type == .logs {
            throw .parse(
                offset: place,
                reason: "unexpected type for leg of binary operation (\(operation.rawValue)): "
                    + "a log query is no metric query"
            )
        }
        let isScalar = left.type == .scalar && right.type == .scalar
        if operation.isSet, left.type != .vector || right.type != .vector {
            throw .parse(
                offset: start,
                reason: "unexpected literal for leg of logical/set binary operation "
                    + "(\(operation.rawValue))"
            )
        }
        if left.type == .vector, right.type == .vector {
            var written = matching ?? VectorMatching()
            if operation.isSet {
                guard written.cardinality == .oneToOne else {
                    throw .parse(
                        offset: start,
                        reason: "no grouping allowed for \"\(operation.rawValue)\" operation"
                    )
                }
                written.cardinality = .manyToMany
            }
            matching = written
        } else if matching != nil {
            throw .parse(
                offset: start,
                reason: "vector matching only allowed between vectors"
            )
        }
        return .binary(
            LogQLBinary(
                operation: operation,
                left: left,
                right: right,
                returnsBool: returnsBool,
                matching: matching,
                type: isScalar ? .scalar : .vector
            )
        )
    }

    /// `(a, b)`.
    mutating func parseLabelList() throws(QueryError) -> [String] {
        try expect(.leftParenthesis)
        var labels: [String] = []
        while !isSymbol(.rightParenthesis) {
            labels.append(try takeName())
            if !take(.comma), !isSymbol(.rightParenthesis) {
                throw unexpected(expected: "\",\" or \")\"")
            }
        }
        advance()
        return labels
    }
}
