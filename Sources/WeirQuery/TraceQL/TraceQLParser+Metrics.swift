extension TraceQLParser {
    /// A comparison of numbers made of sets; nil, and nothing is taken, when none begins here.
    mutating func scalarFilter() throws(QueryError) -> TraceQLScalarFilter? {
        guard startsScalar() else { return nil }
        let left = try scalar(minimum: 3)
        guard case .symbol(let text) = current.kind,
            let operation = TraceQLOperator(rawValue: text),
            operation.isComparison, !operation.isPattern
        else { throw unexpected("a comparison, as in count() > 2") }
        advance()
        let right = try scalar(minimum: 3)
        return TraceQLScalarFilter(left: left, operation: operation, right: right)
    }

    /// Whether the first thing that is no parenthesis is a number or an aggregate.
    private func startsScalar() -> Bool {
        var index = place
        while index < tokens.count, tokens[index].kind == .symbol("(") { index += 1 }
        guard index < tokens.count else { return false }
        switch tokens[index].kind {
        case .integer, .double, .duration, .symbol("-"): return true
        case .identifier(let name): return TraceQLAggregate(rawValue: name) != nil
        default: return false
        }
    }

    private mutating func scalar(minimum: Int) throws(QueryError) -> TraceQLScalar {
        let outer = depth
        defer { depth = outer }
        var left = try scalarOperand()
        while case .symbol(let text) = current.kind,
            let operation = TraceQLOperator(rawValue: text),
            operation.isArithmetic, operation.precedence >= minimum
        {
            advance()
            depth += 1
            guard depth <= Self.depthMax else {
                throw .limit(name: "query nesting", limit: Self.depthMax)
            }
            let next = operation == .power ? operation.precedence : operation.precedence + 1
            left = .arithmetic(operation, left, try scalar(minimum: next))
        }
        return left
    }

    private mutating func scalarOperand() throws(QueryError) -> TraceQLScalar {
        try nested { (parser) throws(QueryError) in
            if parser.take("(") {
                if parser.isSymbol("{") {
                    throw .unsupported(name: "a number made by a pipeline in parentheses")
                }
                let inner = try parser.scalar(minimum: 3)
                try parser.expect(")")
                return inner
            }
            guard let name = parser.call else {
                let literal = try parser.literal()
                guard literal.number != nil else { throw parser.unexpected("a number") }
                return .literal(literal)
            }
            guard let aggregate = TraceQLAggregate(rawValue: name) else {
                throw .unsupported(name: "function \(name)()")
            }
            parser.advance()
            parser.advance()
            if aggregate == .count {
                try parser.expect(")")
                return .aggregate(.count, nil)
            }
            let field = try parser.field()
            try parser.expect(")")
            return .aggregate(aggregate, field)
        }
    }

    /// A metric with its grouping and what selects among its series; nil when none begins here.
    mutating func metrics() throws(QueryError) -> TraceQLMetrics? {
        guard let name = call else { return nil }
        let function: TraceQLMetrics.Function
        switch name {
        case "rate", "count_over_time":
            advance()
            advance()
            try expect(")")
            function = name == "rate" ? .rate : .countOverTime
        case "min_over_time", "max_over_time", "avg_over_time", "sum_over_time",
            "quantile_over_time", "histogram_over_time":
            advance()
            advance()
            let field = try field()
            var quantiles: [Double] = []
            while name == "quantile_over_time", take(",") {
                guard let number = try literal().number, (0...1).contains(number) else {
                    throw .parse(offset: offset, reason: "a quantile is a number from 0 to 1")
                }
                quantiles.append(number)
            }
            if name == "quantile_over_time", quantiles.isEmpty {
                throw unexpected("a quantile, as in quantile_over_time(duration, .99)")
            }
            try expect(")")
            switch name {
            case "min_over_time": function = .minOverTime(field)
            case "max_over_time": function = .maxOverTime(field)
            case "avg_over_time": function = .avgOverTime(field)
            case "sum_over_time": function = .sumOverTime(field)
            case "histogram_over_time": function = .histogramOverTime(field)
            default: function = .quantileOverTime(field, quantiles)
            }
        case "compare": function = try compare()
        default: return nil
        }
        var by: [TraceQLField] = []
        if case .identifier("by") = current.kind {
            advance()
            by = try fieldList()
        }
        return TraceQLMetrics(function: function, by: by, selections: try selections())
    }

    private mutating func compare() throws(QueryError) -> TraceQLMetrics.Function {
        advance()
        advance()
        try expect("{")
        let field = isSymbol("}") ? TraceQLField.literal(.boolean(true)) : try self.field()
        try expect("}")
        var numbers: [Int64] = []
        while take(",") {
            guard case .integer(let number) = try literal(), numbers.count < 3 else {
                throw unexpected("compare({…}, top, start, end) with whole numbers")
            }
            numbers.append(number)
        }
        try expect(")")
        guard numbers.count != 2 else { throw unexpected("both a start and an end") }
        let top = numbers.first ?? 10
        guard (1...1000).contains(top) else {
            throw .parse(offset: offset, reason: "compare takes 1 to 1000 values an attribute")
        }
        return .compare(
            field,
            top: Int(top),
            from: numbers.count == 3 ? numbers[1] : nil,
            through: numbers.count == 3 ? numbers[2] : nil
        )
    }

    private mutating func selections() throws(QueryError) -> [TraceQLMetrics.Selection] {
        var selections: [TraceQLMetrics.Selection] = []
        while true {
            if case .symbol(let text) = current.kind,
                let operation = TraceQLOperator(rawValue: text),
                operation.isComparison, !operation.isPattern
            {
                advance()
                let literal = try literal()
                guard literal.number != nil else { throw unexpected("a number") }
                selections.append(.compare(operation, literal))
                continue
            }
            guard take("|") else { return selections }
            guard let name = call else { throw unexpected("topk(…) or bottomk(…)") }
            guard name == "topk" || name == "bottomk" else {
                throw .unsupported(name: "\(name)() after a metric")
            }
            advance()
            advance()
            guard case .integer(let count) = try literal(), (1...100_000).contains(count) else {
                throw .parse(offset: offset, reason: "\(name) takes a count of 1 or more")
            }
            try expect(")")
            selections.append(name == "topk" ? .topk(Int(count)) : .bottomk(Int(count)))
        }
    }
}
