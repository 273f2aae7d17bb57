internal import Glibc
internal import WeirCore
internal import WeirHTTP
internal import WeirPattern
internal import WeirQuery
internal import WeirSystem
internal import WeirWire

/// `/api/v1/targets`, `/api/v1/scrape_pools` and `/api/v1/targets/metadata`, as Prometheus answers them.
struct TargetsEndpoint: Sendable {
    enum Kind: Sendable { case targets, pools, metadata }

    /// Nil where nothing is scraped: the answers are empty lists.
    let scraper: Scraper?
    let externalURL: String
    /// The address this server listens at.
    let listen: String

    func response(_ kind: Kind, _ query: HTTPQuery) -> HTTPResponse {
        do throws(PrometheusRefusal) {
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("status", "success")
            writer.key("data")
            switch kind {
            case .targets: writeTargets(query, &writer)
            case .pools: writePools(&writer)
            case .metadata: try writeMetadata(query, &writer)
            }
            writer.endObject()
            return .json(writer.bytes)
        } catch {
            return error.answer.response
        }
    }

    private func pools(_ query: HTTPQuery) -> [Scraper.Pool] {
        let name = query["scrapePool"] ?? ""
        return (scraper?.pools ?? []).filter { name.isEmpty || $0.name == name }
    }

    private func writePools(_ writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("scrapePools")
        writer.beginArray()
        for pool in scraper?.pools ?? [] { writer.value(pool.name) }
        writer.endArray()
        writer.endObject()
    }

    private func writeTargets(_ query: HTTPQuery, _ writer: inout JSONWriter) {
        let state = query["state"]?.lowercased() ?? ""
        let pools = pools(query)
        writer.beginObject()
        writer.key("activeTargets")
        writer.beginArray()
        if ["", "any", "active"].contains(state) {
            for pool in pools {
                for loop in pool.active { write(loop, &writer) }
            }
        }
        writer.endArray()
        writer.key("droppedTargets")
        writer.beginArray()
        let showsDropped = ["", "any", "dropped"].contains(state)
        if showsDropped {
            for pool in pools {
                for labels in pool.dropped {
                    writer.beginObject()
                    writer.key("discoveredLabels")
                    Self.write(labels, &writer)
                    writer.member("scrapePool", pool.name)
                    writer.endObject()
                }
            }
        }
        writer.endArray()
        writer.key("droppedTargetCounts")
        if showsDropped {
            writer.beginObject()
            // Of all pools, whichever were asked for.
            for pool in scraper?.pools ?? [] { writer.member(pool.name, pool.droppedCount) }
            writer.endObject()
        } else {
            writer.null()
        }
        writer.endObject()
    }

    private func write(_ loop: ScrapeLoop, _ writer: inout JSONWriter) {
        let target = loop.target
        let report = loop.report
        writer.beginObject()
        writer.key("discoveredLabels")
        Self.write(target.discovered, &writer)
        writer.key("labels")
        Self.write(target.labels, &writer)
        writer.member("scrapePool", target.job)
        writer.member("scrapeUrl", target.url)
        writer.member("globalUrl", globalURL(target.url))
        writer.member("lastError", report.failure ?? "")
        writer.member(
            "lastScrape",
            report.time == 0
                ? "0001-01-01T00:00:00Z" : TimeText.rfc3339(nanoseconds: report.time)
        )
        writer.member("lastScrapeDuration", report.seconds)
        let health = report.time == 0 ? "unknown" : report.failure == nil ? "up" : "down"
        writer.member("health", health)
        writer.member("scrapeInterval", Units.text(nanoseconds: target.interval))
        writer.member("scrapeTimeout", Units.text(nanoseconds: target.timeout))
        writer.endObject()
    }

    private static func write(_ labels: Labels, _ writer: inout JSONWriter) {
        writer.beginObject()
        for (name, value) in LabelTable(labels).pairs { writer.member(name, value) }
        writer.endObject()
    }

    /// The target as others reach it: the name of this machine for one that is here.
    private func globalURL(_ url: String) -> String {
        guard let slashes = url.firstRange(of: "://") else { return url }
        let rest = url[slashes.upperBound...]
        let address = rest.prefix { $0 != "/" && $0 != "?" }
        guard let colon = address.lastIndex(of: ":") else { return url }
        guard ["127.0.0.1", "localhost", "[::1]"].contains(address[..<colon]) else { return url }
        let port = address[address.index(after: colon)...]
        let path = rest[address.endIndex...]
        var scheme = "http"
        var host = "\(ProcessStatus.hostName):\(listen.split(separator: ":").last ?? "")"
        if let slashes = externalURL.firstRange(of: "://") {
            scheme = String(externalURL[..<slashes.lowerBound])
            host = String(externalURL[slashes.upperBound...].prefix { $0 != "/" })
        }
        if listen.split(separator: ":").last == port { return "\(scheme)://\(host)\(path)" }
        let name = host.lastIndex(of: ":").map { host[..<$0] } ?? host[...]
        return "\(url[..<slashes.lowerBound])://\(name):\(port)\(path)"
    }

    private func writeMetadata(
        _ query: HTTPQuery,
        _ writer: inout JSONWriter
    ) throws(PrometheusRefusal) {
        var limit = -1
        if let text = query["limit"], !text.isEmpty {
            guard let value = Int(text) else {
                throw PrometheusRefusal(answer: PrometheusAPI.badData("limit must be a number"))
            }
            limit = value
        }
        let text = query["match_target"] ?? ""
        let matchers =
            try PrometheusAPI.matchers(text.isEmpty ? [] : [text], parameter: "match_target")
            .first ?? []
        let metric = query["metric"] ?? ""
        var count = 0
        writer.beginArray()
        for pool in scraper?.pools ?? [] {
            for loop in pool.active where matchers.allSatisfy({ Self.matches($0, loop) }) {
                for family in loop.report.metadata where metric.isEmpty || family.name == metric {
                    guard limit < 0 || count < limit else { break }
                    count += 1
                    writer.beginObject()
                    writer.key("target")
                    Self.write(loop.target.labels, &writer)
                    if metric.isEmpty { writer.member("metric", family.name) }
                    writer.member("type", family.metadata.type.rawValue)
                    writer.member("help", family.metadata.help)
                    writer.member("unit", family.metadata.unit)
                    writer.endObject()
                }
            }
        }
        writer.endArray()
    }

    private static func matches(_ matcher: CompiledMatcher, _ loop: ScrapeLoop) -> Bool {
        (try? matcher.matches(loop.target.labels)) ?? false
    }
}
