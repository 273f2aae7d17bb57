/// Literals, range aggregations, vector aggregations and functions.
extension LogQLParser {
    private static let aggregations: Set<AggregationOperator> = [
        .sum, .avg, .min, .max, .count, .stddev, .stdvar, .topk, .bottomk,
    ]

    mutating func parsePrimary() throws(QueryError) -> LogQLExpression {
        switch kind {
        case .number(let value):
            advance()
            return .number(PromQLNumber(value))
        case .symbol(.subtract), .symbol(.add):
            let isNegative = isSymbol(.subtract)
            advance()
            guard case .number(let value) = kind else { throw unexpected(expected: "a number") }
            advance()
            return .number(PromQLNumber(isNegative ? -value : value))
        case .symbol(.leftBrace):
            let start = offset
            let (query, unwrap) = try parseLogQuery()
            if unwrap != nil {
                throw .parse(
                    offset: start,
                    reason: "unwrap is only allowed in a range aggregation"
                )
            }
            return .logs(query)
        case .symbol(.leftParenthesis):
            advance()
            let inner = try parseExpression(minimum: 0)
            try expect(.rightParenthesis)
            if case .logs(var query) = inner.unwrapped {
                // `({a="b"} |= "x") | json`: one pipeline after the other.
                query.stages += try parsePipelineStages()
                return .logs(query)
            }
            return .parenthesized(inner)
        case .identifier: return try parseCall()
        default: throw unexpected()
        }
    }

    private mutating func parsePipelineStages() throws(QueryError) -> [LogQLStage] {
        let start = offset
        let pipeline = try parsePipeline()
        guard pipeline.unwrap == nil else {
            throw .parse(offset: start, reason: "unwrap is only allowed in a range aggregation")
        }
        return pipeline.stages
    }

    private mutating func parseCall() throws(QueryError) -> LogQLExpression {
        let start = offset
        let name = word
        if let operation = LogQLRangeOperation(rawValue: name) {
            return try parseRangeAggregation(operation)
        }
        if let operation = AggregationOperator(rawValue: name),
            Self.aggregations.contains(operation)
        {
            return try parseAggregation(operation)
        }
        advance()
        switch name {
        case "sort", "sort_desc":
            try expect(.leftParenthesis)
            let inner = try parseVector()
            try expect(.rightParenthesis)
            return .sorted(inner, isDescending: name == "sort_desc")
        case "vector":
            try expect(.leftParenthesis)
            let isNegative = take(.subtract)
            guard case .number(let value) = kind else { throw unexpected(expected: "a number") }
            advance()
            try expect(.rightParenthesis)
            return .vector(PromQLNumber(isNegative ? -value : value))
        case "label_replace":
            try expect(.leftParenthesis)
            let inner = try parseVector()
            var texts: [String] = []
            for _ in 0..<4 {
                try expect(.comma)
                texts.append(try takeString())
            }
            try expect(.rightParenthesis)
            return .labelReplace(
                LogQLLabelReplace(
                    expression: inner,
                    target: texts[0],
                    replacement: texts[1],
                    source: texts[2],
                    pattern: texts[3]
                )
            )
        default:
            throw .parse(
                offset: start,
                reason: "unknown function \(PromQLStringLiteral.quote(name)); a log query starts "
                    + "with a selector such as {service=\"api\"}"
            )
        }
    }

    private mutating func parseVector() throws(QueryError) -> LogQLExpression {
        let start = offset
        let inner = try parseExpression(minimum: 0)
        guard inner.type == .vector else {
            throw .parse(offset: start, reason: "expected a metric query, got \(inner.type)")
        }
        return inner
    }

    private mutating func parseGrouping() throws(QueryError) -> Grouping? {
        guard word == "by" || word == "without" else { return nil }
        let isWithout = word == "without"
        advance()
        return Grouping(isWithout: isWithout, labels: try parseLabelList())
    }

