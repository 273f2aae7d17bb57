extension TraceQLParser {
    /// An expression over one span.
    mutating func field() throws(QueryError) -> TraceQLField { try field(minimum: 1) }

    private mutating func field(minimum: Int) throws(QueryError) -> TraceQLField {
        let outer = depth
        defer { depth = outer }
        var left = try unary()
        while case .symbol(let text) = current.kind,
            let operation = TraceQLOperator(rawValue: text),
            operation.precedence >= minimum
        {
            advance()
            // A chain to the left is as deep a tree as parentheses make.
            depth += 1
            guard depth <= Self.depthMax else {
                throw .limit(name: "query nesting", limit: Self.depthMax)
            }
            let next = operation == .power ? operation.precedence : operation.precedence + 1
            let right = try field(minimum: next)
            left = .binary(operation, left, right)
        }
        return left
    }

    private mutating func unary() throws(QueryError) -> TraceQLField {
        try nested { (parser) throws(QueryError) in
            if parser.take("!") { return .not(try parser.unary()) }
            if parser.take("-") {
                // As tight as it goes, but below a power.
                let inner = try parser.field(minimum: TraceQLOperator.power.precedence)
                switch inner {
                case .literal(.integer(let number)) where number != .min:
                    return .literal(.integer(-number))
                case .literal(.double(let number)): return .literal(.double(-number))
                case .literal(.duration(let number)) where number != .min:
                    return .literal(.duration(-number))
                default: return .negated(inner)
                }
            }
            if parser.take("(") {
                let inner = try parser.field()
                try parser.expect(")")
                return inner
            }
            return try parser.primary()
        }
    }

    private mutating func primary() throws(QueryError) -> TraceQLField {
        switch current.kind {
        case .attribute(let attribute):
            advance()
            return .attribute(attribute)
        case .identifier(let name):
            if let literal = Self.word(name) {
                advance()
                return .literal(literal)
            }
            if let intrinsic = TraceQLIntrinsic(name: name) {
                advance()
                return .attribute(.intrinsic(intrinsic))
            }
            if name == "parent" { throw .unsupported(name: "intrinsic parent") }
            throw .parse(
                offset: offset,
                reason: "unknown identifier: \(name); attributes have a scope, as in span.\(name)"
            )
        default: return .literal(try literal())
        }
    }

    private static func word(_ name: String) -> TraceQLLiteral? {
        switch name {
        case "nil": .null
        case "true": .boolean(true)
        case "false": .boolean(false)
        default:
            TraceQLStatus(rawValue: name).map(TraceQLLiteral.status)
                ?? TraceQLKind(rawValue: name).map(TraceQLLiteral.kind)
        }
    }

    /// A value as it is written, with its sign.
    mutating func literal() throws(QueryError) -> TraceQLLiteral {
        let isNegative = take("-")
        let literal: TraceQLLiteral
        switch current.kind {
        case .integer(let number): literal = .integer(isNegative ? -number : number)
        case .double(let number): literal = .double(isNegative ? -number : number)
        case .duration(let number): literal = .duration(isNegative ? -number : number)
        case .string(let text) where !isNegative: literal = .string(text)
        case .identifier(let name) where !isNegative:
            guard let found = Self.word(name) else { throw unexpected("a value") }
            literal = found
        default: throw unexpected("a value")
        }
        advance()
        return literal
    }
}
