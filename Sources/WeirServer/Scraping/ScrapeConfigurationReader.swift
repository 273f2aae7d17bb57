internal import WeirPattern
internal import WeirSystem
internal import WeirYAML

/// Reads a Prometheus configuration file: what Weir serves of it, strictly.
struct ScrapeConfigurationReader {
    static let fileBytesMax = 4 << 20

    private static let limitKeys: Set<String> = [
        "body_size_limit", "sample_limit", "target_limit", "label_limit",
        "label_name_length_limit", "label_value_length_limit", "keep_dropped_targets",
        "scrape_protocols", "always_scrape_classic_histograms", "scrape_native_histograms",
    ]
    private static let namingKeys: Set<String> = [
        "metric_name_validation_scheme", "metric_name_escaping_scheme",
        "convert_classic_histograms_to_nhcb", "scrape_failure_log_file",
        "extra_scrape_metrics",
    ]
    private static let otherDiscoveries: Set<String> = Set(
        [
            "azure", "consul", "digitalocean", "docker", "dockerswarm", "dns", "ec2", "eureka",
            "gce", "hetzner", "http", "ionos", "kubernetes", "kuma", "lightsail", "linode",
            "marathon", "nerve", "nomad", "openstack", "ovhcloud", "puppetdb", "scaleway",
            "serverset", "stackit", "triton", "uyuni", "vultr",
        ].map { $0 + "_sd_configs" }
    )

    private let path: String
    private var configuration = ScrapeConfiguration()
    private var global: ScrapeSection

