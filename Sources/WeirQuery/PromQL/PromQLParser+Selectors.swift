internal import WeirCore
internal import WeirPattern

/// Selectors and what may follow an expression: ranges, subqueries, `offset`, `@`.
extension PromQLParser {
    /// The furthest times and offsets taken: the years 1 to 9999.
    static let timeMillisecondsRange: ClosedRange<Double> =
        -62_135_596_800_000...253_402_300_799_999

    static let emptySelector = "vector selector must contain at least one non-empty matcher"

    mutating func parseSelector() throws(QueryError) -> Node {
        let start = token.range.lowerBound
        var name: String?
        if kind == .identifier {
            name = text(of: token)
            advance()
        }
        var matchers: [LabelMatcher] = []
        if kind == .leftBrace { matchers = try parseMatchers() }
        if let name {
            let second = matchers.first { $0.name == Labels.metricNameLabel }
            if let second, !name.isEmpty {
                noteType(
                    at: start,
                    "metric name must not be set twice: \(PromQLStringLiteral.quote(name)) or "
                        + PromQLStringLiteral.quote(second.value)
                )
            }
            matchers.append(
                LabelMatcher(name: Labels.metricNameLabel, operation: .equal, value: name)
            )
        }
        let hasNarrowing = matchers.contains { matcher in
            (try? !CompiledMatcher(matcher).matchesEmpty) ?? true
        }
        if !hasNarrowing {
            noteType(at: start, Self.emptySelector)
        }
        return try node(
            .selector(PromQLSelector(name: name, matchers: matchers)),
            from: start,
            over: 0
        )
    }

