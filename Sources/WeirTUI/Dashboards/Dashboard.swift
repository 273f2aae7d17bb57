package import WeirTerminal

/// A dashboard as its file says it.
///
/// Format: docs/dashboards.md.
package struct Dashboard: Hashable, Sendable {
    /// The file's name without its folder and extension.
    package var name: String
    package var title: String
    package var description: String
    package var rangeMilliseconds: Int64
    package var refreshMilliseconds: Int64
    /// How often its sources report.
    package var intervalMilliseconds: Int64
    package var variables: [DashboardVariable]
    package var rows: [DashboardRow]

    /// All panels in reading order.
    package var panels: [Panel] { rows.flatMap { $0.panels } }
}

/// A name whose value is chosen, and used in queries as `$name`.
package struct DashboardVariable: Hashable, Sendable {
    package enum Source: Hashable, Sendable {
        case list([String])
        case labelValues(label: String, match: String?)
    }

    package let name: String
    package let source: Source
    package let defaultValue: String?
    package let hasAll: Bool

    /// What *all* stands for.
    package static let all = ".*"
}

/// Panels side by side.
package struct DashboardRow: Hashable, Sendable {
    package let title: String
    /// In lines, the panels' borders included.
    package let height: Int
    package let panels: [Panel]
}

/// One panel.
package struct Panel: Hashable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        case timeseries
        case stat
        case gauge
        case bar
        case table
        case logs
        case text
        case traces
    }

    package enum Reduction: String, CaseIterable, Sendable {
        case last
        case min
        case max
        case avg
        case sum
    }

    package var title: String
    package var description = ""
    package var kind: Kind
    /// Its share of the row.
    package var width = 1
    package var queries: [PanelQuery] = []
    package var unit = ValueUnit.short
    package var decimals: Int?
    package var minimum: Double?
    package var maximum: Double?
    package var thresholds: [ChartThreshold] = []
    package var reduction = Reduction.last
    package var limit = 50
    package var text = ""
    /// Of a traces panel: the longest first instead of the newest.
    package var isByDuration = false

    package init(title: String, kind: Kind) {
        self.title = title
        self.kind = kind
    }

    /// Whether it asks for a range rather than for one moment.
    package var asksForRange: Bool { kind == .timeseries || kind == .stat }
}

/// What a query is written in.
package enum QueryLanguage: String, CaseIterable, Hashable, Sendable {
    case promql
    case logql
    case traceql
}

/// A question and how its answers are called.
package struct PanelQuery: Hashable, Sendable {
    package let expression: String
    /// With `{{label}}`; nil for the labels themselves.
    package let legend: String?
    package let language: QueryLanguage

    package init(
        expression: String,
        legend: String? = nil,
        language: QueryLanguage = .promql
    ) {
        self.expression = expression
        self.legend = legend
        self.language = language
    }
}
