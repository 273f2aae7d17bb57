package import WeirCore

/// One series of a range result; times in milliseconds, ascending.
package struct QuerySeries: Hashable, Sendable {
    package let labels: Labels
    package let times: [Int64]
    package let values: [Double]

    package init(labels: Labels, times: [Int64], values: [Double]) {
        self.labels = labels
        self.times = times
        self.values = values
    }
}

/// One element of an instant vector.
package struct QuerySample: Hashable, Sendable {
    package let labels: Labels
    package let value: Double

    package init(labels: Labels, value: Double) {
        self.labels = labels
        self.value = value
    }
}

/// The answer to a query.
///
/// Instant answers are as of `time`, milliseconds.
package enum QueryValue: Hashable, Sendable {
    case scalar(time: Int64, value: Double)
    case string(time: Int64, text: String)
    /// In order of labels, unless the expression says another order (`sort`, `topk`).
    case vector(time: Int64, samples: [QuerySample])
    /// In order of labels.
    case matrix([QuerySeries])
}
