internal import WeirAlerts
internal import WeirCore
internal import WeirHTTP
internal import WeirQuery
internal import WeirStore
internal import WeirSystem

/// Every path the server answers, and what answers it.
///
/// The list of paths is docs/api.md.
final class RequestHandler: HTTPHandler {
    enum Route: Sendable {
        case write
        case logs(LogsEndpoint.Wire)
        case spans(SpanWire)
        case elastic(ElasticEndpoint.Request)
        case otlpMetrics
        case remoteWrite
        case textImport
        case export
        case remoteRead
        case federate
        case metadata
        case targets(TargetsEndpoint.Kind)
        case ping
        case influxHealth
        case influxQuery
        case query
        case queryRange
        case labels
        case labelValues
        case series
        case formatQuery
        case parseQuery
        case buildInfo
        case tail(TailEndpoint.Wire)
        case rules
        case alerts
        case alertReceivers
        case notifications
        case healthy
        case ready
        case status
        case metrics
        case admin(AdminEndpoint.Action)
        case reload
        case adminTSDB(AdminTSDBEndpoint.Action)
        case statusPage(StatusEndpoint.Kind)
        case cancelQuery
        case readLogs(LogQueryEndpoint.Kind)
        case readTraces(TraceQueryEndpoint.Kind)
        case lokiBuildInfo
        case lokiReady
    }

    /// Where bodies may be snappy.
    private static let snappyPaths: Set<String> = [
        LogsEndpoint.lokiPath, RemoteWriteEndpoint.path, RemoteReadEndpoint.path,
    ]

    private let router: Router<Route>
    private let parts: ServerParts

    init(_ parts: ServerParts) {
        self.parts = parts
        var router = Router<Route>()
        router.add("POST", at: "/write", .write)
        router.add("POST", at: "/api/v2/write", .write)
        router.add("POST", at: "/api/v1/logs", .logs(.lines))
        router.add("POST", at: "/insert/jsonline", .logs(.lines))
        router.add("POST", at: "/loki/api/v1/push", .logs(.loki))
        router.add("POST", at: "/v1/logs", .logs(.otlp))
        router.add("POST", at: "/v1/metrics", .otlpMetrics)
        router.add("POST", at: RemoteWriteEndpoint.path, .remoteWrite)
        router.add("POST", "PUT", at: "/api/v1/import/prometheus", .textImport)
        router.add("GET", "POST", at: "/api/v1/export", .export)
        router.add("POST", at: RemoteReadEndpoint.path, .remoteRead)
        router.add("GET", at: FederateEndpoint.path, .federate)
        router.add("GET", at: "/api/v1/metadata", .metadata)
        router.add("GET", at: "/api/v1/targets", .targets(.targets))
        router.add("GET", at: "/api/v1/targets/metadata", .targets(.metadata))
        router.add("GET", at: "/api/v1/scrape_pools", .targets(.pools))
        router.add("POST", at: "/v1/traces", .spans(.otlp))
        router.add("POST", at: "/api/v2/spans", .spans(.zipkin))
        router.add("POST", at: "/api/traces", .spans(.jaeger))
        router.add("POST", at: "/api/v1/spans", .spans(.json))
        router.add("POST", "PUT", at: "/_bulk", .elastic(.bulk))
        router.add("POST", "PUT", at: "/{index}/_bulk", .elastic(.bulk))
        router.add("GET", at: "/", .elastic(.info))
        router.add("GET", at: "/_cluster/health", .elastic(.health))
        router.add("GET", at: "/_license", .elastic(.license))
        router.add("GET", at: "/ping", .ping)
        router.add("GET", at: "/health", .influxHealth)
        router.add("GET", "POST", at: "/query", .influxQuery)
        router.add("GET", "POST", at: "/api/v1/query", .query)
        router.add("GET", "POST", at: "/api/v1/query_range", .queryRange)
        router.add("GET", "POST", at: "/api/v1/labels", .labels)
        router.add("GET", at: "/api/v1/label/{name}/values", .labelValues)
        router.add("GET", "POST", at: "/api/v1/series", .series)
        router.add("GET", "POST", at: "/api/v1/format_query", .formatQuery)
        router.add("GET", "POST", at: "/api/v1/parse_query", .parseQuery)
        router.add("GET", at: "/api/v1/status/buildinfo", .buildInfo)
        router.add("GET", at: "/api/v1/logs/tail", .tail(.lines))
        router.add("GET", at: "/loki/api/v1/tail", .tail(.loki))
        router.add("GET", at: "/api/v1/rules", .rules)
        router.add("GET", at: "/api/v1/alerts", .alerts)
        router.add("GET", at: "/api/v1/alertmanagers", .alertReceivers)
        router.add("GET", at: "/api/v1/notifications", .notifications)
        router.add("GET", at: "/-/healthy", .healthy)
        router.add("GET", at: "/-/ready", .ready)
        router.add("POST", "PUT", at: "/-/reload", .reload)
        router.add("GET", at: "/api/v1/status", .status)
        router.add("GET", at: "/metrics", .metrics)
        router.add("POST", at: "/api/v1/admin/flush", .admin(.flush))
        router.add("POST", at: "/api/v1/admin/merge", .admin(.merge))
        router.add("POST", at: "/api/v1/admin/snapshot", .admin(.snapshot))
        StatusEndpoint.addRoutes(to: &router) { .statusPage($0) }
        router.add("POST", at: StatusEndpoint.cancelPath, .cancelQuery)
        AdminTSDBEndpoint.addRoutes(to: &router) { .adminTSDB($0) }
        LogQueryEndpoint.addRoutes(to: &router) { .readLogs($0) }
        TraceQueryEndpoint.addRoutes(to: &router) { .readTraces($0) }
        router.add("GET", at: "/loki/api/v1/status/buildinfo", .lokiBuildInfo)
        router.add("GET", at: "/ready", .lokiReady)
        self.router = router
    }

