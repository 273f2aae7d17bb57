/// Literals, calls, aggregations and parentheses.
extension PromQLParser {
    mutating func parsePrimary() throws(QueryError) -> Node {
        let start = token.range.lowerBound
        switch kind {
        case .number(let value):
            advance()
            return try node(.number(PromQLNumber(value)), from: start, over: 0)
        case .duration(let milliseconds):
            advance()
            let number = PromQLNumber(Double(milliseconds) / 1000, isDuration: true)
            return try node(.number(number), from: start, over: 0)
        case .string(let text):
            advance()
            return try node(.string(text), from: start, over: 0)
        case .leftParenthesis:
            advance()
            let inner = try parseExpression(minimum: 0)
            try expect(.rightParenthesis, in: "parenthesized expression")
            return try node(
                .parenthesized(inner.expression),
                from: start,
                over: inner.depth
            )
        case .leftBrace: return try parseSelector()
        case .identifier: return try parseNamed()
        default: throw unexpected("")
        }
    }

    /// A call, an aggregation or a metric: they all start with a name.
    private mutating func parseNamed() throws(QueryError) -> Node {
        let word = keyword
        if let operation = AggregationOperator(rawValue: word) {
            let next = tokens[min(position + 1, tokens.count - 1)]
            let nextWord = next.kind == .identifier ? text(of: next).lowercased() : ""
            if kindAfter == .leftParenthesis || nextWord == "by" || nextWord == "without" {
                return try parseAggregation(operation)
            }
            return try parseSelector()
        }
        switch word {
        case "on", "ignoring", "group_left", "group_right", "bool", "atan2":
            throw unexpected("")
        default: break
        }
        let isKeyword = ["and", "or", "unless", "by", "without", "offset"].contains(word)
        if kindAfter == .leftParenthesis, !isKeyword { return try parseCall() }
        return try parseSelector()
    }

    private mutating func parseCall() throws(QueryError) -> Node {
        let name = token
        let nameText = text(of: name)
        guard let function = PromQLFunction(rawValue: nameText) else {
            throw .parse(
                offset: name.range.lowerBound,
                reason: "unknown function with name \(PromQLStringLiteral.quote(nameText))"
            )
        }
        advance()
        let arguments = try parseArguments()
        let signature = function.signature
        let count = arguments.count
        guard count >= signature.countMin, count <= signature.countMax else {
            let wanted =
                signature.countMin == signature.countMax
                ? "\(signature.countMin)"
                : count < signature.countMin
                    ? "at least \(signature.countMin)" : "at most \(signature.countMax)"
            throw .parse(
                offset: name.range.lowerBound,
                reason: "expected \(wanted) argument(s) in call to "
                    + "\(PromQLStringLiteral.quote(nameText)), got \(count)"
            )
        }
        for (index, argument) in arguments.enumerated() {
            let wanted = signature.arguments[min(index, signature.arguments.count - 1)]
            try expectType(argument, wanted, in: "call to function \"\(nameText)\"")
        }
        if function == .info, arguments.count == 2 {
            guard case .selector = arguments[1].expression else {
                throw .parse(
                    offset: arguments[1].range.lowerBound,
                    reason: "expected label selectors as the second argument to info"
                )
            }
        }
        return try node(
            .call(PromQLCall(function: function, arguments: arguments.map(\.expression))),
            from: name.range.lowerBound,
            over: arguments.map(\.depth).max() ?? 0
        )
    }

    private func expectType(
        _ node: Node,
        _ wanted: PromQLType,
        in place: String
    ) throws(QueryError) {
        guard node.type != wanted else { return }
        throw .parse(
            offset: node.range.lowerBound,
            reason: "expected type \(wanted.rawValue) in \(place), got \(node.type.rawValue)"
        )
    }

    private mutating func parseArguments() throws(QueryError) -> [Node] {
        try expect(.leftParenthesis, in: "function call")
        var arguments: [Node] = []
        if kind == .rightParenthesis {
            advance()
            return arguments
        }
        while true {
            guard arguments.count < PromQLFunction.argumentsMax else {
                throw .limit(name: "arguments of a call", limit: PromQLFunction.argumentsMax)
            }
            arguments.append(try parseExpression(minimum: 0))
            if kind == .comma {
                advance()
                guard kind != .rightParenthesis else {
                    throw .parse(
                        offset: token.range.lowerBound,
                        reason: "trailing commas not allowed in function call args"
                    )
                }
                continue
            }
            try expect(.rightParenthesis, in: "function call")
            return arguments
        }
    }

    private mutating func parseAggregation(
        _ operation: AggregationOperator
    ) throws(QueryError) -> Node {
        let start = token.range.lowerBound
        advance()
        var grouping = try parseGrouping()
        guard kind == .leftParenthesis else { throw unexpected("aggregation") }
        let arguments = try parseArguments()
        if grouping == nil { grouping = try parseGrouping() }
        guard !arguments.isEmpty else {
            throw .parse(
                offset: start,
                reason: "no arguments for aggregate expression provided"
            )
        }
        let wanted = operation.hasParameter ? 2 : 1
        guard arguments.count == wanted else {
            throw .parse(
                offset: start,
                reason: "wrong number of arguments for aggregate expression provided, expected "
                    + "\(wanted), got \(arguments.count)"
            )
        }
        if operation.hasParameter {
            let type: PromQLType = operation == .countValues ? .string : .scalar
            try expectType(arguments[0], type, in: "aggregation parameter")
        }
        try expectType(arguments[wanted - 1], .vector, in: "aggregation expression")
        return try node(
            .aggregation(
                PromQLAggregation(
                    operation: operation,
                    grouping: grouping ?? Grouping(),
                    parameter: operation.hasParameter ? arguments[0].expression : nil,
                    expression: arguments[wanted - 1].expression
                )
            ),
            from: start,
            over: arguments.map(\.depth).max() ?? 0
        )
    }

    private mutating func parseGrouping() throws(QueryError) -> Grouping? {
        guard keyword == "by" || keyword == "without" else { return nil }
        let isWithout = keyword == "without"
        advance()
        return Grouping(isWithout: isWithout, labels: try parseGroupingLabels())
    }

    /// `(a, "b.c", d,)`.
    mutating func parseGroupingLabels() throws(QueryError) -> [String] {
        try expect(.leftParenthesis, in: "grouping opts")
        var labels: [String] = []
        while kind != .rightParenthesis {
            switch kind {
            case .string(let name) where !name.isEmpty: labels.append(name)
            case .identifier where !bytes[token.range].contains(UInt8(ascii: ":")):
                labels.append(text(of: token))
            // `inf` and `nan` are numbers elsewhere, names here.
            case .number where PromQLLexer.isNameStart(bytes[token.range.lowerBound]):
                labels.append(text(of: token))
            default: throw unexpected("grouping opts", expected: "label")
            }
            advance()
            if kind == .comma {
                advance()
            } else if kind != .rightParenthesis {
                throw unexpected("grouping opts", expected: "\",\" or \")\"")
            }
        }
        advance()
        return labels
    }
}