    /// `{name="value", "quoted.name"=~"…", "metric.name",}`.
    private mutating func parseMatchers() throws(QueryError) -> [LabelMatcher] {
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
                let matcher = LabelMatcher(name: label, operation: operation, value: value)
                do throws(PatternError) {
                    _ = try CompiledMatcher(matcher)
                } catch {
                    noteGrammar(at: first.range.lowerBound, error.reason)
                }
                matchers.append(matcher)
            } else if case .string = first.kind {
                matchers.append(
                    LabelMatcher(name: Labels.metricNameLabel, operation: .equal, value: label)
                )
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

    /// A duration, or a number of seconds, in milliseconds; with a sign before it.
    private mutating func parseDuration(
        in place: String,
        expected: String,
        isPositive: Bool
    ) throws(QueryError) -> Int64 {
        let offset = token.range.lowerBound
        let isNegative = kind == .subtract
        if kind == .subtract || kind == .add { advance() }
        let milliseconds: Int64
        switch kind {
        case .duration(let value): milliseconds = value
        case .number(let seconds):
            guard seconds.isFinite, seconds * 1000 <= Double(PromQLDuration.millisecondsMax) else {
                throw .parse(offset: offset, reason: "duration out of range")
            }
            milliseconds = Int64((seconds * 1000).rounded())
        case .leftParenthesis:
            throw .parse(
                offset: offset + 1,
                reason: "experimental duration expression is not enabled"
            )
        default: throw unexpected(place, expected: expected)
        }
        advance()
        if isPositive, isNegative || milliseconds <= 0 {
            noteGrammar(at: offset, "duration must be greater than 0")
        }
        return isNegative ? -milliseconds : milliseconds
    }

    private mutating func parseBracket(_ operand: Node) throws(QueryError) -> Node {
        let start = operand.range.lowerBound
        let bracket = token.range.lowerBound
        advance()
        let begin = token.range.lowerBound
        let range = try parseDuration(
            in: "subquery selector",
            expected: "number or duration",
            isPositive: true
        )
        switch kind {
        case .add, .subtract, .multiply, .divide, .modulo, .power:
            throw .parse(offset: begin, reason: "experimental duration expression is not enabled")
        default: break
        }
        if kind == .colon {
            advance()
            var step: Int64?
            if kind != .rightBracket {
                step = try parseDuration(
                    in: "subquery selector",
                    expected: "number, duration, or \"]\"",
                    isPositive: true
                )
            }
            guard kind == .rightBracket else {
                throw unexpected("subquery selector", expected: "\"]\"")
            }
            advance()
            if operand.type != .vector {
                noteType(
                    at: start,
                    "subquery is only allowed on instant vector, got \(operand.type.rawValue) "
                        + "instead"
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
        guard kind == .rightBracket else {
            throw unexpected("subquery or range", expected: "\":\" or \"]\"")
        }
        advance()
        var selector = PromQLSelector(name: nil, matchers: [])
        if case .selector(let own) = operand.expression {
            selector = own
            if own.shift.offsetMilliseconds != 0 {
                noteGrammar(at: bracket, "no offset modifiers allowed before range")
            } else if own.shift.anchor != nil {
                noteGrammar(at: bracket, "no @ modifiers allowed before range")
            }
        } else {
            noteGrammar(at: bracket, "ranges only allowed for vector selectors")
        }
        return try node(
            .range(PromQLRange(selector: selector, rangeMilliseconds: range)),
            from: start,
            over: operand.depth
        )
    }

    private mutating func shifted(
        _ operand: Node,
        modifier: String,
        name: String,
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
            noteGrammar(
                at: operand.range.lowerBound,
                "\(modifier) modifier must be preceded by an instant vector selector or range "
                    + "vector selector or a subquery"
            )
            expression = operand.expression
        }
        if !isFirst {
            noteGrammar(at: operand.range.lowerBound, "\(name) may not be set multiple times")
        }
        return try node(expression, from: operand.range.lowerBound, over: operand.depth - 1)
    }

    private mutating func parseOffset(_ operand: Node) throws(QueryError) -> Node {
        advance()
        let offset = try parseDuration(
            in: "offset",
            expected: "number or duration",
            isPositive: false
        )
        return try shifted(operand, modifier: "offset", name: "offset") { shift in
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
            for wanted in [PromQLToken.Kind.leftParenthesis, .rightParenthesis] {
                guard kind == wanted else { throw unexpected("@", expected: "timestamp") }
                advance()
            }
        } else {
            let isNegative = kind == .subtract
            if kind == .subtract || kind == .add { advance() }
            let magnitude: Double
            switch kind {
            case .number(let seconds): magnitude = seconds * 1000
            case .duration(let milliseconds): magnitude = Double(milliseconds)
            default: throw unexpected("@", expected: "timestamp")
            }
            let milliseconds = isNegative ? -magnitude : magnitude
            advance()
            if Self.timeMillisecondsRange.contains(milliseconds) {
                anchor = .milliseconds(Int64(milliseconds.rounded()))
            } else {
                noteGrammar(
                    at: operand.range.lowerBound,
                    "timestamp out of bounds for @ modifier: "
                        + NumberText.fixed(milliseconds / 1000)
                )
                anchor = .start
            }
        }
        return try shifted(operand, modifier: "@", name: "@ <timestamp>") { shift in
            guard shift.anchor == nil else { return false }
            shift.anchor = anchor
            return true
        }
    }
}

extension PatternError {
    /// The commonest mistakes as Go words them; the others as the library does.
    private static func text(_ pattern: String, _ offset: Int, _ reason: String) -> String {
        if reason.contains("closing parenthesis") { return "missing closing ): `\(pattern)`" }
        if reason.contains("terminating ]"), let start = pattern.firstIndex(of: "[") {
            return "missing closing ]: `\(pattern[start...])`"
        }
        return "\(reason) at offset \(offset): `\(pattern)`"
    }

    /// The error as a sentence.
    var reason: String {
        switch self {
        case .invalid(let pattern, let offset, let reason):
            "error parsing regexp: " + Self.text(pattern, offset, reason)
        case .tooLong(let length, let limit):
            "regexp or its result of \(length) bytes is longer than the limit of \(limit)"
        case .tooExpensive(let pattern, let limit):
            "regexp `\(pattern)` took more than \(limit) steps"
        }
    }
}