    func accept(_ head: HTTPRequestHead) -> HTTPAdmission {
        let refusal = router.refusal(
            method: head.method,
            path: head.path,
            segments: head.pathSegments
        )
        if let refusal {
            let isElastic = head.path.hasPrefix("/_") || head.path.hasSuffix("/_bulk")
            return .refuse(isElastic ? ElasticEndpoint.marked(refusal, for: head) : refusal)
        }
        if Self.snappyPaths.contains(head.path) {
            // Snappy is unpacked where its one block is at hand.
            return .read(
                bodyBytesMax: parts.configuration.bodyBytesMax,
                passingThrough: ["snappy"]
            )
        }
        return .read(bodyBytesMax: parts.configuration.bodyBytesMax)
    }

    func handle(_ exchange: HTTPExchange) {
        let head = exchange.head
        guard
            case .found(let route, let parameters) = router.match(
                method: head.method,
                path: head.path,
                segments: head.pathSegments
            )
        else {
            exchange.respond(
                router.refusal(
                    method: head.method,
                    path: head.path,
                    segments: head.pathSegments
                ) ?? .empty(404)
            )
            return
        }
        switch route {
        case .write: parts.write.handle(exchange)
        case .logs(let wire): parts.logs.handle(wire, exchange)
        case .spans(let wire): parts.spans.handle(wire, exchange)
        case .elastic(let request):
            parts.elastic.handle(request, index: parameters["index"] ?? "", exchange)
        case .otlpMetrics: parts.otlpMetrics.handle(exchange)
        case .remoteWrite: parts.remoteWrite.handle(exchange)
        case .textImport: parts.textImport.handle(exchange)
        case .export: parts.export.handle(exchange)
        case .federate: parts.federate.handle(exchange)
        case .remoteRead: parts.remoteRead.handle(exchange)
        case .metadata:
            exchange.respond(
                MetadataJSON.response(parts.store.metadata, head.query).gzipped(for: head)
            )
        case .targets(let kind):
            exchange.respond(parts.targets.response(kind, head.query).gzipped(for: head))
        case .ping: exchange.respond(InfluxHandshake.ping)
        case .influxHealth: exchange.respond(InfluxHandshake.health)
        case .influxQuery:
            exchange.respond(InfluxHandshake.query(exchange.parameters["q"] ?? ""))
        case .query: parts.query.handle(.query, exchange)
        case .queryRange: parts.query.handle(.queryRange, exchange)
        case .labels: parts.query.handle(.labels, exchange)
        case .labelValues:
            parts.query.handle(.labelValues(parameters["name"] ?? ""), exchange)
        case .series: parts.query.handle(.series, exchange)
        case .formatQuery: parts.query.handle(.formatQuery, exchange)
        case .parseQuery: parts.query.handle(.parseQuery, exchange)
        case .buildInfo: exchange.respond(Self.buildInfo)
        case .tail(let wire): parts.tail.handle(wire, exchange)
        case .rules:
            let answer = RulesEndpoint.rules(parts.rules.groups, exchange.head.query)
            exchange.respond(answer.gzipped(for: head))
        case .alertReceivers:
            exchange.respond(RulesEndpoint.receivers(parts.configuration.webhooks))
        case .notifications:
            // What Prometheus shows its users in its own pages; there is nothing of the kind here.
            exchange.respond(PrometheusAPI.success(data: Array("[]".utf8)).response)
        case .alerts:
            exchange.respond(
                HTTPResponse.json(RulesJSON.alerts(parts.rules.groups)).gzipped(for: head)
            )
        case .healthy: exchange.respond(.text("Weir is healthy.\n"))
        case .ready: exchange.respond(.text("Weir is ready.\n"))
        case .status: exchange.respond(status(exchange))
        case .metrics: exchange.respond(metrics(exchange))
        case .admin(let action): parts.admin.handle(action, exchange)
        case .reload: exchange.respond(reload())
        case .adminTSDB(let action): parts.adminTSDB.handle(action, exchange)
        case .statusPage(let kind): parts.statusPages.handle(kind, exchange)
        case .cancelQuery: parts.statusPages.cancel(exchange)
        case .readLogs(let kind):
            parts.logQuery.handle(LogQueryEndpoint.kind(kind, parameters), exchange)
        case .readTraces(let kind):
            parts.traceQuery.handle(kind, parameters, exchange)
        case .lokiBuildInfo: exchange.respond(LogQueryEndpoint.buildInfo)
        case .lokiReady: exchange.respond(.text("ready\n"))
        }
    }

