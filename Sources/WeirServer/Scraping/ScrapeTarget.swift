internal import WeirCore
internal import WeirHTTP
internal import WeirPattern

/// One place to scrape, as discovery and relabelling made it.
struct ScrapeTarget: Sendable {
    /// What tells it from others of its job.
    struct Key: Hashable, Sendable {
        let job: String
        let labels: Labels
        let url: String
        let interval: Int64
        let timeout: Int64
    }

    static let metaPrefix = "__meta_"
    private static let reservedPrefix = "__"
    private static let parameterPrefix = "__param_"

    let job: String
    /// Before relabelling.
    let discovered: Labels
    /// What its series get.
    let labels: Labels
    let url: String
    /// Nanoseconds.
    let interval: Int64
    /// Nanoseconds.
    let timeout: Int64

    var key: Key {
        Key(job: job, labels: labels, url: url, interval: interval, timeout: timeout)
    }

    /// What became of one address.
    enum Outcome {
        case active(ScrapeTarget)
        case dropped(Labels)
        case unusable(reason: String)
    }

    static func make(
        _ job: ScrapeJob,
        address: String,
        groupLabels: [String: String]
    ) -> Outcome {
        let discovered = discover(job, address: address, groupLabels: groupLabels)
        var labels = discovered
        do throws(PatternError) {
            guard try job.relabelRules.apply(to: &labels) else {
                return .dropped(discovered.labels)
            }
        } catch {
            return .unusable(reason: "relabelling \(address): \(error)")
        }
        let address = labels["__address__"]
        guard !address.isEmpty else { return .unusable(reason: "no address") }
        guard !address.contains("/") else {
            return .unusable(reason: "\"\(address)\" is not a valid hostname")
        }
        guard let interval = Units.nanoseconds(labels["__scrape_interval__"]),
            interval >= 1_000_000
        else { return .unusable(reason: "\(address): no scrape interval") }
        guard let timeout = Units.nanoseconds(labels["__scrape_timeout__"]), timeout > 0,
            timeout <= interval
        else { return .unusable(reason: "\(address): no scrape timeout within the interval") }
        let url = url(job, labels, address: address)
        if labels["instance"].isEmpty { labels["instance"] = address }
        return .active(
            ScrapeTarget(
                job: job.name,
                discovered: discovered.labels,
                labels: Labels(labels.pairs.filter { !$0.0.hasPrefix(reservedPrefix) }),
                url: url,
                interval: interval,
                timeout: timeout
            )
        )
    }

    private static func discover(
        _ job: ScrapeJob,
        address: String,
        groupLabels: [String: String]
    ) -> LabelTable {
        var labels = LabelTable(groupLabels.map { ($0.key, $0.value) })
        labels["__address__"] = address
        let defaults = [
            ("job", job.name),
            ("__scrape_interval__", Units.text(nanoseconds: job.interval)),
            ("__scrape_timeout__", Units.text(nanoseconds: job.timeout)),
            ("__metrics_path__", job.metricsPath),
            ("__scheme__", job.scheme),
        ]
        for (name, value) in defaults where labels[name].isEmpty { labels[name] = value }
        for (name, values) in job.parameters {
            guard let first = values.first, labels[parameterPrefix + name].isEmpty else { continue }
            labels[parameterPrefix + name] = first
        }
        return labels
    }

    private static func url(_ job: ScrapeJob, _ labels: LabelTable, address: String) -> String {
        var parameters: [String: [String]] = [:]
        for (name, values) in job.parameters { parameters[name] = values }
        for (name, value) in labels.pairs where name.hasPrefix(parameterPrefix) {
            let name = String(name.dropFirst(parameterPrefix.count))
            parameters[name] = [value] + (parameters[name] ?? []).dropFirst()
        }
        let query = parameters.sorted { $0.key < $1.key }.flatMap { name, values in
            values.map { "\(PercentEncoding.encode(name))=\(PercentEncoding.encode($0))" }
        }.joined(separator: "&")
        var path = labels["__metrics_path__"].split(
            separator: "/",
            omittingEmptySubsequences: false
        ).map { PercentEncoding.encode(String($0)) }.joined(separator: "/")
        if !path.isEmpty, !path.hasPrefix("/") { path = "/" + path }
        return "\(labels["__scheme__"])://\(address)\(path)" + (query.isEmpty ? "" : "?" + query)
    }

    /// Where in the interval it is scraped, in nanoseconds: targets spread over it.
    var offset: Int64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in Array(job.utf8) + labels.bytes + Array(url.utf8) {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
        }
        return Int64(hash % UInt64(interval))
    }

    /// The first moment after `now` at which it is due.
    func due(after now: Int64) -> Int64 {
        let start = now - (now - offset).remainder(dividingBy: interval)
        let (due, overflow) = start.addingReportingOverflow(interval)
        return overflow ? .max : due
    }
}

extension Int64 {
    /// Never negative.
    fileprivate func remainder(dividingBy divisor: Int64) -> Int64 {
        let rest = self % divisor
        return rest < 0 ? rest + divisor : rest
    }
}
