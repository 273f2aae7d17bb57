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

    /// Whether the value is the same at all steps of a query.
    var isStepInvariant: Bool {
        switch self {
        case .number, .string: true
        case .selector(let selector): selector.shift.anchor != nil
        case .range(let range): range.selector.shift.anchor != nil
        case .subquery(let subquery): subquery.shift.anchor != nil
        case .parenthesized(let inner), .negated(let inner), .affirmed(let inner):
            inner.isStepInvariant
        case .binary(let binary): binary.left.isStepInvariant && binary.right.isStepInvariant
        case .aggregation(let aggregation): aggregation.expression.isStepInvariant
        case .call(let call):
            !call.function.looksAtTime && call.arguments.allSatisfy(\.isStepInvariant)
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
    /// The metric name, if it stands before the braces; also among `matchers`.
    package var name: String?
    /// All conditions as written, the one on a name before the braces last.
    package var matchers: [LabelMatcher]
    package var shift = PromQLTimeShift()
    /// Whether of histograms more is needed than counts and sums; no part of what it says.
    package var needsBuckets = true

    /// The order of conditions is no part of what they say.
    package static func == (left: Self, right: Self) -> Bool {
        left.name == right.name && left.shift == right.shift
            && left.matchers.count == right.matchers.count
            && Set(left.matchers) == Set(right.matchers)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(shift)
        hasher.combine(Set(matchers))
    }
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
    /// Where the left operand begins.
    package var place = PromQLPlace()
}

/// `operation by (labels) (parameter, expression)`.
package struct PromQLAggregation: Hashable, Sendable {
    package var operation: AggregationOperator
    package var grouping: Grouping
    package var parameter: PromQLExpression?
    package var expression: PromQLExpression
    /// Where the parameter was written.
    package var parameterPlace = PromQLPlace()
    /// Where messages about what is aggregated point to.
    package var notePlace = PromQLPlace()
}

/// `function(arguments)`.
package struct PromQLCall: Hashable, Sendable {
    package var function: PromQLFunction
    package var arguments: [PromQLExpression]
    /// Where each argument was written.
    package var argumentPlaces: [PromQLPlace]
}

/// Where something was written in the text: line and column, both from 1.
///
/// Any place equals any other: where a thing stands is no part of what it says.
package struct PromQLPlace: Hashable, Sendable {
    package var line = 1
    package var column = 1

    package static func == (left: Self, right: Self) -> Bool { true }
    package func hash(into hasher: inout Hasher) {}
}
