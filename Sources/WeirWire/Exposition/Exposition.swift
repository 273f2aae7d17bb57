internal import WeirCore

/// The text formats in which Prometheus's kind of metrics are exposed.
package enum ExpositionFormat: Hashable, Sendable {
    /// Prometheus's text, version 0.0.4 or 1.0.0: times in milliseconds.
    case prometheus
    /// OpenMetrics 1.0: times in seconds, and a last line `# EOF`.
    case openMetrics
    /// What `promtool tsdb dump` prints: as `prometheus`, with strings as Go quotes them.
    case dump

    /// The format that a media type, with its parameters, names; `prometheus` for all but OpenMetrics.
    package init(contentType: String) {
        let type = contentType.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
        self = type == "application/openmetrics-text" ? .openMetrics : .prometheus
    }
}

/// How to read a text exposition.
package struct ExpositionOptions: Sendable {
    package var format: ExpositionFormat
    /// Limits, and what "future" is measured from.
    package var limits: MetricOptions
    /// The time of samples that have none.
    ///
    /// Nanoseconds since the Unix epoch.
    package var defaultTime: Int64
    /// Whether times in the text are looked at.
    package var honorsTimes = true
    /// Whether `le` of histograms and `quantile` of summaries are written as Prometheus 3 does when it
    /// scrapes: `1.0` for `1`.
    package var normalisesBounds = false
    /// Labels that every series gets, and that win over its own.
    package var extraLabels: [(name: String, value: String)] = []

    package init(format: ExpositionFormat, now: Int64) {
        self.format = format
        limits = MetricOptions(now: now)
        defaultTime = now
    }
}

/// What a text exposition held.
package struct ExpositionResult: Sendable {
    package var batches = MetricBatches()
    /// Whether each sample had a time of its own.
    package var hasOwnTime: [Bool] = []
    /// Whether `# EOF` was there; OpenMetrics without it was cut off.
    package var hasEnd = false
    /// Lines with a sample, refused ones among them.
    package var sampleLineCount = 0

    package init() {}
}

/// Why a line was refused.
enum ExpositionError: Error, Hashable, CustomStringConvertible {
    case noName
    case badName(String)
    case badLabelName(String)
    case unterminatedLabels
    case missingLabelValue(String)
    case unterminatedString
    case badEscape(String)
    case missingComma(String)
    case noValue
    case badValue(String)
    case nativeHistogram
    case badHistogram(String)
    case badTime(String)
    case badExemplar(String)
    case trailing(String)
    case badType(String)
    case afterEnd
    case series(SeriesError)

    var description: String {
        switch self {
        case .noName: "a metric's name is missing"
        case .badName(let text): "\"\(text)\" is no metric name; others are quoted, in braces"
        case .badLabelName(let text): "\"\(text)\" is no label name; others are quoted"
        case .unterminatedLabels: "labels without closing brace"
        case .missingLabelValue(let name): "label \"\(name)\" without a quoted value"
        case .unterminatedString: "string without closing quote"
        case .badEscape(let text): "\"\(text)\" is no escape"
        case .missingComma(let text): "comma or closing brace expected, not \"\(text)\""
        case .noValue: "missing value"
        case .badValue(let text): "\"\(text)\" is no number"
        case .nativeHistogram: "this text of a native histogram cannot be read back"
        case .badHistogram(let reason): "native histogram: \(reason)"
        case .badTime(let text): "\"\(text)\" is no timestamp"
        case .badExemplar(let text): "\"\(text)\" is no exemplar"
        case .trailing(let text): "unexpected \"\(text)\" at the end of the line"
        case .badType(let text): "\"\(text)\" is no type of metrics"
        case .afterEnd: "data after # EOF"
        case .series(let error): error.description
        }
    }
}
