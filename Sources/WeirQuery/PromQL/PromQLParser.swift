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
        /// Where it begins inside the parentheses around it.
        var innerStart: Int
        var type: PromQLType { expression.type }
    }

    let bytes: [UInt8]
    let tokens: [PromQLToken]
    var position = 0
    private var recursion = 0
    /// What ended the tokens too early.
    private var readingFailure: QueryError?
    private var grammarFailure: QueryError?
    private var typeFailure: QueryError?
    /// How many aggregations are being read.
    var aggregationDepth = 0
    /// Whether functions and aggregations may be used that Prometheus calls experimental.
    let hasExperiments: Bool
    /// The offsets at which lines begin, the first left out.
    private let lineStarts: [Int]

    /// Parses one whole query.
    ///
    /// - Throws: `.parse` with the byte offset of what is wrong.
    package static func parse(
        _ text: String,
        hasExperiments: Bool = true
    ) throws(QueryError) -> PromQLExpression {
        let bytes = Array(text.utf8)
        guard bytes.count <= lengthMax else {
            throw .limit(name: "query length in bytes", limit: lengthMax)
        }
        let read = PromQLLexer.tokens(of: bytes)
        var parser = Self(bytes: bytes, tokens: read.tokens, hasExperiments: hasExperiments)
        parser.readingFailure = read.failure
        return try parser.parseWhole()
    }

    /// What is wrong with a query of nothing.
    static let noExpression = "no expression found in input"

    private mutating func parseWhole() throws(QueryError) -> PromQLExpression {
        if kind == .end, readingFailure == nil {
            throw .parse(offset: 0, reason: Self.noExpression)
        }
        let node: Node
        do throws(QueryError) {
            node = try parseExpression(minimum: 0)
            guard kind == .end else { throw unexpected("") }
        } catch {
            guard case .parse = error else { throw error }
            throw grammarFailure ?? error
        }
        if let failure = grammarFailure ?? readingFailure ?? typeFailure { throw failure }
        return node.expression
    }

    /// Keeps the first thing that is wrong with how parts stand together, which is told unless
    /// something before it cannot be read at all.
    mutating func noteGrammar(at offset: Int, _ reason: String) {
        if grammarFailure == nil { grammarFailure = .parse(offset: offset, reason: reason) }
    }

    /// Takes back what `noteType` kept, if it was this.
    mutating func forgetType(at offset: Int, _ reason: String) {
        if typeFailure == .parse(offset: offset, reason: reason) { typeFailure = nil }
    }

    /// Keeps the first thing that is wrong with the types of parts, which is told when all else is
    /// right.
    mutating func noteType(at offset: Int, _ reason: String) {
        if typeFailure == nil { typeFailure = .parse(offset: offset, reason: reason) }
    }

    /// Parses a lone selector such as `up{job="a"}`, as `match[]` takes it.
    package static func parseSelector(_ text: String) throws(QueryError) -> PromQLSelector {
        guard case .selector(let selector) = try parse(text),
            selector.shift == PromQLTimeShift()
        else { throw .parse(offset: 0, reason: "expected a series selector") }
        return selector
    }

    private init(bytes: [UInt8], tokens: [PromQLToken], hasExperiments: Bool) {
        self.bytes = bytes
        self.tokens = tokens
        self.hasExperiments = hasExperiments
        self.lineStarts = bytes.indices.filter { bytes[$0] == 0x0A }.map { $0 + 1 }
    }

    func place(of offset: Int) -> PromQLPlace {
        var low = 0
        var high = lineStarts.count
        while low < high {
            let middle = (low + high) / 2
            if lineStarts[middle] <= offset { low = middle + 1 } else { high = middle }
        }
        let start = low > 0 ? lineStarts[low - 1] : 0
        return PromQLPlace(line: low + 1, column: offset - start + 1)
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

    /// What is wrong about the current token; `place` is the innermost part that may not hold it.
    func unexpected(_ place: String, expected: String = "") -> QueryError {
        if kind == .end, let readingFailure { return readingFailure }
        let inner = place.isEmpty && aggregationDepth > 0 ? "aggregation" : place
        return .parse(
            offset: token.range.lowerBound,
            reason: "unexpected \(described(token))" + (inner.isEmpty ? "" : " in \(inner)")
                + (expected.isEmpty ? "" : ", expected \(expected)")
        )
    }

    /// A token as Prometheus names it.
    private func described(_ token: PromQLToken) -> String {
        let text = text(of: token)
        let quoted = PromQLStringLiteral.quote(text)
        switch token.kind {
        case .end: return "end of input"
        case .number: return "number \(quoted)"
        case .duration: return "duration \(quoted)"
        case .string:
            let isLong = text.utf8.count > 10
            let shown = isLong ? String(text.prefix(10)) : text
            return "string \(PromQLStringLiteral.quote(shown))\(isLong ? "..." : "")"
        case .add, .subtract, .multiply, .divide, .modulo, .power, .equal, .notEqual, .less,
            .lessOrEqual, .greater, .greaterOrEqual, .matches, .notMatches, .at:
            return "<op:\(text)>"
        case .identifier:
            switch text.lowercased() {
            case "and", "or", "unless", "atan2": return "<op:\(text)>"
            case "by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset":
                return "<\(text)>"
            case "start", "end": return quoted
            case let word where AggregationOperator(rawValue: word) != nil:
                return "<aggr:\(text)>"
            default: return (text.contains(":") ? "metric identifier " : "identifier ") + quoted
            }
        default: return quoted
        }
    }

    mutating func expect(_ wanted: PromQLToken.Kind) throws(QueryError) {
        guard kind == wanted else { throw unexpected("") }
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
        return Node(
            expression: expression,
            range: start..<max(start, end),
            depth: children + 1,
            innerStart: start
        )
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
            let offset = token.range.lowerBound
            advance()
            left = try parseBinary(operation, left, at: offset)
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
        if operand.type != .scalar, operand.type != .vector {
            noteType(
                at: start,
                "unary expression only allowed on expressions of type scalar or instant vector, "
                    + "got \(PromQLStringLiteral.quote(operand.type.rawValue))"
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
        _ left: Node,
        at operatorOffset: Int
    ) throws(QueryError) -> Node {
        var returnsBool = false
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
            noteType(at: operatorOffset, "bool modifier can only be used on comparison operators")
        }
        let binary = checked(operation, left, right, returnsBool, matching, at: operatorOffset)
        return try node(
            .binary(binary),
            from: left.range.lowerBound,
            over: max(left.depth, right.depth)
        )
    }

    private mutating func checked(
        _ operation: BinaryOperator,
        _ left: Node,
        _ right: Node,
        _ returnsBool: Bool,
        _ matching: VectorMatching?,
        at operatorOffset: Int
    ) -> PromQLBinary {
        let start = left.range.lowerBound
        let isBothScalar = left.type == .scalar && right.type == .scalar
        if operation.isComparison, !returnsBool, isBothScalar {
            noteType(at: operatorOffset, "comparisons between scalars must use BOOL modifier")
        }
        if let matching, matching.isOn,
            let both = matching.labels.first(where: matching.included.contains)
        {
            noteType(
                at: operatorOffset,
                "label \(PromQLStringLiteral.quote(both)) must not occur in ON and GROUP clause at "
                    + "once"
            )
        }
        for side in [left, right] where side.type != .scalar && side.type != .vector {
            noteType(
                at: side.range.lowerBound,
                "binary expression must contain only scalar and instant vector types"
            )
        }
        var result = matching
        if left.type == .vector, right.type == .vector {
            var vectorMatching = matching ?? VectorMatching()
            if operation.isSet {
                if vectorMatching.cardinality != .oneToOne {
                    noteType(
                        at: start,
                        "no grouping allowed for \"\(operation.rawValue)\" operation"
                    )
                }
                vectorMatching.cardinality = .manyToMany
            }
            result = vectorMatching
        } else {
            if let matching, !matching.labels.isEmpty || matching.cardinality != .oneToOne {
                noteType(at: start, "vector matching only allowed between instant vectors")
            }
            if operation.isSet {
                noteType(
                    at: start,
                    "set operator \"\(operation.rawValue)\" not allowed in binary scalar expression"
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
            type: isBothScalar ? .scalar : .vector,
            place: place(of: start)
        )
    }
}
