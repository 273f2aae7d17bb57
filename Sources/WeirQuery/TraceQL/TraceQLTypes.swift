/// Refuses operands whose types can never meet, as Tempo does, before anything is read.
enum TraceQLTypes {
    enum ValueType: String {
        case text = "string"
        case number
        case boolean
        case status
        case kind
        case null = "nil"
        /// An attribute: any of these, known only span by span.
        case open = "attribute"
    }

    static func check(_ query: TraceQLQuery) throws(QueryError) {
        for stage in query.stages { try check(stage) }
        guard let metrics = query.metrics else { return }
        for field in metrics.by { _ = try type(field) }
        switch metrics.function {
        case .rate, .countOverTime: break
        case .minOverTime(let field), .maxOverTime(let field), .avgOverTime(let field),
            .sumOverTime(let field), .quantileOverTime(let field, _),
            .histogramOverTime(let field):
            try checkNumber(field)
        case .compare(let field, _, _, _):
            guard metrics.by.isEmpty else { throw .unsupported(name: "by() after compare()") }
            try checkCondition(field)
        }
    }

    private static func check(_ stage: TraceQLStage) throws(QueryError) {
        switch stage {
        case .spanset(let spanset): try check(spanset)
        case .scalar(let filter):
            try check(filter.left)
            try check(filter.right)
        case .by(let field): _ = try type(field)
        case .select(let fields): for field in fields { _ = try type(field) }
        case .coalesce: break
        }
    }

    private static func check(_ spanset: TraceQLSpanset) throws(QueryError) {
        switch spanset {
        case .filter(let field): try checkCondition(field)
        case .operation(_, let left, let right):
            try check(left)
            try check(right)
        case .pipeline(let stages): for stage in stages { try check(stage) }
        }
    }

    private static func check(_ scalar: TraceQLScalar) throws(QueryError) {
        switch scalar {
        case .literal: break
        case .aggregate(_, let field): if let field { try checkNumber(field) }
        case .arithmetic(_, let left, let right):
            try check(left)
            try check(right)
        }
    }

    private static func checkCondition(_ field: TraceQLField) throws(QueryError) {
        let found = try type(field)
        guard found == .boolean || found == .open else {
            throw .invalid(
                reason:
                    "a span filter must be true or false, but { \(TraceQLPrinter.print(field)) }"
                    + " is a \(found.rawValue)"
            )
        }
    }

    private static func checkNumber(_ field: TraceQLField) throws(QueryError) {
        let found = try type(field)
        guard found == .number || found == .open else {
            throw .invalid(
                reason: "\(TraceQLPrinter.print(field)) is a \(found.rawValue) and no number"
            )
        }
    }

    private static func type(_ field: TraceQLField) throws(QueryError) -> ValueType {
        switch field {
        case .literal(let literal):
            switch literal {
            case .null: return .null
            case .string: return .text
            case .integer, .double, .duration: return .number
            case .boolean: return .boolean
            case .status: return .status
            case .kind: return .kind
            }
        case .attribute(.intrinsic(let intrinsic)):
            switch intrinsic.type {
            case .text: return .text
            case .number: return .number
            case .status: return .status
            case .kind: return .kind
            }
        case .attribute: return .open
        case .not(let inner):
            try expect(inner, .boolean, in: field)
            return .boolean
        case .negated(let inner):
            try expect(inner, .number, in: field)
            return .number
        case .binary(let operation, let left, let right):
            if operation.isArithmetic {
                try expect(left, .number, in: field)
                try expect(right, .number, in: field)
                return .number
            }
            if operation == .and || operation == .or {
                try expect(left, .boolean, in: field)
                try expect(right, .boolean, in: field)
                return .boolean
            }
            try checkComparison(operation, try type(left), try type(right), field)
            return .boolean
        }
    }

    private static func checkComparison(
        _ operation: TraceQLOperator,
        _ left: ValueType,
        _ right: ValueType,
        _ field: TraceQLField
    ) throws(QueryError) {
        let text = TraceQLPrinter.print(field)
        if left == .null || right == .null {
            guard operation == .equal || operation == .notEqual else {
                throw .invalid(reason: "nil can only be compared by = and !=: \(text)")
            }
            return
        }
        guard left == right || left == .open || right == .open else {
            throw .invalid(
                reason: "a \(left.rawValue) and a \(right.rawValue) cannot be compared: \(text)"
            )
        }
        let known = left == .open ? right : left
        if operation.isPattern {
            guard case .binary(_, _, .literal(.string)) = field, left == .text || left == .open
            else {
                throw .invalid(reason: "a pattern is a string on the right of \(text)")
            }
            return
        }
        let hasOrder = known == .text || known == .number || known == .open
        guard hasOrder || operation == .equal || operation == .notEqual else {
            throw .invalid(reason: "a \(known.rawValue) has no order: \(text)")
        }
    }

    private static func expect(
        _ inner: TraceQLField,
        _ wanted: ValueType,
        in field: TraceQLField
    ) throws(QueryError) {
        let found = try type(inner)
        guard found == wanted || found == .open else {
            throw .invalid(
                reason: "\(TraceQLPrinter.print(inner)) is a \(found.rawValue) and no "
                    + "\(wanted.rawValue) in \(TraceQLPrinter.print(field))"
            )
        }
    }
}
