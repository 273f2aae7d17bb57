package import WeirCore
package import WeirQuery
package import WeirStore
internal import WeirWire

/// How `weir serve` runs.
///
/// Each setting has one name, which is its flag, its key in `weir.yaml` and, as `WEIR_NAME`, its
/// environment variable; see `ConfigurationKey`.
package struct ServerConfiguration: Sendable {
    package var data = "./weir-data"
    package var listen = "127.0.0.1:4040"
    package var sync = SyncMode.always
    package var retentionAge: Int64?
    package var retentionBytes: Int?
    /// A day of metrics gets rollups when it has been over for this long; nil: none does.
    package var rollupAfter: Int64? = 24 * 3600 * 1_000_000_000
    /// How long rollups are kept; those that are not named go with the metrics they are of.
    package var rollupRetention: [RollupResolution: RollupRetention] = [:]
    /// When rollups answer in the place of samples.
    package var rollups = RollupUse.exact
    package var diskFreeBytesMin = 512 << 20
    package var futureMax: Int64 = 2 * 86_400 * 1_000_000_000
    package var flushInterval: Int64 = 10 * 60 * 1_000_000_000
    package var memoryBytesMax = 96 << 20
    package var seriesMax = 2_000_000
    package var labelsMax = 64
    package var labelNameBytesMax = 512
    package var labelValueBytesMax = 4096
    package var bodyBytesMax = 64 << 20
    /// Bytes in one value of a log row; a longer one is cut.
    package var logLineBytesMax = 256 << 10
    /// Fields a log row may have.
    package var logFieldsMax = 1000
    /// Log rows of one request.
    package var logRowsMax = 1_000_000
    /// Bytes in one attribute of a span; a longer one is cut.
    package var spanValueBytesMax = 32 << 10
    /// Attributes a span may have; more are dropped.
    package var spanAttributesMax = 1024
    /// Spans of one request.
    package var spansMax = 1_000_000
    /// How far apart the samples of span metrics are; 0: none are made.
    package var spanMetricsInterval: Int64 = 60 * 1_000_000_000
    /// Whether OpenTelemetry's exponential histograms become series of buckets.
    package var hasClassicHistograms = false
    /// Where syslog is taken over UDP; empty: not.
    package var syslogUDP = ""
    /// Where syslog is taken over TCP; empty: not.
    package var syslogTCP = ""
    /// Where Graphite's plaintext is taken over UDP; empty: not.
    package var graphiteUDP = ""
    /// Where Graphite's plaintext is taken over TCP; empty: not.
    package var graphiteTCP = ""
    /// Where StatsD is taken over UDP; empty: not.
    package var statsdUDP = ""
    /// How often what StatsD brought is stored.
    package var statsdInterval: Int64 = 10 * 1_000_000_000
    /// A Prometheus configuration file that says what to scrape; empty: nothing.
    package var scrapeConfig = ""
    package var connectionsMax = 10_000
    package var connectionsPerAddressMax = 1000
    /// The file every query is written to; empty: none.
    package var queryLog = ""
    /// Whether `/api/v1/admin/tsdb` is answered, which can erase what is stored.
    package var hasAdminAPI = false
    /// Functions and aggregations that Prometheus calls experimental are answered.
    package var promqlExperimentalFunctions = false
    package var queryTimeout: Int64 = 60 * 1_000_000_000
    package var querySamplesMax = 500_000_000
    package var querySeriesMax = 2_000_000
    package var queryMemoryBytesMax = 1 << 30
    /// Room for the answers of range queries that are kept; 0: none are.
    package var resultsCacheBytes = 32 << 20
    package var queryThreads = 0
    package var queryQueueMax = 256
    package var rules: [String] = []
    package var webhooks: [String] = []
    package var groupWait: Int64 = 30 * 1_000_000_000
    package var repeatInterval: Int64 = 4 * 3600 * 1_000_000_000
    package var externalURL = ""
    package var tlsCertificate = ""
    package var tlsKey = ""
    /// The label that keeps a line protocol request's `db` or `bucket`; empty: not kept.
    package var databaseLabel = ""
    /// How often the server stores its own telemetry; 0: never.
    package var selfInterval: Int64 = 15 * 1_000_000_000

    package init() {}

    /// The logs' part of the settings.
    var logLimits: LogLimits {
        var limits = LogLimits()
        limits.lineBytesMax = logLineBytesMax
        limits.fieldsMax = logFieldsMax
        limits.rowsMax = logRowsMax
        limits.nameBytesMax = labelNameBytesMax
        limits.labelValueBytesMax = labelValueBytesMax
        limits.labelsMax = labelsMax
        limits.futureMax = futureMax
        return limits
    }

    /// The spans' part of the settings.
    var spanLimits: SpanLimits {
        var limits = SpanLimits()
        limits.valueBytesMax = spanValueBytesMax
        limits.attributesMax = spanAttributesMax
        limits.spansMax = spansMax
        limits.nameBytesMax = labelNameBytesMax
        limits.futureMax = futureMax
        return limits
    }

    /// The store's part of the settings.
    var storeOptions: StoreOptions {
        var options = StoreOptions(directory: data)
        options.sync = sync
        options.retentionAge = retentionAge
        options.retentionBytes = retentionBytes
        options.rollupAfter = rollupAfter
        options.rollupRetention = rollupRetention
        options.diskFreeBytesMin = diskFreeBytesMin
        options.flushInterval = flushInterval
        options.memoryBytesMax = memoryBytesMax
        options.streamsMax = seriesMax
        return options
    }
}