    private mutating func parseAggregation(
        _ operation: AggregationOperator
    ) throws(QueryError) -> LogQLExpression {
        advance()
        var grouping = try parseGrouping()
        try expect(.leftParenthesis)
        var parameter: PromQLNumber?
        if operation.hasParameter {
            guard case .number(let value) = kind, value > 0, value < 0x1p31,
                value == value.rounded()
            else { throw unexpected(expected: "a whole number above 0") }
            parameter = PromQLNumber(value)
            advance()
            try expect(.comma)
        }
        let inner = try parseVector()
        try expect(.rightParenthesis)
        if grouping == nil { grouping = try parseGrouping() }
        return .aggregation(
            LogQLAggregation(
                operation: operation,
                grouping: grouping ?? Grouping(),
                parameter: parameter,
                expression: inner
            )
        )
    }

    private mutating func parseRangeAggregation(
        _ operation: LogQLRangeOperation
    ) throws(QueryError) -> LogQLExpression {
        let start = offset
        advance()
        var grouping = try parseGrouping()
        try expect(.leftParenthesis)
        var parameter: PromQLNumber?
        if operation == .quantile {
            let isNegative = take(.subtract)
            guard case .number(let value) = kind else { throw unexpected(expected: "a number") }
            parameter = PromQLNumber(isNegative ? -value : value)
            advance()
            try expect(.comma)
        }
        var result = try parseRangeBody(operation, closers: 0)
        result.parameter = parameter
        try expect(.rightParenthesis)
        if grouping == nil { grouping = try parseGrouping() }
        result.grouping = grouping
        if let wanted = operation.needsUnwrap, wanted != (result.unwrap != nil) {
            throw .parse(
                offset: start,
                reason: wanted
                    ? "invalid aggregation \(operation.rawValue) without unwrap"
                    : "invalid aggregation \(operation.rawValue) with unwrap"
            )
        }
        if grouping != nil, result.unwrap == nil {
            throw .parse(
                offset: start,
                reason: "grouping not allowed for \(operation.rawValue) aggregation without unwrap"
            )
        }
        return .range(result)
    }

    /// A log query with its range before or behind the pipeline, perhaps in parentheses.
    private mutating func parseRangeBody(
        _ operation: LogQLRangeOperation,
        closers: Int
    ) throws(QueryError) -> LogQLRangeAggregation {
        var result = LogQLRangeAggregation(
            operation: operation,
            query: LogQLQuery(),
            rangeNanoseconds: 0
        )
        if take(.leftParenthesis) {
            result = try nested { (parser) throws(QueryError) in
                try parser.parseRangeBody(operation, closers: closers + 1)
            }
            try expect(.rightParenthesis)
        } else {
            result.query.matchers = try parseSelector()
        }
        if isSymbol(.leftBracket), result.rangeNanoseconds == 0 { try parseRange(&result) }
        let pipeline = try parsePipeline()
        if !pipeline.stages.isEmpty || pipeline.unwrap != nil {
            guard result.unwrap == nil else { throw unexpected() }
            result.query.stages += pipeline.stages
            result.unwrap = pipeline.unwrap
        }
        if isSymbol(.leftBracket), result.rangeNanoseconds == 0 { try parseRange(&result) }
        guard result.rangeNanoseconds > 0 || closers > 0 else {
            throw unexpected(expected: "a range such as [5m]")
        }
        return result
    }

    private mutating func parseRange(_ result: inout LogQLRangeAggregation) throws(QueryError) {
        advance()
        guard case .duration(let nanoseconds) = kind, nanoseconds > 0 else {
            throw unexpected(expected: "a duration such as 5m")
        }
        advance()
        try expect(.rightBracket)
        result.rangeNanoseconds = nanoseconds
        guard word == "offset" else { return }
        advance()
        let isNegative = take(.subtract)
        guard case .duration(let shift) = kind else {
            throw unexpected(expected: "a duration such as 5m")
        }
        advance()
        result.offsetNanoseconds = isNegative ? -shift : shift
    }
}
