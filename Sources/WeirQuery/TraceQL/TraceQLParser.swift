internal import WeirCore

/// Reads TraceQL text.
///
/// What parses is at most `depthMax` deep.
package struct TraceQLParser {
    /// Bytes of a query.
    package static let lengthMax = 64 << 10
    package static let depthMax = 100

    let tokens: [TraceQLToken]
    var place = 0
    var depth = 0

    /// Parses one whole query.
    ///
    /// - Throws: `.parse` with the offset, `.unsupported` by name, or `.invalid` for operands whose
    ///   types can never meet.
    package static func parse(_ text: String) throws(QueryError) -> TraceQLQuery {
        guard text.utf8.count <= lengthMax else {
            throw .limit(name: "query length bytes", limit: lengthMax)
        }
        var parser = Self(tokens: try TraceQLLexer.tokens(of: Array(text.utf8)))
        let query = try parser.query()
        try TraceQLTypes.check(query)
        return query
    }

    // MARK: Tokens

    var current: TraceQLToken { tokens[place] }

    var offset: Int { current.range.lowerBound }

    mutating func advance() { if place < tokens.count - 1 { place += 1 } }

    func isSymbol(_ text: String, ahead: Int = 0) -> Bool {
        place + ahead < tokens.count && tokens[place + ahead].kind == .symbol(text)
    }

    mutating func take(_ symbol: String) -> Bool {
        guard isSymbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func expect(_ symbol: String) throws(QueryError) {
        guard take(symbol) else { throw unexpected("\"\(symbol)\"") }
    }

    /// The word at hand, when a parenthesis opens behind it.
    var call: String? {
        guard case .identifier(let name) = current.kind, isSymbol("(", ahead: 1) else { return nil }
        return name
    }

    func unexpected(_ wanted: String) -> QueryError {
        let found =
            switch current.kind {
            case .end: "the end"
            case .identifier(let name): name
            case .symbol(let text): "\"\(text)\""
            case .string(let text): PromQLStringLiteral.quote(text)
            case .attribute(let attribute): TraceQLPrinter.print(attribute)
            case .integer, .double, .duration: "a number"
            }
        return .parse(offset: offset, reason: "unexpected \(found), expecting \(wanted)")
    }

    mutating func nested<Result>(
        _ body: (inout Self) throws(QueryError) -> Result
    ) throws(QueryError) -> Result {
        depth += 1
        guard depth <= Self.depthMax else {
            throw .limit(name: "query nesting", limit: Self.depthMax)
        }
        defer { depth -= 1 }
        return try body(&self)
    }

    // MARK: Pipelines

    private mutating func query() throws(QueryError) -> TraceQLQuery {
        if current.kind == .end { throw unexpected("a query such as {}") }
        var stages: [TraceQLStage] = []
        var metrics: TraceQLMetrics?
        repeat {
            if let found = try self.metrics() {
                guard !stages.isEmpty else {
                    throw .parse(offset: offset, reason: "spans are missing before the metric")
                }
                metrics = found
                break
            }
            stages.append(try stage())
        } while take("|")
        if case .identifier("with") = current.kind {
            let hints = try hints()
            try end()
            return TraceQLQuery(stages: stages, metrics: metrics, hints: hints)
        }
        try end()
        return TraceQLQuery(stages: stages, metrics: metrics)
    }

    private func end() throws(QueryError) {
        guard current.kind == .end else { throw unexpected("\"|\" or the end") }
    }

    private mutating func hints() throws(QueryError) -> [TraceQLHint] {
        advance()
        try expect("(")
        var hints: [TraceQLHint] = []
        repeat {
            guard case .identifier(let name) = current.kind else { throw unexpected("a hint") }
            guard
                [
                    "most_recent", "sample", "exemplars", "span_sample", "trace_sample",
                    "job_size", "time_overlap_cutoff", "concurrent_blocks", "dedupe_spans", "debug",
                    "unsafe", "skip_asserts",
                ].contains(name)
            else {
                throw .unsupported(name: "hint \(name)")
            }
            advance()
            try expect("=")
            hints.append(TraceQLHint(name: name, value: try literal()))
        } while take(",")
        try expect(")")
        return hints
    }

    mutating func stage() throws(QueryError) -> TraceQLStage {
        switch call {
        case "by"?:
            advance()
            advance()
            let field = try field()
            try expect(")")
            return .by(field)
        case "select"?:
            advance()
            return .select(try fieldList())
        case "coalesce"?:
            advance()
            advance()
            try expect(")")
            return .coalesce
        case "topk"?, "bottomk"?:
            throw unexpected("a metric before it, such as rate()")
        case let name? where TraceQLAggregate(rawValue: name) == nil:
            throw .unsupported(name: "function \(name)()")
        default: break
        }
        if let filter = try scalarFilter() { return .scalar(filter) }
        return .spanset(try spanset())
    }

    /// `( field, … )`, the parenthesis still ahead.
    mutating func fieldList() throws(QueryError) -> [TraceQLField] {
        try expect("(")
        var fields: [TraceQLField] = []
        repeat { fields.append(try field()) } while take(",")
        try expect(")")
        return fields
    }

    // MARK: Sets of spans

    private mutating func spanset(minimum: Int = 1) throws(QueryError) -> TraceQLSpanset {
        let outer = depth
        defer { depth = outer }
        var left = try operand()
        while case .symbol(let text) = current.kind,
            let operation = TraceQLSpansetOperator(rawValue: text)
        {
            let precedence = operation == .and || operation == .or ? 1 : 2
            guard precedence >= minimum else { break }
            advance()
            depth += 1
            guard depth <= Self.depthMax else {
                throw .limit(name: "query nesting", limit: Self.depthMax)
            }
            let right = try spanset(minimum: precedence + 1)
            left = .operation(operation, left, right)
        }
        return left
    }

    private mutating func operand() throws(QueryError) -> TraceQLSpanset {
        try nested { (parser) throws(QueryError) in
            if parser.take("{") {
                if parser.take("}") { return .filter(.literal(.boolean(true))) }
                let field = try parser.field()
                try parser.expect("}")
                return .filter(field)
            }
            guard parser.take("(") else { throw parser.unexpected("\"{\"") }
            var stages: [TraceQLStage] = []
            repeat { stages.append(try parser.stage()) } while parser.take("|")
            try parser.expect(")")
            if stages.count == 1, case .spanset(let inner) = stages[0] { return inner }
            return .pipeline(stages)
        }
    }
}
