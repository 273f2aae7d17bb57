internal import WeirCore
internal import WeirPattern

/// Writes an expression as the JSON tree that `/api/v1/parse_query` answers.
struct PromQLTree {
    private var writer = JSONWriter()

    static func bytes(of expression: PromQLExpression) -> [UInt8] {
        var tree = Self()
        tree.write(expression)
        return tree.writer.bytes
    }

    private mutating func write(_ expression: PromQLExpression) {
        writer.beginObject()
        switch expression {
        case .number(let number):
            writer.member("type", "numberLiteral")
            writer.member("val", NumberText.plain(number.value))
        case .string(let text):
            writer.member("type", "stringLiteral")
            writer.member("val", text)
        case .selector(let selector):
            write(selector)
            write(selector.shift, type: "vectorSelector")
        case .range(let range):
            write(range.selector)
            write(range.selector.shift, type: "matrixSelector", range: range.rangeMilliseconds)
        case .subquery(let subquery):
            member("expr", subquery.expression)
            write(
                subquery.shift,
                type: "subquery",
                range: subquery.rangeMilliseconds,
                step: subquery.stepMilliseconds ?? 0
            )
        case .parenthesized(let inner):
            member("expr", inner)
            writer.member("type", "parenExpr")
        case .negated(let inner): write("-", inner)
        case .affirmed(let inner): write("+", inner)
        case .binary(let binary): write(binary)
        case .aggregation(let aggregation): write(aggregation)
        case .call(let call): write(call)
        }
        writer.endObject()
    }

    private mutating func member(_ name: String, _ expression: PromQLExpression) {
        writer.key(name)
        write(expression)
    }

    private mutating func member(_ name: String, _ texts: [String]) {
        writer.key(name)
        writer.beginArray()
        for text in texts { writer.value(text) }
        writer.endArray()
    }

    private mutating func write(_ sign: String, _ inner: PromQLExpression) {
        member("expr", inner)
        writer.member("op", sign)
        writer.member("type", "unaryExpr")
    }

    private mutating func write(_ selector: PromQLSelector) {
        writer.key("matchers")
        writer.beginArray()
        for matcher in selector.matchers {
            writer.beginObject()
            writer.member("name", matcher.name)
            writer.member("type", matcher.operation.rawValue)
            writer.member("value", matcher.value)
            writer.endObject()
        }
        writer.endArray()
        writer.member("name", selector.name ?? "")
    }

    private mutating func write(
        _ shift: PromQLTimeShift,
        type: String,
        range: Int64? = nil,
        step: Int64? = nil
    ) {
        writer.key("offset")
        writer.value(shift.offsetMilliseconds)
        if let range {
            writer.key("range")
            writer.value(range)
        }
        writer.key("startOrEnd")
        switch shift.anchor {
        case .start: writer.value("start")
        case .end: writer.value("end")
        default: writer.null()
        }
        if let step {
            writer.key("step")
            writer.value(step)
        }
        writer.key("timestamp")
        if case .milliseconds(let time) = shift.anchor { writer.value(time) } else { writer.null() }
        writer.member("type", type)
    }

    private mutating func write(_ binary: PromQLBinary) {
        writer.member("bool", binary.returnsBool)
        member("lhs", binary.left)
        writer.key("matching")
        if let matching = binary.matching {
            writer.beginObject()
            let cardinality =
                switch matching.cardinality {
                case .oneToOne: "one-to-one"
                case .manyToOne: "many-to-one"
                case .oneToMany: "one-to-many"
                case .manyToMany: "many-to-many"
                }
            writer.member("card", cardinality)
            member("include", matching.included)
            member("labels", matching.labels)
            writer.member("on", matching.isOn)
            writer.endObject()
        } else {
            writer.null()
        }
        writer.member("op", binary.operation.rawValue)
        member("rhs", binary.right)
        writer.member("type", "binaryExpr")
    }

    private mutating func write(_ aggregation: PromQLAggregation) {
        member("expr", aggregation.expression)
        member("grouping", aggregation.grouping.labels)
        writer.member("op", aggregation.operation.rawValue)
        writer.key("param")
        if let parameter = aggregation.parameter { write(parameter) } else { writer.null() }
        writer.member("type", "aggregation")
        writer.member("without", aggregation.grouping.isWithout)
    }

    private mutating func write(_ call: PromQLCall) {
        writer.key("args")
        writer.beginArray()
        for argument in call.arguments { write(argument) }
        writer.endArray()
        let signature = call.function.signature
        writer.key("func")
        writer.beginObject()
        member("argTypes", signature.arguments.map(\.apiName))
        writer.member("name", call.function.rawValue)
        writer.member("returnType", signature.result.apiName)
        let optional = signature.arguments.count - signature.countMin
        let isOpen = signature.countMax > signature.arguments.count
        writer.member("variadic", isOpen ? -1 : optional)
        writer.endObject()
        writer.member("type", "call")
    }
}
