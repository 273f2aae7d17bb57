internal import WeirYAML

/// A Prometheus configuration file, as far as Weir serves it.
///
/// Keys, defaults and what is not served: docs/scraping.md.
struct ScrapeConfiguration: Sendable {
    /// As it was given; files named in it are relative to its folder.
    var path = ""
    var jobs: [ScrapeJob] = []
    /// Of `global`, with variables of the environment in their places.
    var externalLabels: [String: String] = [:]
    /// What stands in the file and is not served, each with its line.
    var warnings: [String] = []
}

/// Why a configuration file cannot be used.
struct ScrapeConfigurationError: Error, Hashable, CustomStringConvertible {
    let path: String
    /// Counted from 1; 0: the file as a whole.
    let line: Int
    let reason: String

    var description: String { line > 0 ? "\(path):\(line): \(reason)" : "\(path): \(reason)" }
}

/// One entry of `scrape_configs`.
struct ScrapeJob: Sendable {
    /// Targets of one label set, in the file or in a file it names.
    struct TargetGroup: Hashable, Sendable {
        var addresses: [String]
        /// `__meta_filepath` among them where a file was read.
        var labels: [String: String]
    }

    enum Credentials: Hashable, Sendable {
        case basic(user: Secret, password: Secret)
        case authorization(scheme: String, Secret)
    }

    /// A text, or the file that holds it, read anew for each scrape.
    enum Secret: Hashable, Sendable {
        case text(String)
        case file(String)
    }

    struct TLS: Hashable, Sendable {
        var authorityFile: String?
        var certificateFile: String?
        var keyFile: String?
        var verifiesServer = true
    }

    var name: String
    /// Nanoseconds.
    var interval: Int64
    /// Nanoseconds.
    var timeout: Int64
    var metricsPath = "/metrics"
    var scheme = "http"
    var parameters: [(name: String, values: [String])] = []
    var honorsLabels = false
    var honorsTimestamps = true
    var tracksTimestampsStaleness = false
    var protocols = ScrapeProtocol.standard
    var fallbackProtocol: ScrapeProtocol?
    var keepsClassicHistograms = false
    var isCompressed = true
    var followsRedirects = true
    /// Of these limits 0 is none.
    var bodyBytesMax = 0
    var sampleLimit = 0
    var labelLimit = 0
    var labelNameLengthLimit = 0
    var labelValueLengthLimit = 0
    var targetLimit = 0
    var keptDroppedMax = 0
    var credentials: Credentials?
    var tls = TLS()
    var headers: [(name: String, value: String)] = []
    var groups: [TargetGroup] = []
    /// Of `file_sd_configs`.
    var files: [String] = []
    var relabelRules: [RelabelRule] = []
    var metricRelabelRules: [RelabelRule] = []
    /// What it was read from: jobs with the same are the same.
    var source: [YAMLNode] = []

    init(name: String, interval: Int64, timeout: Int64) {
        self.name = name
        self.interval = interval
        self.timeout = timeout
    }
}

/// A form in which a target may expose, as `scrape_protocols` names it.
enum ScrapeProtocol: String, CaseIterable, Sendable {
    case protobuf = "PrometheusProto"
    case openMetrics1 = "OpenMetricsText1.0.0"
    case openMetrics0 = "OpenMetricsText0.0.1"
    case text1 = "PrometheusText1.0.0"
    case text0 = "PrometheusText0.0.4"

    /// Prometheus's default.
    static let standard: [Self] = [.openMetrics1, .openMetrics0, .text1, .text0]

    var mediaType: String {
        switch self {
        case .protobuf:
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
        case .openMetrics1: "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8"
        case .openMetrics0: "application/openmetrics-text;version=0.0.1"
        case .text1: "text/plain;version=1.0.0;escaping=allow-utf-8"
        case .text0: "text/plain;version=0.0.4"
        }
    }

    /// The `Accept` header that asks for `protocols` in this order.
    static func accept(_ protocols: [Self]) -> String {
        let first = allCases.count + 1
        let types = protocols.prefix(allCases.count).enumerated().map { index, one in
            "\(one.mediaType);q=0.\(first - index)"
        }
        return (types + ["*/*;q=0.\(first - types.count)"]).joined(separator: ",")
    }
}
