internal import WeirPattern

/// Selectors and pipelines.
extension LogQLParser {
    mutating func parseLogQuery() throws(QueryError) -> (LogQLQuery, LogQLUnwrap?) {
        let matchers = try parseSelector()
        let pipeline = try parsePipeline()
        return (LogQLQuery(matchers: matchers, stages: pipeline.stages), pipeline.unwrap)
    }

    /// `{a="b", c=~"d"}`.
    mutating func parseSelector() throws(QueryError) -> [LabelMatcher] {
        try expect(.leftBrace)
        var matchers: [LabelMatcher] = []
        while !isSymbol(.rightBrace) {
            let name = try takeName()
            guard let operation = matcherOperation() else {
                throw unexpected(expected: "one of = != =~ !~")
            }
            advance()
            matchers.append(try matcher(name, operation))
            if !take(.comma), !isSymbol(.rightBrace) {
                throw unexpected(expected: "\",\" or \"}\"")
            }
        }
        advance()
        return matchers
    }

    private func matcherOperation() -> LabelMatcher.Operation? {
        switch kind {
        case .symbol(.assign): .equal
        case .symbol(.notEqual): .notEqual
        case .symbol(.matches): .matches
        case .symbol(.notMatches): .notMatches
        default: nil
        }
    }

    private mutating func matcher(
        _ name: String,
        _ operation: LabelMatcher.Operation
    ) throws(QueryError) -> LabelMatcher {
        let start = offset
        let matcher = LabelMatcher(name: name, operation: operation, value: try takeString())
        do throws(PatternError) {
            _ = try CompiledMatcher(matcher)
        } catch {
            throw .parse(offset: start, reason: error.reason)
        }
        return matcher
    }

    mutating func parsePipeline() throws(QueryError) -> (
        stages: [LogQLStage], unwrap: LogQLUnwrap?
    ) {
        var stages: [LogQLStage] = []
        var unwrap: LogQLUnwrap?
        while case .symbol(let symbol) = kind {
            guard stages.count < Self.stagesMax else {
                throw .limit(name: "pipeline stages", limit: Self.stagesMax)
            }
            if let operation = LogQLLineFilter.Operation(rawValue: symbol.rawValue) {
                if unwrap != nil { throw unexpected(expected: "a label filter after unwrap") }
                advance()
                stages.append(.line(try parseLineFilter(operation)))
                continue
            }
            guard symbol == .pipe else { break }
            advance()
            let start = offset
            if word == "unwrap", !isComparison(kindAfter) {
                guard unwrap == nil else { throw unexpected() }
                advance()
                unwrap = try parseUnwrap()
                continue
            }
            let stage = try parseStage()
            if unwrap != nil {
                guard case .label(let filter) = stage else {
                    throw .parse(
                        offset: start,
                        reason: "only label filters may follow unwrap"
                    )
                }
                unwrap?.filters.append(filter)
            } else {
                stages.append(stage)
            }
        }
        return (stages, unwrap)
    }

    private mutating func parseLineFilter(
        _ operation: LogQLLineFilter.Operation
    ) throws(QueryError) -> LogQLLineFilter {
        var operands: [LogQLLineFilter.Operand] = []
        repeat {
            if word == "or" { advance() }
            if word == "ip" {
                guard operation == .contains || operation == .notContains else {
                    throw unexpected(expected: "a quoted string")
                }
                operands.append(.ip(try parseIP()))
            } else {
                let start = offset
                let text = try takeString()
                try checkPattern(text, operation, at: start)
                operands.append(.text(text))
            }
            guard operands.count <= Self.stagesMax else {
                throw .limit(name: "alternatives of a line filter", limit: Self.stagesMax)
            }
        } while word == "or"
        return LogQLLineFilter(operation: operation, operands: operands)
    }

    private func checkPattern(
        _ text: String,
        _ operation: LogQLLineFilter.Operation,
        at start: Int
    ) throws(QueryError) {
        switch operation {
        case .matches, .notMatches: try checkRegex(text, at: start)
        case .pattern, .notPattern:
            do throws(QueryError) {
                _ = try LinePattern(text, isFilter: true)
            } catch {
                throw .parse(offset: start, reason: error.message(query: ""))
            }
        default: break
        }
    }

