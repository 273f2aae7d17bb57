internal import WeirCore
internal import WeirPattern

/// Selectors and what may follow an expression: ranges, subqueries, `offset`, `@`.
extension PromQLParser {
    /// The furthest times and offsets taken: the years 1 to 9999.
    static let timeMillisecondsRange: ClosedRange<Double> =
        -62_135_596_800_000...253_402_300_799_999

    mutating func parseSelector() throws(QueryError) -> Node {
        let start = token.range.lowerBound
        var name: String?
        if kind == .identifier {
            name = text(of: token)
            advance()
        }
        var matchers: [LabelMatcher] = []
        if kind == .leftBrace { matchers = try parseMatchers(&name) }
        if let name {
            if matchers.contains(where: { $0.name == Labels.metricNameLabel }), !name.isEmpty {
                throw .parse(
                    offset: start,
                    reason: "metric name must not be set twice: "
                        + "\(PromQLStringLiteral.quote(name)) or "
                        + PromQLStringLiteral.quote(
                            matchers.first { $0.name == Labels.metricNameLabel }?.value ?? ""
                        )
                )
            }
            matchers.append(
                LabelMatcher(name: Labels.metricNameLabel, operation: .equal, value: name)
            )
        }
        var hasNarrowing = false
        for matcher in matchers {
            do throws(PatternError) {
                if try !CompiledMatcher(matcher).matchesEmpty { hasNarrowing = true }
            } catch {
                throw .parse(offset: start, reason: error.reason)
            }
        }
        guard hasNarrowing else {
            throw .parse(
                offset: start,
                reason: "vector selector must contain at least one non-empty matcher"
            )
        }
        return try node(
            .selector(PromQLSelector(name: name, matchers: matchers)),
            from: start,
            over: 0
        )
    }

    /// `{name="value", "quoted.name"=~"…", "metric.name",}`.
    private mutating func parseMatchers(_ name: inout String?) throws(QueryError) -> [LabelMatcher]
    {
        advance()
        var matchers: [LabelMatcher] = []
        while kind != .rightBrace {
            let first = token
            let label: String
            switch kind {
            case .identifier where !bytes[first.range].contains(UInt8(ascii: ":")):
                label = text(of: first)
            case .number where PromQLLexer.isNameStart(bytes[first.range.lowerBound]):
                label = text(of: first)
            case .string(let quoted): label = quoted
            default: throw unexpected("label matching", expected: "identifier or \"}\"")
            }
            advance()
            let operation: LabelMatcher.Operation?
            switch kind {
            case .assign: operation = .equal
            case .notEqual: operation = .notEqual
            case .matches: operation = .matches
            case .notMatches: operation = .notMatches
            default: operation = nil
            }
            if let operation {
                advance()
                guard case .string(let value) = kind else {
                    throw unexpected("label matching", expected: "string")
                }
                advance()
                matchers.append(LabelMatcher(name: label, operation: operation, value: value))
            } else if case .string = first.kind {
                if let already = name {
                    throw .parse(
                        offset: first.range.lowerBound,
                        reason: "metric name must not be set twice: "
                            + "\(PromQLStringLiteral.quote(already)) or "
                            + PromQLStringLiteral.quote(label)
                    )
                }
                name = label
            } else {
                throw unexpected("label matching", expected: "label matching operator")
            }
            if kind == .comma {
                advance()
            } else if kind != .rightBrace {
                throw unexpected("label matching", expected: "\",\" or \"}\"")
            }
        }
        advance()
        return matchers
    }

    mutating func parsePostfix() throws(QueryError) -> Node {
        var node = try parsePrimary()
        while true {
            if kind == .leftBracket {
                node = try parseBracket(node)
            } else if kind == .at {
                node = try parseAnchor(node)
            } else if keyword == "offset" {
                node = try parseOffset(node)
            } else {
                return node
            }
        }
    }

    /// A duration, or a number of seconds, in milliseconds.
    private mutating func parseDuration(
        in place: String,
        isPositive: Bool
    ) throws(QueryError) -> Int64 {
        let offset = token.range.lowerBound
        let milliseconds: Int64
        switch kind {
        case .duration(let value): milliseconds = value
        case .number(let seconds):
            guard seconds.isFinite, seconds * 1000 <= Double(PromQLDuration.millisecondsMax) else {
                throw .parse(offset: offset, reason: "duration out of range")
            }
            milliseconds = Int64((seconds * 1000).rounded())
        default: throw unexpected(place, expected: "duration")
        }
        guard !isPositive || milliseconds > 0 else {
            throw .parse(offset: offset, reason: "duration must be greater than 0")
        }
        advance()
        return milliseconds
    }