    /// Reads the file at `path`.
    static func read(
        path: String,
        fileSystem: any FileSystem = HostFileSystem()
    ) throws(ScrapeConfigurationError) -> ScrapeConfiguration {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try fileSystem.readFile(path, bytesMax: fileBytesMax)
        } catch {
            throw ScrapeConfigurationError(path: path, line: 0, reason: error.description)
        }
        return try parse(String(decoding: bytes, as: UTF8.self), path: path)
    }

    /// Reads the text of the file at `path`.
    static func parse(
        _ text: String,
        path: String
    ) throws(ScrapeConfigurationError) -> ScrapeConfiguration {
        let root: YAMLNode
        do throws(YAMLError) {
            root = try YAMLParser.parse(text)
        } catch {
            throw ScrapeConfigurationError(path: path, line: 0, reason: "\(error)")
        }
        var warnings: [String] = []
        let top = try ScrapeSection(
            root,
            path: path,
            name: "the file",
            served: ["global", "scrape_configs"],
            unserved: [
                "rule_files", "alerting", "remote_write", "remote_read", "storage", "tracing",
                "otlp", "runtime", "scrape_config_files",
            ],
            warnings: &warnings
        )
        let global = try ScrapeSection(
            top["global"] ?? YAMLNode(content: .mapping([]), line: 1),
            path: path,
            name: "global",
            served: limitKeys.union(["scrape_interval", "scrape_timeout", "external_labels"]),
            unserved: namingKeys.union([
                "evaluation_interval", "rule_query_offset", "query_log_file", "runtime",
            ]),
            warnings: &warnings
        )
        var reader = ScrapeConfigurationReader(path: path, global: global)
        reader.configuration.path = path
        reader.configuration.warnings = warnings
        for (name, text) in try global.pairs("external_labels") {
            guard !name.isEmpty else {
                throw global.failure("external_labels", "has a label without a name")
            }
            let value = EnvironmentText.expand(text, HostEnvironment.value)
            reader.configuration.externalLabels[name] = value
        }
        for item in try top.items("scrape_configs") {
            let job = try reader.job(item)
            if reader.configuration.jobs.contains(where: { $0.name == job.name }) {
                throw ScrapeConfigurationError(
                    path: path,
                    line: item.line,
                    reason: "there are two jobs called \"\(job.name)\""
                )
            }
            reader.configuration.jobs.append(job)
        }
        return reader.configuration
    }

    private init(path: String, global: ScrapeSection) {
        self.path = path
        self.global = global
    }

    private mutating func section(
        _ node: YAMLNode,
        _ name: String,
        _ served: Set<String>,
        unserved: Set<String> = []
    ) throws(ScrapeConfigurationError) -> ScrapeSection {
        try ScrapeSection(
            node,
            path: path,
            name: name,
            served: served,
            unserved: unserved,
            warnings: &configuration.warnings
        )
    }

    private mutating func job(_ node: YAMLNode) throws(ScrapeConfigurationError) -> ScrapeJob {
        let name = node["job_name"]?.string ?? ""
        let place = "job \"\(name)\""
        let section = try section(
            node,
            place,
            Self.limitKeys.union([
                "job_name", "scrape_interval", "scrape_timeout", "metrics_path", "scheme",
                "params", "honor_labels", "honor_timestamps", "track_timestamps_staleness",
                "fallback_scrape_protocol", "enable_compression", "follow_redirects",
                "basic_auth", "authorization", "bearer_token", "bearer_token_file", "tls_config",
                "http_headers", "static_configs", "file_sd_configs", "relabel_configs",
                "metric_relabel_configs",
            ]),
            unserved: Self.namingKeys.union(Self.otherDiscoveries).union([
                "oauth2", "proxy_url", "no_proxy", "proxy_from_environment",
                "proxy_connect_header", "enable_http2", "native_histogram_bucket_limit",
                "native_histogram_min_bucket_factor",
            ])
        )
        guard !name.isEmpty else { throw section.failure("job_name", "is missing") }
        let (interval, timeout) = try times(section)
        var job = ScrapeJob(name: name, interval: interval, timeout: timeout)
        job.source = [node, global.node]
        job.metricsPath = try section.text("metrics_path") ?? job.metricsPath
        job.scheme = try section.text("scheme") ?? job.scheme
        guard ["http", "https"].contains(job.scheme) else {
            throw section.failure("scheme", "must be http or https, not \"\(job.scheme)\"")
        }
        for entry in section["params"]?.entries ?? [] {
            job.parameters.append((entry.key, (entry.value.items ?? []).map { $0.string ?? "" }))
        }
        job.honorsLabels = try section.flag("honor_labels") ?? false
        job.honorsTimestamps = try section.flag("honor_timestamps") ?? true
        job.tracksTimestampsStaleness = try section.flag("track_timestamps_staleness") ?? false
        job.isCompressed = try section.flag("enable_compression") ?? true
        job.followsRedirects = try section.flag("follow_redirects") ?? true
        try readLimits(section, into: &job)
        try readProtocols(section, into: &job)
        try readConnection(section, into: &job)
        try readTargets(section, into: &job)
        job.relabelRules = try rules(section, "relabel_configs")
        job.metricRelabelRules = try rules(section, "metric_relabel_configs")
        return job
    }

    /// A job's interval and timeout, in nanoseconds.
    private func times(
        _ section: ScrapeSection
    ) throws(ScrapeConfigurationError) -> (interval: Int64, timeout: Int64) {
        let second: Int64 = 1_000_000_000
        let globalInterval = try positive(global.duration("scrape_interval")) ?? 60 * second
        let globalTimeout = try positive(global.duration("scrape_timeout"))
        if let globalTimeout, globalTimeout > globalInterval {
            throw global.failure("scrape_timeout", "is longer than its scrape_interval")
        }
        let interval = try positive(section.duration("scrape_interval")) ?? globalInterval
        guard interval >= 1_000_000 else {
            throw section.failure("scrape_interval", "is below a millisecond")
        }
        guard let timeout = try positive(section.duration("scrape_timeout")) else {
            return (interval, min(globalTimeout ?? min(10 * second, globalInterval), interval))
        }
        guard timeout <= interval else {
            throw section.failure("scrape_timeout", "is longer than its scrape_interval")
        }
        return (interval, timeout)
    }

    /// Zero stands for "not told".
    private func positive(_ value: Int64?) -> Int64? { value == 0 ? nil : value }

    private func readLimits(
        _ section: ScrapeSection,
        into job: inout ScrapeJob
    ) throws(ScrapeConfigurationError) {
        let size = try section.bytes("body_size_limit") ?? 0
        let globalSize = try global.bytes("body_size_limit") ?? 0
        job.bodyBytesMax = size > 0 ? size : globalSize
        job.sampleLimit = try limit("sample_limit", section)
        job.targetLimit = try limit("target_limit", section)
        job.labelLimit = try limit("label_limit", section)
        job.labelNameLengthLimit = try limit("label_name_length_limit", section)
        job.labelValueLengthLimit = try limit("label_value_length_limit", section)
        job.keptDroppedMax = try limit("keep_dropped_targets", section)
    }

    private func limit(
        _ key: String,
        _ section: ScrapeSection
    ) throws(ScrapeConfigurationError) -> Int {
        let own = try section.count(key) ?? 0
        let general = try global.count(key) ?? 0
        return own > 0 ? own : general
    }

    private func readProtocols(
        _ section: ScrapeSection,
        into job: inout ScrapeJob
    ) throws(ScrapeConfigurationError) {
        for place in [global, section] {
            let names = try place.texts("scrape_protocols")
            guard !names.isEmpty else { continue }
            job.protocols = []
            for name in names {
                job.protocols.append(try Self.scrapeProtocol(name, "scrape_protocols", place))
            }
        }
        if try flag("scrape_native_histograms", section) {
            job.protocols = [.protobuf] + job.protocols.filter { $0 != .protobuf }
        }
        if let name = try section.text("fallback_scrape_protocol"), !name.isEmpty {
            job.fallbackProtocol = try Self.scrapeProtocol(
                name,
                "fallback_scrape_protocol",
                section
            )
        }
        job.keepsClassicHistograms = try flag("always_scrape_classic_histograms", section)
    }

    private func flag(
        _ key: String,
        _ section: ScrapeSection
    ) throws(ScrapeConfigurationError) -> Bool {
        let general = try global.flag(key) ?? false
        return try section.flag(key) ?? general
    }

    private static func scrapeProtocol(
        _ name: String,
        _ key: String,
        _ section: ScrapeSection
    ) throws(ScrapeConfigurationError) -> ScrapeProtocol {
        guard let one = ScrapeProtocol(rawValue: name) else {
            let names = ScrapeProtocol.allCases.map(\.rawValue).joined(separator: ", ")
            throw section.failure(key, "must be of \(names), not \"\(name)\"")
        }
        return one
    }

    private mutating func readConnection(
        _ section: ScrapeSection,
        into job: inout ScrapeJob
    ) throws(ScrapeConfigurationError) {
        let ways = ["basic_auth", "authorization", "bearer_token", "bearer_token_file"]
            .filter { section[$0] != nil }
        guard ways.count <= 1 else {
            throw section.failure(ways[1], "stands beside \(ways[0]); there can be one")
        }
        if let node = section["basic_auth"] {
            let inner = try self.section(
                node,
                "basic_auth",
                ["username", "username_file", "password", "password_file"]
            )
            job.credentials = .basic(
                user: try secret(inner, "username"),
                password: try secret(inner, "password")
            )
        } else if let node = section["authorization"] {
            let inner = try self.section(
                node,
                "authorization",
                ["type", "credentials", "credentials_file"]
            )
            job.credentials = .authorization(
                scheme: try inner.text("type") ?? "Bearer",
                try secret(inner, "credentials")
            )
        } else if !ways.isEmpty {
            job.credentials = .authorization(
                scheme: "Bearer",
                try secret(section, "bearer_token")
            )
        }
        if let node = section["tls_config"] {
            let inner = try self.section(
                node,
                "tls_config",
                ["ca_file", "cert_file", "key_file", "insecure_skip_verify"],
                unserved: ["ca", "cert", "key", "server_name", "min_version", "max_version"]
            )
            job.tls.authorityFile = try inner.file("ca_file")
            job.tls.certificateFile = try inner.file("cert_file")
            job.tls.keyFile = try inner.file("key_file")
            job.tls.verifiesServer = try !(inner.flag("insecure_skip_verify") ?? false)
        }
        for entry in section["http_headers"]?.entries ?? [] {
            let inner = try self.section(
                entry.value,
                "http_headers",
                ["values"],
                unserved: ["secrets", "files"]
            )
            for value in try inner.texts("values") { job.headers.append((entry.key, value)) }
        }
    }

    private func secret(
        _ section: ScrapeSection,
        _ key: String
    ) throws(ScrapeConfigurationError) -> ScrapeJob.Secret {
        if let file = try section.file(key + "_file") {
            guard section[key] == nil else {
                throw section.failure(key, "stands beside \(key)_file; there can be one")
            }
            return .file(file)
        }
        return .text(try section.text(key) ?? "")
    }

    private mutating func readTargets(
        _ section: ScrapeSection,
        into job: inout ScrapeJob
    ) throws(ScrapeConfigurationError) {
        for item in try section.items("static_configs") {
            let inner = try self.section(item, "static_configs", ["targets", "labels"])
            let labels = try inner.pairs("labels")
            job.groups.append(
                ScrapeJob.TargetGroup(
                    addresses: try inner.texts("targets"),
                    labels: Dictionary(labels.map { ($0.name, $0.value) }) { $1 }
                )
            )
        }
        for item in try section.items("file_sd_configs") {
            let inner = try self.section(
                item,
                "file_sd_configs",
                ["files", "refresh_interval"]
            )
            _ = try inner.duration("refresh_interval")
            let files = try inner.texts("files")
            guard !files.isEmpty else { throw inner.failure("files", "names no file") }
            for file in files {
                guard FileDiscovery.isUsable(file) else {
                    throw inner.failure(
                        "files",
                        "has \"\(file)\": it must end in .json, .yml or .yaml, and have at most one"
                            + " * in its last part"
                    )
                }
                job.files.append(ScrapeSection.resolve(file, from: path))
            }
        }
    }

    private mutating func rules(
        _ section: ScrapeSection,
        _ key: String
    ) throws(ScrapeConfigurationError) -> [RelabelRule] {
        var rules: [RelabelRule] = []
        for item in try section.items(key) {
            let inner = try self.section(
                item,
                key,
                [
                    "source_labels", "separator", "target_label", "regex", "modulus",
                    "replacement", "action",
                ]
            )
            let text = try inner.text("action")?.lowercased() ?? "replace"
            guard let action = RelabelRule.Action(rawValue: text) else {
                throw inner.failure("action", "\"\(text)\" is unknown")
            }
            let sources = try inner.texts("source_labels")
            let separator = try inner.text("separator") ?? RelabelRule.defaultSeparator
            let regex = try inner.text("regex") ?? RelabelRule.defaultRegex
            let modulus = try inner.count("modulus") ?? 0
            let target = try inner.text("target_label") ?? ""
            let replacement = try inner.text("replacement") ?? RelabelRule.defaultReplacement
            let rule: RelabelRule
            do throws(PatternError) {
                rule = try RelabelRule(
                    action: action,
                    sourceLabels: sources,
                    separator: separator,
                    regex: regex,
                    modulus: UInt64(modulus),
                    targetLabel: target,
                    replacement: replacement
                )
            } catch {
                throw inner.failure("regex", "cannot be used: \(error)")
            }
            if let problem = rule.problem {
                throw ScrapeConfigurationError(path: path, line: item.line, reason: problem)
            }
            rules.append(rule)
        }
        return rules
    }
}
