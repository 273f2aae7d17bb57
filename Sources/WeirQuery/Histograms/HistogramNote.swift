/// What the asker should know of histograms that a query met, in Prometheus's words.
package enum HistogramNote: Hashable, Sendable {
    case mixedWithFloats(metric: String)
    case mixedWithFloatsInAggregation
    case mixedWithClassic(metric: String)
    case notCounter(metric: String)
    case notGauge(metric: String)
    case mixedSchemas(metric: String)
    case mixedBounds(metric: String)
    case incompatibleLayout(operation: String)
    case incompatibleTypes(left: String, operation: String, right: String)
    case ignoredInAggregation(String)
    case ignoredInRange(metric: String)
    case quantileOfNaN
    case quantileSkewedByNaN
    case fractionWithoutNaN

    package var isWarning: Bool {
        switch self {
        case .incompatibleTypes, .ignoredInAggregation, .ignoredInRange, .quantileOfNaN,
            .quantileSkewedByNaN, .fractionWithoutNaN:
            false
        default: true
        }
    }

    package var text: String {
        let name = isWarning ? "PromQL warning" : "PromQL info"
        return "\(name): \(detail)"
    }

    private var detail: String {
        switch self {
        case .mixedWithFloats(let metric):
            "encountered a mix of histograms and floats for metric name \(Self.quoted(metric))"
        case .mixedWithFloatsInAggregation:
            "encountered a mix of histograms and floats for aggregation"
        case .mixedWithClassic(let metric):
            "vector contains a mix of classic and native histograms for metric name "
                + Self.quoted(metric)
        case .notCounter(let metric):
            "this native histogram metric is not a counter: \(Self.quoted(metric))"
        case .notGauge(let metric):
            "this native histogram metric is not a gauge: \(Self.quoted(metric))"
        case .mixedSchemas(let metric):
            "vector contains a mix of histograms with exponential and custom buckets schemas for "
                + "metric name \(Self.quoted(metric))"
        case .mixedBounds(let metric):
            "vector contains histograms with incompatible custom buckets for metric name "
                + Self.quoted(metric)
        case .incompatibleLayout(let operation):
            "incompatible bucket layout encountered for binary operator \(operation)"
        case .incompatibleTypes(let left, let operation, let right):
            "incompatible sample types encountered for binary operator "
                + "\(Self.quoted(operation)): \(left) \(operation) \(right)"
        case .ignoredInAggregation(let operation):
            "ignored histogram in \(operation) aggregation"
        case .ignoredInRange(let metric):
            "ignored histograms in a range containing both floats and histograms for metric name "
                + Self.quoted(metric)
        // The name is gone by then.
        case .quantileOfNaN:
            "input to histogram_quantile has NaN observations, result is NaN for metric name \"\""
        case .quantileSkewedByNaN:
            "input to histogram_quantile has NaN observations, result is skewed higher for metric "
                + "name \"\""
        case .fractionWithoutNaN:
            "input to histogram_fraction has NaN observations, which are excluded from all "
                + "fractions for metric name \"\""
        }
    }

    private static func quoted(_ text: String) -> String { PromQLStringLiteral.quote(text) }

    init(_ mismatch: HistogramMismatch, metric: String) {
        switch mismatch {
        case .schemas: self = .mixedSchemas(metric: metric)
        case .bounds: self = .mixedBounds(metric: metric)
        }
    }
}

extension QueryContext {
    /// Tells the asker once, with the place of the part of the query that it is about.
    func note(_ note: HistogramNote, at place: PromQLPlace) {
        self.note(note.isWarning ? .warning : .info, note.text, at: place)
    }
}