    private func checkRegex(_ text: String, at start: Int) throws(QueryError) {
        do throws(PatternError) {
            _ = try TextPattern(text)
        } catch {
            throw .parse(offset: start, reason: error.reason)
        }
    }

    /// `ip("10.0.0.0/8")`.
    private mutating func parseIP() throws(QueryError) -> String {
        advance()
        try expect(.leftParenthesis)
        let start = offset
        let text = try takeString()
        guard IPRange(text) != nil else {
            throw .parse(
                offset: start,
                reason: "\(PromQLStringLiteral.quote(text)) is no address, range or CIDR"
            )
        }
        try expect(.rightParenthesis)
        return text
    }

    private mutating func parseUnwrap() throws(QueryError) -> LogQLUnwrap {
        let start = offset
        let name = try takeName()
        guard isSymbol(.leftParenthesis) else {
            return LogQLUnwrap(label: name, conversion: .none, filters: [])
        }
        guard let conversion = LogQLUnwrap.Conversion(rawValue: name) else {
            throw .parse(
                offset: start,
                reason: "unknown conversion \(PromQLStringLiteral.quote(name)); there are bytes, "
                    + "duration and duration_seconds"
            )
        }
        advance()
        let label = try takeName()
        try expect(.rightParenthesis)
        return LogQLUnwrap(label: label, conversion: conversion, filters: [])
    }

    private func isComparison(_ kind: LogQLToken.Kind) -> Bool {
        switch kind {
        case .symbol(let symbol):
            switch symbol {
            case .assign, .equal, .notEqual, .matches, .notMatches, .greater, .greaterOrEqual,
                .less, .lessOrEqual:
                true
            default: false
            }
        default: false
        }
    }

    private mutating func parseStage() throws(QueryError) -> LogQLStage {
        // A label may be called like a stage: what follows tells.
        if kind != .identifier || isComparison(kindAfter) {
            return .label(try parseLabelFilter())
        }
        let start = offset
        let name = word
        switch name {
        case "json":
            advance()
            return .json(try parseExtractions(isJSON: true))
        case "logfmt":
            advance()
            var flags: Set<String> = []
            while case .flag(let flag) = kind {
                guard flag == "strict" || flag == "keep-empty" else { throw unexpected() }
                flags.insert(flag)
                advance()
            }
            return .logfmt(try parseExtractions(isJSON: false), flags: flags)
        case "unpack":
            advance()
            return .unpack
        case "decolorize":
            advance()
            return .decolorize
        case "pattern":
            advance()
            let place = offset
            let text = try takeString()
            do throws(QueryError) {
                _ = try LinePattern(text, isFilter: false)
            } catch {
                throw .parse(offset: place, reason: error.message(query: ""))
            }
            return .pattern(text)
        case "regexp":
            advance()
            let place = offset
            let text = try takeString()
            try checkRegex(text, at: place)
            guard !RegexLiterals.groupNames(in: text).isEmpty else {
                throw .parse(
                    offset: place,
                    reason: "at least one named capture must be supplied"
                )
            }
            return .regexp(text)
        case "line_format":
            advance()
            let place = offset
            let text = try takeString()
            try checkTemplate(text, at: place)
            return .lineFormat(text)
        case "label_format":
            advance()
            return .labelFormat(try parseLabelFormats())
        case "drop", "keep":
            advance()
            var picks = [try parsePick()]
            while take(.comma) { picks.append(try parsePick()) }
            return name == "drop" ? .drop(picks) : .keep(picks)
        default:
            throw .parse(
                offset: start,
                reason: "unknown stage \(PromQLStringLiteral.quote(name)); a filter is written "
                    + "label=\"value\""
            )
        }
    }

    private func checkTemplate(_ text: String, at place: Int) throws(QueryError) {
        do throws(LineTemplateError) {
            _ = try LineTemplate(parsing: text)
        } catch {
            throw .parse(offset: place, reason: "invalid template: \(error.reason)")
        }
    }

