internal import WeirCore
internal import WeirStore

/// One setting: its name, what it means, and how its text is read and shown.
struct ConfigurationKey: Sendable {
    let name: String
    let summary: String
    let get: @Sendable (ServerConfiguration) -> String
    /// Returns false when the text is not a value of this setting.
    let set: @Sendable (inout ServerConfiguration, String) -> Bool

    /// All settings, in the order they are shown.
    static let all: [ConfigurationKey] =
        [
            text("data", "folder everything is kept in", \.data),
            text("listen", "address and port of the HTTP server", \.listen),
            ConfigurationKey(
                name: "sync",
                summary:
                    "`always`: acknowledged means on disk; a duration: at most that much later",
                get: { show($0.sync) },
                set: { setSync(&$0, $1) }
            ),
            ConfigurationKey(
                name: "retention-age",
                summary: "delete days older than this; `none` keeps them",
                get: { $0.retentionAge.map { Units.text(nanoseconds: $0) } ?? "none" },
                set: { configuration, text in
                    let age = text == "none" ? nil : Units.nanoseconds(text)
                    configuration.retentionAge = age
                    return text == "none" || age != nil
                }
            ),
            ConfigurationKey(
                name: "retention-size",
                summary: "delete the oldest days above this size; `none`",
                get: { $0.retentionBytes.map(String.init) ?? "none" },
                set: { configuration, text in
                    let bytes = text == "none" ? nil : Units.bytes(text)
                    configuration.retentionBytes = bytes
                    return text == "none" || bytes != nil
                }
            ),
            bytes("disk-free-min", "delete the oldest days when less is free", \.diskFreeBytesMin),
            duration("future-max", "refuse samples further in the future than this", \.futureMax),
            duration("flush-interval", "rows wait in memory at most this long", \.flushInterval),
            bytes("memory-rows-max", "rows in memory before writes are refused", \.memoryBytesMax),
            count("series-max", "active series a tenant may have", \.seriesMax),
            count("labels-max", "labels a series may have", \.labelsMax),
            count(
                "label-name-bytes-max",
                "bytes in a name, at most 1024",
                \.labelNameBytesMax,
                most: 1024
            ),
            count("label-value-bytes-max", "bytes in a label's value", \.labelValueBytesMax),
            bytes("body-max", "size of a request's body, decoded", \.bodyBytesMax),
            bytes(
                "log-line-max",
                "longest value of a log row, at most 8 MiB; the rest is cut",
                \.logLineBytesMax,
                most: 8 << 20
            ),
            count(
                "log-fields-max",
                "fields a log row may have, at most 8192",
                \.logFieldsMax,
                most: 8192
            ),
            count("log-rows-max", "log rows of one request", \.logRowsMax),
            bytes(
                "span-value-max",
                "longest attribute of a span, at most 1 MiB; the rest is cut",
                \.spanValueBytesMax,
                most: 1 << 20
            ),
            count(
                "span-attributes-max",
                "attributes a span may have, at most 4096; more are dropped",
                \.spanAttributesMax,
                most: 4096
            ),
            count("spans-max", "spans of one request", \.spansMax),
            duration(
                "span-metrics-interval",
                "count spans into metrics this often; 0: never",
                \.spanMetricsInterval
            ),
            ConfigurationKey(
                name: "exponential-histograms",
                summary: "what OTLP's become: `native`, or `classic` series of buckets",
                get: { $0.hasClassicHistograms ? "classic" : "native" },
                set: { configuration, text in
                    configuration.hasClassicHistograms = text == "classic"
                    return text == "classic" || text == "native"
                }
            ),
            text("syslog-udp", "address and port to take syslog at over UDP", \.syslogUDP),
            text("syslog-tcp", "address and port to take syslog at over TCP", \.syslogTCP),
            text("graphite-udp", "address and port to take Graphite at over UDP", \.graphiteUDP),
            text("graphite-tcp", "address and port to take Graphite at over TCP", \.graphiteTCP),
            text("statsd-udp", "address and port to take StatsD at over UDP", \.statsdUDP),
            duration("statsd-interval", "store what StatsD brought this often", \.statsdInterval),
            text("scrape-config", "Prometheus configuration file to scrape by", \.scrapeConfig),
            count("connections-max", "open connections", \.connectionsMax),
            count("connections-per-address-max", "of one address", \.connectionsPerAddressMax),
            flag(
                "promql-experimental-functions",
                "`true`: answer what Prometheus has behind this flag; `false`",
                \.promqlExperimentalFunctions
            ),
            flag(
                "admin-api",
                "`true`: answer /api/v1/admin/tsdb, which can erase; `false`",
                \.hasAdminAPI
            ),
            text("query-log", "file every query is written to, as JSON lines", \.queryLog),
            duration("query-timeout", "time a query may take", \.queryTimeout),
            count("query-samples-max", "samples a query may read", \.querySamplesMax),
            count("query-series-max", "series a query may read", \.querySeriesMax),
            bytes("query-memory-max", "memory a query may hold", \.queryMemoryBytesMax),
            bytes(
                "results-cache-bytes",
                "memory for answers of range queries that are used again; 0: none",
                \.resultsCacheBytes
            ),
            count(
                "query-threads",
                "queries run at once; 0: one a core and one more",
                \.queryThreads
            ),
            count("query-queue-max", "queries that may wait", \.queryQueueMax),
            list("rules", "rule files, or folders of them, separated by commas", \.rules),
            list("webhooks", "URLs that alerts are posted to, separated by commas", \.webhooks),
            duration("group-wait", "wait before a new alert group is told", \.groupWait),
            duration("repeat-interval", "tell a firing group again after this", \.repeatInterval),
            text("external-url", "this server's address as people reach it", \.externalURL),
            text("tls-certificate", "PEM file; with tls-key turns TLS on", \.tlsCertificate),
            text("tls-key", "PEM file", \.tlsKey),
            text(
                "database-label",
                "keep line protocol's db or bucket as this label",
                \.databaseLabel
            ),
            duration("self-interval", "store own telemetry this often; 0: never", \.selfInterval),
        ] + rollups

