/// What kind of telemetry a stream carries.
///
/// The name is also the folder it is kept in.
package enum Signal: UInt8, Hashable, Sendable, CaseIterable {
    case metrics = 1
    case logs = 2
    case traces = 3
    /// Samples with the trace that they were measured in; a stream is a series.
    case exemplars = 4
    /// Native histograms; a stream is a series, which may have plain samples too, under `metrics`.
    case histograms = 5
    /// What the metrics of days past come to in windows of 5 minutes; derived.
    case rollups5m = 6
    /// The same in windows of an hour.
    case rollups1h = 7

    package var name: String {
        switch self {
        case .metrics: "metrics"
        case .logs: "logs"
        case .traces: "traces"
        case .exemplars: "exemplars"
        case .histograms: "histograms"
        case .rollups5m: "rollups5m"
        case .rollups1h: "rollups1h"
        }
    }

    /// The signal whose folder is called `name`, or nil.
    package init?(name: String) {
        guard let signal = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = signal
    }

    package var schema: StreamSchema {
        switch self {
        case .metrics: .metrics
        case .logs: .logs
        case .traces: .spans
        case .exemplars: .exemplars
        case .histograms: .histograms
        case .rollups5m, .rollups1h: .rollups
        }
    }

    /// The resolution, of a signal that is a rollup of metrics.
    package var resolution: RollupResolution? {
        switch self {
        case .rollups5m: .fiveMinutes
        case .rollups1h: .oneHour
        case .metrics, .logs, .traces, .exemplars, .histograms: nil
        }
    }
}

/// What one column holds.
package enum ColumnKind: UInt8, Hashable, Sendable {
    /// IEEE 754 doubles, kept bit for bit.
    case float64 = 1
    case int64 = 2
    /// Byte strings of any length.
    case bytes = 3
}

/// A column's name and kind.
package struct ColumnSpec: Hashable, Sendable {
    package let name: String
    package let kind: ColumnKind

    package init(name: String, kind: ColumnKind) {
        self.name = name
        self.kind = kind
    }
}

/// What a row of a signal is made of, besides its stream and its time.
package struct StreamSchema: Hashable, Sendable {
    package let columns: [ColumnSpec]
    /// Whether two rows of one stream with the same time are one row, of which the later written is
    /// kept.
    ///
    /// Samples are so; log lines are not.
    package let keepsLastOfEqualTimes: Bool
    /// Whether rows have fields of any name, besides the columns.
    package let hasFields: Bool
    /// Whether the rows of a block lie trace by trace, instead of by stream and time.
    package let isOrderedByTrace: Bool

    package init(
        columns: [ColumnSpec],
        keepsLastOfEqualTimes: Bool,
        hasFields: Bool = false,
        isOrderedByTrace: Bool = false
    ) {
        self.columns = columns
        self.keepsLastOfEqualTimes = keepsLastOfEqualTimes
        self.hasFields = hasFields
        self.isOrderedByTrace = isOrderedByTrace
    }

    /// One `value` per sample; the last write of a time wins.
    package static let metrics = StreamSchema(
        columns: [ColumnSpec(name: "value", kind: .float64)],
        keepsLastOfEqualTimes: true
    )

    /// A line is its fields, one of which is the body; two lines of one time are two lines.
    package static let logs = StreamSchema(
        columns: [],
        keepsLastOfEqualTimes: false,
        hasFields: true
    )

    /// A span is its fields (`SpanField`, docs/spans.md), its time when it started.
    package static let spans = StreamSchema(
        columns: [],
        keepsLastOfEqualTimes: false,
        hasFields: true,
        isOrderedByTrace: true
    )

    /// An exemplar is its fields (`ExemplarField`), its stream the series it belongs to.
    package static let exemplars = StreamSchema(
        columns: [],
        keepsLastOfEqualTimes: false,
        hasFields: true
    )

    /// A row is one `NativeHistogram`; the last write of a time wins.
    package static let histograms = StreamSchema(
        columns: [
            ColumnSpec(name: "count", kind: .float64),
            ColumnSpec(name: "sum", kind: .float64),
            ColumnSpec(name: "zero", kind: .float64),
            ColumnSpec(name: "layout", kind: .bytes),
            ColumnSpec(name: "buckets", kind: .bytes),
        ],
        keepsLastOfEqualTimes: true
    )

    /// A row is what the samples of a window come to (`RollupColumn`); its time is the last one's.
    package static let rollups = StreamSchema(
        columns: RollupColumn.allCases.map { column in
            switch column {
            case .count, .span, .resets, .changes, .exactness:
                ColumnSpec(name: "\(column)", kind: .int64)
            case .sum, .residue, .min, .max, .first, .last, .drops:
                ColumnSpec(name: "\(column)", kind: .float64)
            }
        },
        keepsLastOfEqualTimes: true
    )
}
