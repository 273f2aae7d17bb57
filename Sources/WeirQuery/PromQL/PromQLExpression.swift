package import WeirPattern

/// What an expression yields.
package enum PromQLType: String, Hashable, Sendable {
    case scalar
    case vector = "instant vector"
    case matrix = "range vector"
    case string

    /// The API's word for it.
    package var apiName: String {
        switch self {
        case .scalar: "scalar"
        case .vector: "vector"
        case .matrix: "matrix"
        case .string: "string"
        }
    }
}

/// A parsed and type-checked PromQL expression.
///
/// Parentheses are kept, so that printing it gives back what was meant with nothing added.
package indirect enum PromQLExpression: Hashable, Sendable {
    case number(PromQLNumber)
    case string(String)
    case selector(PromQLSelector)
    case range(PromQLRange)
    case subquery(PromQLSubquery)
    case parenthesized(PromQLExpression)
    case negated(PromQLExpression)
    /// Unary plus: the operand unchanged.
    case affirmed(PromQLExpression)
    case binary(PromQLBinary)
    case aggregation(PromQLAggregation)
    case call(PromQLCall)

    /// The type of the result.
    ///
    /// O(depth) through parentheses and signs.
    package var type: PromQLType {
        switch self {
        case .number: .scalar
        case .string: .string
        case .selector, .aggregation: .vector
        case .range, .subquery: .matrix
        case .parenthesized(let inner), .negated(let inner), .affirmed(let inner): inner.type
        case .binary(let binary): binary.type
        case .call(let call): call.function.signature.result
        }
    }

    /// Without the parentheses around it.
    package var unwrapped: PromQLExpression {
        var inner = self
        while case .parenthesized(let next) = inner { inner = next }
        return inner
    }
}

/// The time a selector or subquery is fixed to, instead of the evaluation's.
package enum PromQLAnchor: Hashable, Sendable {
    case milliseconds(Int64)
    case start
    case end
}

/// `offset` and `@`.
package struct PromQLTimeShift: Hashable, Sendable {
    package var anchor: PromQLAnchor?
    /// Positive looks back; zero is none.
    package var offsetMilliseconds: Int64 = 0
    package init() {}
}

/// `name{matchers} @ anchor offset duration`.
package struct PromQLSelector: Hashable, Sendable {
    /// The metric name, if written as an equality; also among `matchers`.
    package var name: String?
    /// All conditions, the one on the name last.
    package var matchers: [LabelMatcher]
    package var shift = PromQLTimeShift()
}

/// `selector[duration]`.
package struct PromQLRange: Hashable, Sendable {
    package var selector: PromQLSelector
    package var rangeMilliseconds: Int64
}

/// `expression[duration:step]`.
package struct PromQLSubquery: Hashable, Sendable {
    package var expression: PromQLExpression
    package var rangeMilliseconds: Int64
    /// Nil: the server's default.
    package var stepMilliseconds: Int64?
    package var shift = PromQLTimeShift()
}

/// `left operation right`.
package struct PromQLBinary: Hashable, Sendable {
    package var operation: BinaryOperator
    package var left: PromQLExpression
    package var right: PromQLExpression
    package var returnsBool = false
    /// Nil unless both sides are vectors.
    package var matching: VectorMatching?
    package var type: PromQLType
}

/// `operation by (labels) (parameter, expression)`.
package struct PromQLAggregation: Hashable, Sendable {
    package var operation: AggregationOperator
    package var grouping: Grouping
    package var parameter: PromQLExpression?
    package var expression: PromQLExpression
}

/// `function(arguments)`.
package struct PromQLCall: Hashable, Sendable {
    package var function: PromQLFunction
    package var arguments: [PromQLExpression]
}
