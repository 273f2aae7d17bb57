internal import WeirCore

/// The ways many series become fewer.
package enum AggregationOperator: String, Hashable, Sendable, CaseIterable {
    case sum
    case avg
    case min
    case max
    case count
    case group
    case stddev
    case stdvar
    case topk
    case bottomk
    case quantile
    case countValues = "count_values"
    case limitk
    case limitRatio = "limit_ratio"

    /// Takes a parameter before the vector.
    package var hasParameter: Bool {
        switch self {
        case .topk, .bottomk, .quantile, .countValues, .limitk, .limitRatio: true
        default: false
        }
    }

    /// Chooses among series instead of making new ones.
    package var keepsSeries: Bool {
        switch self {
        case .topk, .bottomk, .limitk, .limitRatio: true
        default: false
        }
    }
}

/// By which labels series fall into groups.
package struct Grouping: Hashable, Sendable {
    /// Group by all labels but `labels`, instead of by them.
    package var isWithout: Bool
    package var labels: [String]

    package init(isWithout: Bool = false, labels: [String] = []) {
        self.isWithout = isWithout
        self.labels = labels
    }

    /// The same groups of series whose metric names are dropped.
    package var ignoringMetricName: Grouping {
        // `without` does so anyway.
        guard !isWithout else { return self }
        return Grouping(labels: labels.filter { $0 != Labels.metricNameLabel })
    }
}