    static let names = all.map(\.name)

    private typealias Path<Value> = any WritableKeyPath<ServerConfiguration, Value> & Sendable

    private static func text(
        _ name: String,
        _ summary: String,
        _ path: Path<String>
    ) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            summary: summary,
            get: { $0[keyPath: path] },
            set: { configuration, text in
                configuration[keyPath: path] = text
                return true
            }
        )
    }

    private static func list(
        _ name: String,
        _ summary: String,
        _ path: Path<[String]>
    ) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            summary: summary,
            get: { $0[keyPath: path].joined(separator: ",") },
            set: { configuration, text in
                configuration[keyPath: path] = text.split(separator: ",").map(String.init)
                return true
            }
        )
    }

    private static func flag(
        _ name: String,
        _ summary: String,
        _ path: Path<Bool>
    ) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            summary: summary,
            get: { String($0[keyPath: path]) },
            set: { configuration, text in
                configuration[keyPath: path] = text == "true"
                return text == "true" || text == "false"
            }
        )
    }

    private static func count(
        _ name: String,
        _ summary: String,
        _ path: Path<Int>,
        most: Int = .max
    ) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            summary: summary,
            get: { String($0[keyPath: path]) },
            set: { configuration, text in
                guard let value = Int(text), value >= 0, value <= most else { return false }
                configuration[keyPath: path] = value
                return true
            }
        )
    }

    private static func bytes(
        _ name: String,
        _ summary: String,
        _ path: Path<Int>,
        most: Int = .max
    ) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            summary: summary,
            get: { String($0[keyPath: path]) },
            set: { configuration, text in
                guard let value = Units.bytes(text), value <= most else { return false }
                configuration[keyPath: path] = value
                return true
            }
        )
    }

    private static func duration(
        _ name: String,
        _ summary: String,
        _ path: Path<Int64>
    ) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            summary: summary,
            get: { Units.text(nanoseconds: $0[keyPath: path]) },
            set: { configuration, text in
                guard let value = Units.nanoseconds(text) else { return false }
                configuration[keyPath: path] = value
                return true
            }
        )
    }

    private static func show(_ sync: SyncMode) -> String {
        switch sync {
        case .always: "always"
        case .interval(let nanoseconds): Units.text(nanoseconds: nanoseconds)
        }
    }

    private static func setSync(_ configuration: inout ServerConfiguration, _ text: String) -> Bool
    {
        guard let mode = SyncMode(text: text) else { return false }
        configuration.sync = mode
        return true
    }
}

extension SyncMode {
    /// Reads `always`, or a duration.
    init?(text: String) {
        if text == "always" {
            self = .always
        } else if let nanoseconds = Units.nanoseconds(text), nanoseconds > 0 {
            self = .interval(nanoseconds)
        } else {
            return nil
        }
    }
}
