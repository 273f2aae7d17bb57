package import WeirPattern

/// What an expression yields.
package enum LogQLType: String, Hashable, Sendable {
    case logs
    case vector
    case scalar
}

/// A parsed LogQL expression.
///
/// Parentheses are kept, so that printing it gives back what was meant with nothing added.
package indirect enum LogQLExpression: Hashable, Sendable {
    case logs(LogQLQuery)
    case number(PromQLNumber)
    /// `vector(n)`.
    case vector(PromQLNumber)
    case range(LogQLRangeAggregation)
    case aggregation(LogQLAggregation)
    case sorted(LogQLExpression, isDescending: Bool)
    case labelReplace(LogQLLabelReplace)
    case binary(LogQLBinary)
    case parenthesized(LogQLExpression)

    /// O(depth) through parentheses.
    package var type: LogQLType {
        switch self {
        case .logs: .logs
        case .number: .scalar
        case .vector, .range, .aggregation, .sorted, .labelReplace: .vector
        case .binary(let binary): binary.type
        case .parenthesized(let inner): inner.type
        }
    }

    /// Without the parentheses around it.
    package var unwrapped: LogQLExpression {
        var inner = self
        while case .parenthesized(let next) = inner { inner = next }
        return inner
    }
}

/// `{selector} stages…`.
package struct LogQLQuery: Hashable, Sendable {
    package var matchers: [LabelMatcher]
    package var stages: [LogQLStage]

    package init(matchers: [LabelMatcher] = [], stages: [LogQLStage] = []) {
        self.matchers = matchers
        self.stages = stages
    }
}

/// `operation(parameter, query [range] offset …) by (…)`.
package struct LogQLRangeAggregation: Hashable, Sendable {
    package var operation: LogQLRangeOperation
    /// Of `quantile_over_time`.
    package var parameter: PromQLNumber?
    package var query: LogQLQuery
    package var unwrap: LogQLUnwrap?
    package var rangeNanoseconds: Int64
    /// Positive looks back.
    package var offsetNanoseconds: Int64 = 0
    package var grouping: Grouping?
}

/// The range aggregations.
package enum LogQLRangeOperation: String, Hashable, Sendable, CaseIterable {
    case rate
    case count = "count_over_time"
    case bytesRate = "bytes_rate"
    case bytes = "bytes_over_time"
    case absent = "absent_over_time"
    case sum = "sum_over_time"
    case avg = "avg_over_time"
    case min = "min_over_time"
    case max = "max_over_time"
    case stddev = "stddev_over_time"
    case stdvar = "stdvar_over_time"
    case quantile = "quantile_over_time"
    case first = "first_over_time"
    case last = "last_over_time"
    case rateCounter = "rate_counter"

    /// Whether it must, may or must not have `unwrap`; nil: may.
    var needsUnwrap: Bool? {
        switch self {
        case .rate, .absent: nil
        case .count, .bytes, .bytesRate: false
        default: true
        }
    }
}

/// `| unwrap conversion(label) | filters…`.
package struct LogQLUnwrap: Hashable, Sendable {
    package enum Conversion: String, Hashable, Sendable {
        case none = ""
        case duration
        case durationSeconds = "duration_seconds"
        case bytes
    }

    package var label: String
    package var conversion: Conversion
    package var filters: [LogQLLabelFilter]
}

/// `operation by (labels) (parameter, expression)`.
package struct LogQLAggregation: Hashable, Sendable {
    package var operation: AggregationOperator
    package var grouping: Grouping
    /// Of `topk` and `bottomk`.
    package var parameter: PromQLNumber?
    package var expression: LogQLExpression
}

/// `label_replace(expression, target, replacement, source, pattern)`.
package struct LogQLLabelReplace: Hashable, Sendable {
    package var expression: LogQLExpression
    package var target: String
    package var replacement: String
    package var source: String
    package var pattern: String
}

/// `left operation right`.
package struct LogQLBinary: Hashable, Sendable {
    package var operation: BinaryOperator
    package var left: LogQLExpression
    package var right: LogQLExpression
    package var returnsBool = false
    /// Nil unless both sides are vectors.
    package var matching: VectorMatching?
    package var type: LogQLType
}