    private mutating func parseBracket(_ operand: Node) throws(QueryError) -> Node {
        let start = operand.range.lowerBound
        advance()
        let range = try parseDuration(in: "subquery or range selector", isPositive: true)
        if kind == .colon {
            advance()
            var step: Int64?
            if kind != .rightBracket {
                step = try parseDuration(in: "subquery selector", isPositive: true)
            }
            try expect(.rightBracket, in: "subquery selector")
            guard operand.type == .vector else {
                throw .parse(
                    offset: start,
                    reason: "subquery is only allowed on instant vector, got "
                        + "\(operand.type.rawValue) instead"
                )
            }
            return try node(
                .subquery(
                    PromQLSubquery(
                        expression: operand.expression,
                        rangeMilliseconds: range,
                        stepMilliseconds: step
                    )
                ),
                from: start,
                over: operand.depth
            )
        }
        try expect(.rightBracket, in: "subquery or range selector")
        guard case .selector(let selector) = operand.expression else {
            throw .parse(offset: start, reason: "ranges only allowed for vector selectors")
        }
        if selector.shift.anchor != nil {
            throw .parse(offset: start, reason: "no @ modifiers allowed before range")
        }
        if selector.shift.offsetMilliseconds != 0 {
            throw .parse(offset: start, reason: "no offset modifiers allowed before range")
        }
        return try node(
            .range(PromQLRange(selector: selector, rangeMilliseconds: range)),
            from: start,
            over: operand.depth
        )
    }

    private func shifted(
        _ operand: Node,
        modifier: String,
        _ change: (inout PromQLTimeShift) -> Bool
    ) throws(QueryError) -> Node {
        var isFirst = true
        let expression: PromQLExpression
        switch operand.expression {
        case .selector(var selector):
            isFirst = change(&selector.shift)
            expression = .selector(selector)
        case .range(var range):
            isFirst = change(&range.selector.shift)
            expression = .range(range)
        case .subquery(var subquery):
            isFirst = change(&subquery.shift)
            expression = .subquery(subquery)
        default:
            throw .parse(
                offset: operand.range.lowerBound,
                reason: "\(modifier) modifier must be preceded by an instant vector selector or "
                    + "range vector selector or a subquery"
            )
        }
        guard isFirst else {
            throw .parse(
                offset: operand.range.lowerBound,
                reason: "\(modifier) may not be set multiple times"
            )
        }
        return try node(expression, from: operand.range.lowerBound, over: operand.depth - 1)
    }

    private mutating func parseOffset(_ operand: Node) throws(QueryError) -> Node {
        advance()
        let isNegative = kind == .subtract
        if isNegative { advance() }
        let magnitude = try parseDuration(in: "offset", isPositive: false)
        let offset = isNegative ? -magnitude : magnitude
        return try shifted(operand, modifier: "offset") { shift in
            guard shift.offsetMilliseconds == 0 else { return false }
            shift.offsetMilliseconds = offset
            return true
        }
    }

    private mutating func parseAnchor(_ operand: Node) throws(QueryError) -> Node {
        advance()
        let anchor: PromQLAnchor
        if keyword == "start" || keyword == "end" {
            anchor = keyword == "start" ? .start : .end
            advance()
            try expect(.leftParenthesis, in: "@ modifier")
            try expect(.rightParenthesis, in: "@ modifier")
        } else {
            let isNegative = kind == .subtract
            let offset = token.range.lowerBound
            if kind == .subtract || kind == .add { advance() }
            let magnitude: Double
            switch kind {
            case .number(let seconds): magnitude = seconds * 1000
            case .duration(let milliseconds): magnitude = Double(milliseconds)
            default: throw unexpected("@", expected: "timestamp")
            }
            let milliseconds = isNegative ? -magnitude : magnitude
            guard Self.timeMillisecondsRange.contains(milliseconds) else {
                throw .parse(
                    offset: offset,
                    reason: "timestamp out of bounds for @ modifier: \(text(of: token))"
                )
            }
            advance()
            anchor = .milliseconds(Int64(milliseconds.rounded()))
        }
        return try shifted(operand, modifier: "@ <timestamp>") { shift in
            guard shift.anchor == nil else { return false }
            shift.anchor = anchor
            return true
        }
    }
}

extension PatternError {
    /// The error as a sentence.
    var reason: String {
        switch self {
        case .invalid(let pattern, let offset, let reason):
            "error parsing regexp: \(reason) at offset \(offset): `\(pattern)`"
        case .tooLong(let length, let limit):
            "regexp or its result of \(length) bytes is longer than the limit of \(limit)"
        case .tooExpensive(let pattern, let limit):
            "regexp `\(pattern)` took more than \(limit) steps"
        }
    }
}