    private mutating func parseExtractions(isJSON: Bool) throws(QueryError) -> [LogQLExtraction] {
        var extractions: [LogQLExtraction] = []
        while kind == .identifier {
            let label = try takeName()
            var path = label
            if take(.assign) {
                let place = offset
                path = try takeString()
                if isJSON, JSONPath(path) == nil {
                    throw .parse(offset: place, reason: "cannot parse the path of \(label)")
                }
            }
            extractions.append(LogQLExtraction(label: label, path: path))
            guard take(.comma) else { break }
        }
        return extractions
    }

    private mutating func parseLabelFormats() throws(QueryError) -> [LogQLLabelFormat] {
        var formats: [LogQLLabelFormat] = []
        repeat {
            let start = offset
            let target = try takeName()
            guard !formats.contains(where: { $0.target == target }) else {
                throw .parse(
                    offset: start,
                    reason: "multiple label name \(PromQLStringLiteral.quote(target)) not allowed "
                        + "in a single format operation"
                )
            }
            try expect(.assign)
            let place = offset
            if case .string(let text) = kind {
                try checkTemplate(text, at: place)
                advance()
                formats.append(LogQLLabelFormat(target: target, value: .template(text)))
            } else {
                formats.append(LogQLLabelFormat(target: target, value: .label(try takeName())))
            }
        } while take(.comma)
        return formats
    }

    private mutating func parsePick() throws(QueryError) -> LogQLLabelPick {
        let name = try takeName()
        guard let operation = matcherOperation() else { return LogQLLabelPick(label: name) }
        advance()
        return LogQLLabelPick(label: name, matcher: try matcher(name, operation))
    }

    // MARK: Label filters

    /// `a="x" and b>1 or (c=2, d=~"e")`; `or` binds least, as in Loki.
    private mutating func parseLabelFilter() throws(QueryError) -> LogQLLabelFilter {
        try nested { (parser) throws(QueryError) in
            var left = try parser.parseConjunction()
            var count = 0
            while parser.word == "or" {
                count += 1
                guard count < Self.depthMax else {
                    throw .limit(name: "query nesting depth", limit: Self.depthMax)
                }
                parser.advance()
                left = .or(left, try parser.parseConjunction())
            }
            return left
        }
    }

    private mutating func parseConjunction() throws(QueryError) -> LogQLLabelFilter {
        var left = try parseCondition()
        var count = 0
        while true {
            let isNext = kind == .identifier && isComparison(kindAfter)
            if word == "and" || isSymbol(.comma) {
                advance()
            } else if !isNext {
                return left
            }
            count += 1
            guard count < Self.depthMax else {
                throw .limit(name: "query nesting depth", limit: Self.depthMax)
            }
            left = .and(left, try parseCondition())
        }
    }

    private mutating func parseCondition() throws(QueryError) -> LogQLLabelFilter {
        if take(.leftParenthesis) {
            let inner = try parseLabelFilter()
            try expect(.rightParenthesis)
            return inner
        }
        let name = try takeName()
        guard isComparison(kind), case .symbol(let symbol) = kind else {
            throw unexpected(expected: "one of = == != =~ !~ > >= < <=")
        }
        let operationToken = position
        let stringOperation = matcherOperation()
        advance()
        if word == "ip" {
            guard let stringOperation, stringOperation == .equal || stringOperation == .notEqual
            else { throw unexpected(expected: "= or != before ip(…)") }
            let isNegated = stringOperation == .notEqual
            return .ip(label: name, isNegated: isNegated, range: try parseIP())
        }
        if case .string = kind {
            guard let stringOperation else {
                position = operationToken
                throw unexpected(expected: "one of = != =~ !~ before a string")
            }
            return .matcher(try matcher(name, stringOperation))
        }
        let comparison = BinaryOperator(rawValue: symbol == .assign ? "==" : symbol.rawValue)
        guard let comparison, comparison.isComparison else {
            throw unexpected(expected: "a quoted string")
        }
        let isNegative = take(.subtract)
        let quantity: LogQLLabelFilter.Quantity
        switch kind {
        case .number(let value): quantity = .number(PromQLNumber(isNegative ? -value : value))
        case .duration(let value): quantity = .duration(isNegative ? -value : value)
        case .bytes(let value) where !isNegative: quantity = .bytes(PromQLNumber(value))
        default: throw unexpected(expected: "a string, number, duration or size")
        }
        advance()
        return .compare(label: name, comparison, quantity)
    }
}
