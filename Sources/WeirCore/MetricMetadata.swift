/// What a metric counts or measures, as those who send it say.
package enum MetricType: String, Hashable, Sendable, CaseIterable {
    case counter
    case gauge
    case histogram
    case gaugehistogram
    case summary
    case info
    case stateset
    case unknown
}

/// Type, unit and help of a metric.
package struct MetricMetadata: Hashable, Sendable {
    package var type: MetricType
    /// As it ends the metric's name, such as `seconds`; empty when not told.
    package var unit: String
    package var help: String

    package init(type: MetricType, unit: String = "", help: String = "") {
        self.type = type
        self.unit = unit
        self.help = help
    }
}

/// The metadata of a family: of all metrics whose names begin with its name, and end with nothing or
/// with a suffix that its type has.
package struct FamilyMetadata: Hashable, Sendable {
    package var name: String
    package var metadata: MetricMetadata

    package init(name: String, _ metadata: MetricMetadata) {
        self.name = name
        self.metadata = metadata
    }

    /// The family of a series' name under a type: without `_bucket`, `_sum` and `_count` where the type
    /// has them.
    package static func name(ofSeries name: String, type: MetricType) -> String {
        let suffixes: [String] =
            switch type {
            case .histogram: ["_bucket", "_count", "_sum"]
            case .gaugehistogram: ["_bucket", "_gcount", "_gsum"]
            case .summary: ["_count", "_sum"]
            default: []
            }
        guard
            let suffix = suffixes.first(where: {
                name.utf8.count > $0.utf8.count && name.hasSuffix($0)
            })
        else { return name }
        return String(name.dropLast(suffix.count))
    }
}
