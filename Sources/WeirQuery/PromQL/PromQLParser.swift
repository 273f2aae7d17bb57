/// Reads PromQL text into a type-checked expression, by precedence climbing.
///
/// Recursion is bounded by `depthMax`, which also bounds the depth of what is built, so that
/// every later walk over an expression is safe on a small stack.
package struct PromQLParser {
    /// The longest query taken, in bytes.
    package static let lengthMax = 64 * 1024
    /// The deepest nesting taken.
    package static let depthMax = 200

    /// An expression and where it was written.
    struct Node {
        var expression: PromQLExpression
        let range: Range<Int>
        let depth: Int
        var type: PromQLType { expression.type }
    }

    let bytes: [UInt8]
    let tokens: [PromQLToken]
    var position = 0
    private var recursion = 0

    /// Parses one whole query.
    ///
    /// - Throws: `.parse` with the byte offset of what is wrong.
    package static func parse(_ text: String) throws(QueryError) -> PromQLExpression {
        let bytes = Array(text.utf8)
        guard bytes.count <= lengthMax else {
            throw .limit(name: "query length in bytes", limit: lengthMax)
        }
        var parser = Self(bytes: bytes, tokens: try PromQLLexer.tokens(of: bytes))
        guard parser.kind != .end else {
            throw .parse(offset: 0, reason: "no expression found in input")
        }
        let node = try parser.parseExpression(minimum: 0)
        guard parser.kind == .end else { throw parser.unexpected("") }
        return node.expression
    }

    /// Parses a lone selector such as `up{job="a"}`, as `match[]` takes it.
    package static func parseSelector(_ text: String) throws(QueryError) -> PromQLSelector {
        guard case .selector(let selector) = try parse(text),
            selector.shift == PromQLTimeShift()
        else { throw .parse(offset: 0, reason: "expected a series selector") }
        return selector
    }

    private init(bytes: [UInt8], tokens: [PromQLToken]) {
        self.bytes = bytes
        self.tokens = tokens
    }

    // MARK: Tokens

    var token: PromQLToken { tokens[position] }
    var kind: PromQLToken.Kind { tokens[position].kind }
    var kindAfter: PromQLToken.Kind { tokens[min(position + 1, tokens.count - 1)].kind }

    mutating func advance() { position = min(position + 1, tokens.count - 1) }

    func text(of token: PromQLToken) -> String {
        String(decoding: bytes[token.range], as: UTF8.self)
    }

    /// The current token's text in lower case if it is a name, else the empty string.
    var keyword: String { kind == .identifier ? text(of: token).lowercased() : "" }

    func unexpected(_ place: String, expected: String = "") -> QueryError {
        let shown: String =
            switch kind {
            case .end: "end of input"
            case .identifier: "identifier \(PromQLStringLiteral.quote(text(of: token)))"
            case .number: "number \(PromQLStringLiteral.quote(text(of: token)))"
            case .duration: "duration \(PromQLStringLiteral.quote(text(of: token)))"
            case .string: "string \(PromQLStringLiteral.quote(text(of: token)))"
            default: PromQLStringLiteral.quote(text(of: token))
            }
        return .parse(
            offset: token.range.lowerBound,
            reason: "unexpected \(shown)" + (place.isEmpty ? "" : " in \(place)")
                + (expected.isEmpty ? "" : ", expected \(expected)")
        )
    }

    mutating func expect(_ wanted: PromQLToken.Kind, in place: String) throws(QueryError) {
        guard kind == wanted else { throw unexpected(place) }
        advance()
    }

    func node(
        _ expression: PromQLExpression,
        from start: Int,
        over children: Int
    ) throws(QueryError) -> Node {
        guard children < Self.depthMax else {
            throw .limit(name: "query nesting depth", limit: Self.depthMax)
        }
        let end = position > 0 ? tokens[position - 1].range.upperBound : start
        return Node(expression: expression, range: start..<max(start, end), depth: children + 1)
    }

    // MARK: Expressions

    mutating func parseExpression(minimum: Int) throws(QueryError) -> Node {
        recursion += 1
        defer { recursion -= 1 }
        guard recursion < Self.depthMax else {
            throw .limit(name: "query nesting depth", limit: Self.depthMax)
        }
        var left = try parseUnary()
        while let operation = binaryOperator(), operation.precedence >= minimum {
            advance()
            left = try parseBinary(operation, left)
        }
        return left
    }

    private func binaryOperator() -> BinaryOperator? {
        switch kind {
        case .add: .add
        case .subtract: .subtract
        case .multiply: .multiply
        case .divide: .divide
        case .modulo: .modulo
        case .power: .power
        case .equal: .equal
        case .notEqual: .notEqual
        case .less: .less
        case .lessOrEqual: .lessOrEqual
        case .greater: .greater
        case .greaterOrEqual: .greaterOrEqual
        case .identifier:
            switch keyword {
            case "and": .and
            case "or": .or
            case "unless": .unless
            case "atan2": .arcTangent
            default: nil
            }
        default: nil
        }
    }

    /// A sign binds like multiplication: `-a ^ b` is `-(a ^ b)`, `-a * b` is `(-a) * b`.
    private mutating func parseUnary() throws(QueryError) -> Node {
        guard kind == .add || kind == .subtract else { return try parsePostfix() }
        let start = token.range.lowerBound
        let isNegative = kind == .subtract
        advance()
        let operand = try parseExpression(minimum: BinaryOperator.power.precedence)
        if case .number(let number) = operand.expression {
            return try node(
                .number(isNegative ? number.negated : number),
                from: start,
                over: operand.depth - 1
            )
        }
        guard operand.type == .scalar || operand.type == .vector else {
            throw .parse(
                offset: start,
                reason: "unary expression only allowed on expressions of type scalar or instant "
                    + "vector, got \(PromQLStringLiteral.quote(operand.type.rawValue))"
            )
        }
        return try node(
            isNegative ? .negated(operand.expression) : .affirmed(operand.expression),
            from: start,
            over: operand.depth
        )
    }

    private mutating func parseBinary(
        _ operation: BinaryOperator,
        _ left: Node
    ) throws(QueryError) -> Node {
        var returnsBool = false
        let boolOffset = token.range.lowerBound
        if keyword == "bool" {
            returnsBool = true
            advance()
        }
        var matching: VectorMatching?
        if keyword == "on" || keyword == "ignoring" {
            var written = VectorMatching(isOn: keyword == "on")
            advance()
            written.labels = try parseGroupingLabels()
            if keyword == "group_left" || keyword == "group_right" {
                written.cardinality = keyword == "group_left" ? .manyToOne : .oneToMany
                advance()
                if kind == .leftParenthesis { written.included = try parseGroupingLabels() }
            }
            matching = written
        }
        let right = try parseExpression(
            minimum: operation.precedence + (operation.isRightAssociative ? 0 : 1)
        )
        if returnsBool, !operation.isComparison {
            throw .parse(
                offset: boolOffset,
                reason: "bool modifier can only be used on comparison operators"
            )
        }
        let binary = try checked(operation, left, right, returnsBool, matching)
        return try node(
            .binary(binary),
            from: left.range.lowerBound,
            over: max(left.depth, right.depth)
        )
    }

    private func checked(
        _ operation: BinaryOperator,
        _ left: Node,
        _ right: Node,
        _ returnsBool: Bool,
        _ matching: VectorMatching?
    ) throws(QueryError) -> PromQLBinary {
        let start = left.range.lowerBound
        for side in [left, right] where side.type != .scalar && side.type != .vector {
            throw .parse(
                offset: side.range.lowerBound,
                reason: "binary expression must contain only scalar and instant vector types"
            )
        }
        let isBothScalar = left.type == .scalar && right.type == .scalar
        if operation.isComparison, !returnsBool, isBothScalar {
            throw .parse(
                offset: start,
                reason: "comparisons between scalars must use BOOL modifier"
            )
        }
        var result = matching
        if left.type == .vector, right.type == .vector {
            var vectorMatching = matching ?? VectorMatching()
            if operation.isSet {
                guard vectorMatching.cardinality == .oneToOne else {
                    throw .parse(
                        offset: start,
                        reason: "no grouping allowed for \"\(operation.rawValue)\" operation"
                    )
                }
                vectorMatching.cardinality = .manyToMany
            }
            if vectorMatching.isOn,
                let both = vectorMatching.labels.first(where: vectorMatching.included.contains)
            {
                throw .parse(
                    offset: start,
                    reason: "label \(PromQLStringLiteral.quote(both)) must not occur in ON and "
                        + "GROUP clause at once"
                )
            }
            result = vectorMatching
        } else {
            if operation.isSet {
                throw .parse(
                    offset: start,
                    reason: "set operator \"\(operation.rawValue)\" not allowed in binary scalar "
                        + "expression"
                )
            }
            if let matching, !matching.labels.isEmpty || matching.cardinality != .oneToOne {
                throw .parse(
                    offset: start,
                    reason: "vector matching only allowed between instant vectors"
                )
            }
            result = nil
        }
        return PromQLBinary(
            operation: operation,
            left: left.expression,
            right: right.expression,
            returnsBool: returnsBool,
            matching: result,
            type: isBothScalar ? .scalar : .vector
        )
    }
}
