internal import WeirColumns
internal import WeirPattern

/// An expression over one span, made ready: names resolved and patterns compiled.
indirect enum SpanExpression: Sendable {
    case constant(TraceQLValue)
    case source(SpanSource)
    case not(SpanExpression)
    case negated(SpanExpression)
    case binary(TraceQLOperator, SpanExpression, SpanExpression)
    case matches(SpanExpression, TextTest)

    init(_ field: TraceQLField, _ tests: LogTests) throws(QueryError) {
        switch field {
        case .literal(let literal): self = .constant(TraceQLValue(literal))
        case .attribute(let attribute): self = .source(SpanSource(attribute))
        case .not(let inner): self = .not(try SpanExpression(inner, tests))
        case .negated(let inner): self = .negated(try SpanExpression(inner, tests))
        case .binary(let operation, let left, .literal(.string(let text)))
        where operation.isPattern:
            self = .matches(
                try SpanExpression(left, tests),
                try Self.test(operation, text, tests)
            )
        case .binary(let operation, let left, let right):
            self = .binary(
                operation,
                try SpanExpression(left, tests),
                try SpanExpression(right, tests)
            )
        }
    }

    /// A comparison of a text with a literal as a test of the text.
    static func test(
        _ operation: TraceQLOperator,
        _ text: String,
        _ tests: LogTests
    ) throws(QueryError) -> TextTest {
        let bytes = Array(text.utf8)
        switch operation {
        case .equal: return .equals(bytes)
        case .notEqual: return .equals(bytes, isNegated: true)
        case .matches, .notMatches:
            return try tests.test(
                LabelMatcher(
                    name: "",
                    operation: operation == .matches ? .matches : .notMatches,
                    value: text
                )
            )
        default:
            let literal = TraceQLValue.text(bytes)
            return TextTest { span in
                var copy: [UInt8] = []
                copy.reserveCapacity(span.count)
                for index in 0..<span.count { copy.append(span[index]) }
                return TraceQLValue.compare(operation, .text(copy), literal)
            }
        }
    }

    func value(_ view: SpanView, row: Int) throws(QueryError) -> TraceQLValue {
        switch self {
        case .constant(let value): return value
        case .source(let source): return try view.value(source, row: row)
        case .not(let inner): return .boolean(try !holds(inner, view, row))
        case .negated(let inner):
            if case .number(let number) = try inner.value(view, row: row) {
                return .number(-number)
            }
            return .missing
        case .matches(let inner, let test):
            return .boolean(Self.matches(try inner.value(view, row: row), test))
        case .binary(.and, let left, let right):
            guard try holds(left, view, row) else { return .boolean(false) }
            return .boolean(try holds(right, view, row))
        case .binary(.or, let left, let right):
            if try holds(left, view, row) { return .boolean(true) }
            return .boolean(try holds(right, view, row))
        case .binary(let operation, let left, let right):
            let (a, b) = (try left.value(view, row: row), try right.value(view, row: row))
            if operation.isArithmetic { return TraceQLValue.arithmetic(operation, a, b) }
            if left.isNull || right.isNull {
                let other = left.isNull ? b : a
                let isMissing = other == .missing || other == .list([])
                return .boolean(isMissing == (operation == .equal))
            }
            return .boolean(TraceQLValue.compare(operation, a, b))
        }
    }

    private var isNull: Bool {
        if case .constant(.missing) = self { return true }
        return false
    }

    private func holds(
        _ expression: SpanExpression,
        _ view: SpanView,
        _ row: Int
    ) throws(QueryError) -> Bool {
        try expression.value(view, row: row) == .boolean(true)
    }

    private static func matches(_ value: TraceQLValue, _ test: TextTest) -> Bool {
        switch value {
        case .text(let text): test.passes(text.span)
        case .list(let values): values.contains { matches($0, test) }
        default: false
        }
    }
}
