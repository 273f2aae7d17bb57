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
            try expect(.rightParenthesis)
            var outer = try node(
                .parenthesized(inner.expression),
                from: start,
                over: inner.depth
            )
            outer.innerStart = inner.innerStart
            return outer
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
        let known = PromQLFunction(rawValue: nameText)
        // What is unknown is refused in the end; until then it may be any function.
        let function = known ?? .time
        advance()
        let arguments = try parseArguments()
        let quoted = PromQLStringLiteral.quote(nameText)
        if known == nil {
            noteGrammar(at: name.range.lowerBound, "unknown function with name \(quoted)")
        } else if function.isExperimental, !hasExperiments {
            noteGrammar(at: name.range.lowerBound, "function \(quoted) is not enabled")
        }
        if known != nil { checkArguments(arguments, of: function, at: name.range.lowerBound) }
        return try node(
            .call(
                PromQLCall(
                    function: function,
                    arguments: arguments.map(\.expression),
                    argumentPlaces: places(of: arguments, in: function)
                )
            ),
            from: name.range.lowerBound,
            over: arguments.map(\.depth).max() ?? 0
        )
    }

    private mutating func checkArguments(
        _ arguments: [Node],
        of function: PromQLFunction,
        at offset: Int
    ) {
        let signature = function.signature
        let count = arguments.count
        if count < signature.countMin || count > signature.countMax {
            let wanted =
                signature.countMin == signature.countMax
                ? "\(signature.countMin)"
                : count < signature.countMin
                    ? "at least \(signature.countMin)" : "at most \(signature.countMax)"
            noteType(
                at: offset,
                "expected \(wanted) argument(s) in call to \"\(function.rawValue)\", got \(count)"
            )
        }
        for (index, argument) in arguments.enumerated() where !signature.arguments.isEmpty {
            let wanted = signature.arguments[min(index, signature.arguments.count - 1)]
            expectType(argument, wanted, in: "call to function \"\(function.rawValue)\"")
        }
        if function == .info, arguments.count == 2 { checkInfoSelector(arguments[1]) }
    }

    /// The selector of `info` chooses among labels: it has no metric name before its braces and may
    /// match everything.
    private mutating func checkInfoSelector(_ argument: Node) {
        let start = argument.range.lowerBound
        guard case .selector = argument.expression else {
            noteType(at: start, "expected label selectors only")
            return
        }
        forgetType(at: start, Self.emptySelector)
        if bytes[start] != UInt8(ascii: "{") {
            noteType(at: start, "expected label selectors only, got vector selector instead")
        }
    }

    /// Where messages say that the arguments of a call are.
    ///
    /// Parentheses around an argument count when it alone has one value at all steps: Prometheus
    /// computes such a one apart, whole.
    private func places(of arguments: [Node], in function: PromQLFunction) -> [PromQLPlace] {
        let areFixed = arguments.map(\.expression.isStepInvariant)
        let isWholeFixed = !function.looksAtTime && !areFixed.contains(false)
        return zip(arguments, areFixed).map { argument, isFixed in
            place(of: isFixed && !isWholeFixed ? argument.range.lowerBound : argument.innerStart)
        }
    }

    private mutating func expectType(_ node: Node, _ wanted: PromQLType, in place: String) {
        guard node.type != wanted else { return }
        noteType(
            at: node.range.lowerBound,
            "expected type \(wanted.rawValue) in \(place), got \(node.type.rawValue)"
        )
    }

    private mutating func parseArguments() throws(QueryError) -> [Node] {
        try expect(.leftParenthesis)
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
                let comma = token.range.lowerBound
                advance()
                if kind != .rightParenthesis { continue }
                noteGrammar(at: comma, "trailing commas not allowed in function call args")
            }
            try expect(.rightParenthesis)
            return arguments
        }
    }

    private mutating func parseAggregation(
        _ operation: AggregationOperator
    ) throws(QueryError) -> Node {
        let start = token.range.lowerBound
        aggregationDepth += 1
        defer { aggregationDepth -= 1 }
        advance()
        var grouping = try parseGrouping()
        guard kind == .leftParenthesis else { throw unexpected("") }
        let arguments = try parseArguments()
        if grouping == nil { grouping = try parseGrouping() }
        guard let last = arguments.last else {
            throw .parse(
                offset: start,
                reason: "no arguments for aggregate expression provided"
            )
        }
        if operation == .limitk || operation == .limitRatio, !hasExperiments {
            noteGrammar(
                at: start,
                "\(operation.rawValue)() is experimental and must be enabled with "
                    + "--enable-feature=promql-experimental-functions"
            )
        }
        let wanted = operation.hasParameter ? 2 : 1
        if arguments.count != wanted {
            noteGrammar(
                at: start,
                "wrong number of arguments for aggregate expression provided, expected "
                    + "\(wanted), got \(arguments.count)"
            )
        } else {
            expectType(last, .vector, in: "aggregation expression")
            if operation.hasParameter {
                let type: PromQLType = operation == .countValues ? .string : .scalar
                expectType(arguments[0], type, in: "aggregation parameter")
            }
        }
        return try node(
            .aggregation(
                PromQLAggregation(
                    operation: operation,
                    grouping: grouping ?? Grouping(),
                    parameter: operation.hasParameter ? arguments[0].expression : nil,
                    expression: last.expression,
                    parameterPlace: place(of: arguments[0].innerStart),
                    // Prometheus's words about these two alone point to the whole.
                    notePlace: place(
                        of: operation == .topk || operation == .bottomk
                            ? start : last.range.lowerBound
                    )
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
        guard kind == .leftParenthesis else {
            throw unexpected("grouping opts", expected: "\"(\"")
        }
        advance()
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
