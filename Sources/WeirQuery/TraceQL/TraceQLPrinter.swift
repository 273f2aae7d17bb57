internal import WeirCore

/// Writes TraceQL in one way: `parse(print(x)) == x`.
package enum TraceQLPrinter {
    package static func print(_ query: TraceQLQuery) -> String {
        var parts = query.stages.map(print)
        if let metrics = query.metrics { parts.append(print(metrics)) }
        let text = parts.joined(separator: " | ")
        guard !query.hints.isEmpty else { return text }
        let hints = query.hints.map { "\($0.name)=\(print($0.value))" }
        return text + " with(" + hints.joined(separator: ", ") + ")"
    }

    private static func print(_ stage: TraceQLStage) -> String {
        switch stage {
        case .spanset(let spanset): print(spanset)
        case .scalar(let filter):
            "\(print(filter.left)) \(filter.operation.rawValue) \(print(filter.right))"
        case .by(let field): "by(\(print(field)))"
        case .select(let fields): "select(\(list(fields)))"
        case .coalesce: "coalesce()"
        }
    }

    private static func list(_ fields: [TraceQLField]) -> String {
        fields.map { print($0) }.joined(separator: ", ")
    }

    private static func print(_ spanset: TraceQLSpanset) -> String {
        switch spanset {
        case .filter(.literal(.boolean(true))): "{ }"
        case .filter(let field): "{ \(print(field)) }"
        case .operation(let operation, let left, let right):
            "\(operand(left)) \(operation.rawValue) \(operand(right))"
        case .pipeline(let stages): "(" + stages.map(print).joined(separator: " | ") + ")"
        }
    }

    private static func operand(_ spanset: TraceQLSpanset) -> String {
        if case .operation = spanset { return "(" + print(spanset) + ")" }
        return print(spanset)
    }

    /// A field as it is written; also what an answer calls it.
    package static func print(_ field: TraceQLField) -> String {
        switch field {
        case .literal(let literal): print(literal)
        case .attribute(let attribute): print(attribute)
        case .not(let inner): "!" + operand(inner)
        case .negated(let inner):
            // A literal behind a minus would be read as one negative literal.
            if case .literal = inner { "-(0 + " + print(inner) + ")" } else { "-" + operand(inner) }
        case .binary(let operation, let left, let right):
            "\(operand(left)) \(operation.rawValue) \(operand(right))"
        }
    }

    private static func operand(_ field: TraceQLField) -> String {
        switch field {
        case .binary, .negated: return "(" + print(field) + ")"
        case .literal(let literal):
            // A negative base of a power would be read as a power's negation.
            let text = print(literal)
            return text.utf8.first == UInt8(ascii: "-") ? "(" + text + ")" : text
        default: return print(field)
        }
    }

    static func print(_ attribute: TraceQLAttribute) -> String {
        switch attribute {
        case .intrinsic(let intrinsic): intrinsic.rawValue
        case .attribute(let scope, let name): scope.rawValue + "." + self.name(name)
        case .parent(.any, let name): "parent." + parentName(name)
        case .parent(let scope, let name): "parent." + scope.rawValue + "." + self.name(name)
        }
    }

    private static func parentName(_ name: String) -> String {
        let isScoped =
            name.utf8.starts(with: "span.".utf8)
            || name.utf8.starts(with: "resource.".utf8)
        return isScoped ? PromQLStringLiteral.quote(name) : self.name(name)
    }

    private static func name(_ name: String) -> String {
        let isPlain = name.utf8.allSatisfy { TraceQLLexer.isNameByte($0) && $0 < 0x80 }
        // A digit behind a bare point is a number.
        let startsAsNumber = name.utf8.first.map(PromQLLexer.isDigit) ?? true
        return isPlain && !startsAsNumber ? name : PromQLStringLiteral.quote(name)
    }

    static func print(_ literal: TraceQLLiteral) -> String {
        switch literal {
        case .null: return "nil"
        case .string(let text): return PromQLStringLiteral.quote(text)
        case .integer(let number): return number.description
        case .double(let number):
            let text = number.description
            return text == "-0.0" ? "-0.0" : text
        case .boolean(let flag): return flag ? "true" : "false"
        case .duration(let nanoseconds):
            return nanoseconds < 0
                ? "-" + LogQLUnits.text(nanoseconds: -nanoseconds)
                : LogQLUnits.text(nanoseconds: nanoseconds)
        case .status(let status): return status.rawValue
        case .kind(let kind): return kind.rawValue
        }
    }

    static func print(_ scalar: TraceQLScalar) -> String {
        switch scalar {
        case .literal(let literal): return print(literal)
        case .aggregate(let aggregate, let field):
            return aggregate.rawValue + "(" + (field.map { print($0) } ?? "") + ")"
        case .arithmetic(let operation, let left, let right):
            func operand(_ scalar: TraceQLScalar) -> String {
                if case .arithmetic = scalar { return "(" + print(scalar) + ")" }
                return print(scalar)
            }
            return "\(operand(left)) \(operation.rawValue) \(operand(right))"
        }
    }

    private static func print(_ metrics: TraceQLMetrics) -> String {
        var text: String
        switch metrics.function {
        case .rate: text = "rate()"
        case .countOverTime: text = "count_over_time()"
        case .minOverTime(let field): text = "min_over_time(\(print(field)))"
        case .maxOverTime(let field): text = "max_over_time(\(print(field)))"
        case .avgOverTime(let field): text = "avg_over_time(\(print(field)))"
        case .sumOverTime(let field): text = "sum_over_time(\(print(field)))"
        case .histogramOverTime(let field): text = "histogram_over_time(\(print(field)))"
        case .quantileOverTime(let field, let quantiles):
            let list = quantiles.map { ", \($0.description)" }.joined()
            text = "quantile_over_time(\(print(field))\(list))"
        case .compare(let field, let top, let from, let through):
            text = "compare(\(print(TraceQLSpanset.filter(field))), \(top)"
            if let from, let through { text += ", \(from), \(through)" }
            text += ")"
        }
        if !metrics.by.isEmpty { text += " by(\(list(metrics.by)))" }
        for selection in metrics.selections {
            switch selection {
            case .topk(let count): text += " | topk(\(count))"
            case .bottomk(let count): text += " | bottomk(\(count))"
            case .compare(let operation, let literal):
                text += " \(operation.rawValue) \(print(literal))"
            }
        }
        return text
    }
}
