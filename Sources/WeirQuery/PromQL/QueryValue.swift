package import WeirCore

/// One series of a range result; times in milliseconds, ascending.
package struct QuerySeries: Hashable, Sendable {
    package let labels: Labels
    package let times: [Int64]
    package let values: [Double]
    /// The points that are histograms, beside those that are numbers.
    package let histograms: [QueryHistogram]

    package init(
        labels: Labels,
        times: [Int64],
        values: [Double],
        histograms: [QueryHistogram] = []
    ) {
        self.labels = labels
        self.times = times
        self.values = values
        self.histograms = histograms
    }
}

/// A point of a range result that is a histogram.
package struct QueryHistogram: Hashable, Sendable {
    package let time: Int64
    package let histogram: FloatHistogram

    package init(time: Int64, histogram: FloatHistogram) {
        self.time = time
        self.histogram = histogram
    }
}

/// One element of an instant vector.
package struct QuerySample: Hashable, Sendable {
    package let labels: Labels
    /// Zero where there is a histogram.
    package let value: Double
    package let histogram: FloatHistogram?

    package init(labels: Labels, value: Double, histogram: FloatHistogram? = nil) {
        self.labels = labels
        self.value = value
        self.histogram = histogram
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
