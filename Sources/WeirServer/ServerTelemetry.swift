internal import Synchronization
internal import WeirSystem

/// Durations counted into buckets, as a Prometheus classic histogram.
final class DurationHistogram: Sendable {
    /// Upper bounds, in seconds.
    static let bounds: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
    ]

    private struct State {
        var counts = [Int](repeating: 0, count: DurationHistogram.bounds.count + 1)
        var sum = 0.0
    }

    private let state = Mutex(State())

    func observe(seconds: Double) {
        let bucket = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum += seconds
        }
    }

    /// Cumulative counts, the last of all observations, and their sum.
    var snapshot: (cumulative: [Int], sum: Double) {
        state.withLock { state in
            var total = 0
            let cumulative = state.counts.map { count in
                total += count
                return total
            }
            return (cumulative, state.sum)
        }
    }
}

/// The formats logs come in.
enum LogFormat: Int, CaseIterable, Sendable {
    case json
    case logfmt
    case text
    case loki
    case elastic
    case otlp
    case syslog

    var name: String { "\(self)" }
}

/// What the server counts of itself, besides what its parts count.
final class ServerTelemetry: Sendable {
    let refusedLines = Counter()
    let skippedStrings = Counter()
    let refusedSeries = Counter()
    /// Of OpenTelemetry's metrics.
    let metricPoints = Counter()
    let refusedMetricPoints = Counter()
    let exemplars = Counter()
    let scrapes = Counter()
    let failedScrapes = Counter()
    let failedScrapeReloads = Counter()
    let scrapeTargets = Atomic<Int>(0)
    /// Of each `MetricFormat`: samples, histograms and exemplars.
    let metricRows = MetricFormat.allCases.map { _ in Counter() }
    let refusedMetricRows = MetricFormat.allCases.map { _ in Counter() }
    /// Of each `LogFormat`.
    let logRows = LogFormat.allCases.map { _ in Counter() }
    let refusedLogRows = LogFormat.allCases.map { _ in Counter() }
    let cutLogRows = Counter()
    /// Of each `SpanWire`.
    let spans = SpanWire.allCases.map { _ in Counter() }
    let refusedSpans = SpanWire.allCases.map { _ in Counter() }
    let duplicateSpans = SpanWire.allCases.map { _ in Counter() }
    let cutSpans = Counter()
    /// Spans that span metrics did not count: too many waited.
    let uncountedSpans = Counter()
    /// Spans and edges that span metrics did not count: too many series.
    let spanMetricsOverflow = Counter()
    let spanMetricsSamples = Counter()
    let lostSpanMetricsSamples = Counter()
    let droppedSyslogMessages = Counter()
    let refusedSyslogConnections = Counter()
    let refusedQueries = Counter()
    let queriedSamples = Counter()
    let queries = DurationHistogram()
    let ruleEvaluations = DurationHistogram()
    let ruleFailures = Counter()
    let notifications = Counter()
    let failedNotifications = Counter()
}
