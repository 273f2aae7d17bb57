/// A TraceQL query: stages over sets of spans, and perhaps a metric made of what is left.
package struct TraceQLQuery: Hashable, Sendable {
    package let stages: [TraceQLStage]
    package let metrics: TraceQLMetrics?
    /// `with(name=value)`: taken, and without effect.
    package let hints: [TraceQLHint]

    package init(
        stages: [TraceQLStage],
        metrics: TraceQLMetrics? = nil,
        hints: [TraceQLHint] = []
    ) {
        self.stages = stages
        self.metrics = metrics
        self.hints = hints
    }
}

/// One hint of `with(…)`.
package struct TraceQLHint: Hashable, Sendable {
    package let name: String
    package let value: TraceQLLiteral
}

/// One stage between pipes: sets of spans in, sets of spans out.
package enum TraceQLStage: Hashable, Sendable {
    case spanset(TraceQLSpanset)
    case scalar(TraceQLScalarFilter)
    case by(TraceQLField)
    case select([TraceQLField])
    case coalesce
}

/// An expression whose value is a set of spans of one trace.
package indirect enum TraceQLSpanset: Hashable, Sendable {
    /// `{ … }`; `{}` is a filter by `true`.
    case filter(TraceQLField)
    case operation(TraceQLSpansetOperator, TraceQLSpanset, TraceQLSpanset)
    /// `( … | … )` as an operand.
    case pipeline([TraceQLStage])
}

/// What stands between two sets of spans.
package enum TraceQLSpansetOperator: String, Hashable, Sendable, CaseIterable {
    case and = "&&"
    case or = "||"
    case child = ">"
    case parent = "<"
    case descendant = ">>"
    case ancestor = "<<"
    case sibling = "~"
    case notChild = "!>"
    case notParent = "!<"
    case notDescendant = "!>>"
    case notAncestor = "!<<"
    case notSibling = "!~"
    case unionChild = "&>"
    case unionParent = "&<"
    case unionDescendant = "&>>"
    case unionAncestor = "&<<"
    case unionSibling = "&~"

    /// The relation without its negation or union; nil for `&&` and `||`.
    var relation: TraceQLSpansetOperator? {
        switch self {
        case .and, .or: nil
        case .child, .notChild, .unionChild: .child
        case .parent, .notParent, .unionParent: .parent
        case .descendant, .notDescendant, .unionDescendant: .descendant
        case .ancestor, .notAncestor, .unionAncestor: .ancestor
        case .sibling, .notSibling, .unionSibling: .sibling
        }
    }

    var isNegated: Bool { rawValue.utf8.first == UInt8(ascii: "!") }
    var isUnion: Bool { self != .and && rawValue.utf8.first == UInt8(ascii: "&") }
}

/// An expression over one span.
package indirect enum TraceQLField: Hashable, Sendable {
    case literal(TraceQLLiteral)
    case attribute(TraceQLAttribute)
    case not(TraceQLField)
    case negated(TraceQLField)
    case binary(TraceQLOperator, TraceQLField, TraceQLField)
}

/// What stands between two values of a span.
package enum TraceQLOperator: String, Hashable, Sendable, CaseIterable {
    case and = "&&"
    case or = "||"
    case equal = "="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case matches = "=~"
    case notMatches = "!~"
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case modulo = "%"
    case power = "^"

    /// How tightly it binds; as in Tempo `&&` and `||` bind alike.
    var precedence: Int {
        switch self {
        case .and, .or: 1
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .matches,
            .notMatches:
            2
        case .add, .subtract: 3
        case .multiply, .divide, .modulo: 4
        case .power: 6
        }
    }

    var isArithmetic: Bool { precedence >= 3 }
    var isComparison: Bool { precedence == 2 }
    var isPattern: Bool { self == .matches || self == .notMatches }

    /// The comparison with its sides exchanged.
    var flipped: TraceQLOperator {
        switch self {
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        default: self
        }
    }

    /// Whether the comparison holds between numbers.
    @inline(__always)
    func holds(_ left: Double, _ right: Double) -> Bool {
        switch self {
        case .equal: left == right
        case .notEqual: left != right
        case .less: left < right
        case .lessOrEqual: left <= right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        default: false
        }
    }
}

/// A value written in a query.
package enum TraceQLLiteral: Hashable, Sendable {
    case null
    case string(String)
    case integer(Int64)
    /// Never NaN.
    case double(Double)
    case boolean(Bool)
    /// Nanoseconds.
    case duration(Int64)
    case status(TraceQLStatus)
    case kind(TraceQLKind)

    /// The number it is; nanoseconds for a duration.
    var number: Double? {
        switch self {
        case .integer(let value), .duration(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }
}

/// A span's status; the raw value is what a query writes.
package enum TraceQLStatus: String, Hashable, Sendable, CaseIterable {
    case unset
    case ok
    case error
}

/// A span's kind; the raw value is what a query writes.
package enum TraceQLKind: String, Hashable, Sendable, CaseIterable {
    case unspecified
    case `internal`
    case server
    case client
    case producer
    case consumer
}

/// What is asked of a span: an attribute of some scope or an intrinsic.
package enum TraceQLAttribute: Hashable, Sendable {
    package enum Scope: String, Hashable, Sendable, CaseIterable {
        /// `.name`: the span's, or else the resource's.
        case any = ""
        case span
        case resource
        case instrumentation
        case event
        case link
    }

    case attribute(Scope, String)
    /// Of the parent span; the scope is `any`, `span` or `resource`.
    case parent(Scope, String)
    case intrinsic(TraceQLIntrinsic)
}

/// A comparison of numbers made of whole sets of spans.
package struct TraceQLScalarFilter: Hashable, Sendable {
    package let left: TraceQLScalar
    package let operation: TraceQLOperator
    package let right: TraceQLScalar
}

/// A number made of a set of spans.
package indirect enum TraceQLScalar: Hashable, Sendable {
    case literal(TraceQLLiteral)
    case aggregate(TraceQLAggregate, TraceQLField?)
    case arithmetic(TraceQLOperator, TraceQLScalar, TraceQLScalar)
}

package enum TraceQLAggregate: String, Hashable, Sendable, CaseIterable {
    case count
    case avg
    case max
    case min
    case sum
}

/// What turns spans into series.
package struct TraceQLMetrics: Hashable, Sendable {
    package enum Function: Hashable, Sendable {
        case rate
        case countOverTime
        case minOverTime(TraceQLField)
        case maxOverTime(TraceQLField)
        case avgOverTime(TraceQLField)
        case sumOverTime(TraceQLField)
        case quantileOverTime(TraceQLField, [Double])
        case histogramOverTime(TraceQLField)
        /// The spans that are compared with all others; values an attribute at most; perhaps only
        /// spans between two times, nanoseconds.
        case compare(TraceQLField, top: Int, from: Int64?, through: Int64?)
    }

    /// What is done with whole series.
    package enum Selection: Hashable, Sendable {
        case topk(Int)
        case bottomk(Int)
        case compare(TraceQLOperator, TraceQLLiteral)
    }

    package let function: Function
    package let by: [TraceQLField]
    package let selections: [Selection]

    package init(function: Function, by: [TraceQLField] = [], selections: [Selection] = []) {
        self.function = function
        self.by = by
        self.selections = selections
    }
}