    private func status(_ exchange: HTTPExchange) -> HTTPResponse {
        HTTPResponse.json(
            StatusJSON.bytes(
                parts.store.status(),
                replay: parts.store.replayReport,
                rules: parts.ruleLoop.load,
                startedAt: parts.startedAt,
                now: parts.clock.nowNanoseconds()
            )
        ).gzipped(for: exchange.head)
    }

    private func metrics(_ exchange: HTTPExchange) -> HTTPResponse {
        var response = HTTPResponse.text(parts.selfMetrics().text)
        response.headers = [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")]
        return response.gzipped(for: exchange.head)
    }

    private func reload() -> HTTPResponse {
        if let problem = parts.reloadScraping() {
            return .error(
                400,
                error: "bad_scrape_config",
                reason: problem,
                hint: "what was scraped before is scraped on; rules were not read"
            )
        }
        let load = parts.ruleLoop.reload()
        guard load.problems.isEmpty else {
            return .error(
                400,
                error: "bad_rules",
                reason: load.problems.map(\.description).joined(separator: "; "),
                hint: "files with a problem keep the rules they had"
            )
        }
        return .text("\(load.ruleCount) rules in \(load.groupCount) groups\n")
    }

    private static let buildInfo: HTTPResponse = {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("status", "success")
        writer.key("data")
        writer.beginObject()
        writer.member("version", "3.0.0")
        writer.member("revision", "weir-\(WeirVersion.text)")
        writer.member("branch", "main")
        writer.member("buildUser", "")
        writer.member("buildDate", "")
        writer.member("goVersion", "")
        writer.endObject()
        writer.endObject()
        return .json(writer.bytes)
    }()
}
