internal import WeirCore
internal import WeirHTTP
internal import WeirQuery
internal import WeirStore
internal import WeirSystem

/// `/api/v1/status/…`: settings, the process, what costs, and the queries.
struct StatusEndpoint: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case config
        case flags
        case runtimeInfo = "runtimeinfo"
        case walReplay = "walreplay"
        case tsdb
        case cardinality
        case activeQueries = "active_queries"
        case topQueries = "top_queries"
    }

    let store: Store
    let configuration: ServerConfiguration
    let startedAt: Int64
    let register: QueryRegister
    let pool: WorkerPool

    /// Where a running query is ended.
    static let cancelPath = "/api/v1/admin/queries/cancel"
    /// Entries of a list, unless asked for more.
    private static let limit = 10
    private static let limitMax = 10_000

    static func addRoutes(
        to router: inout Router<RequestHandler.Route>,
        _ route: (Kind) -> RequestHandler.Route
    ) {
        for kind in Kind.allCases {
            router.add("GET", at: "/api/v1/status/\(kind.rawValue)", route(kind))
        }
    }

    func handle(_ kind: Kind, _ exchange: HTTPExchange) {
        let query = exchange.head.query
        pool.submit {
            exchange.respond(answer(kind, query).gzipped(for: exchange.head))
        }
    }

    /// Ends the query with the number `id`.
    func cancel(_ exchange: HTTPExchange) {
        let text = exchange.parameters["id"] ?? ""
        guard let id = UInt64(text), register.cancel(id) else {
            exchange.respond(
                .error(
                    404,
                    error: "not_found",
                    reason: "no query \"\(text)\" is running",
                    hint: "GET /api/v1/status/active_queries lists them"
                )
            )
            return
        }
        exchange.respond(.json(Array("{\"status\":\"success\"}\n".utf8)))
    }

    private func answer(_ kind: Kind, _ query: HTTPQuery) -> HTTPResponse {
        let parameter = kind == .topQueries ? "topN" : "limit"
        var limit = Self.limit
        if let text = query[parameter], !text.isEmpty {
            guard let count = Int(text), count > 0 else {
                return PrometheusAPI.badData("\(parameter) must be a positive number").response
            }
            limit = min(count, Self.limitMax)
        }
        switch kind {
        case .config: return success { $0.member("yaml", ConfigurationReader.print(configuration)) }
        case .flags:
            return success { writer in
                for key in ConfigurationKey.all { writer.member(key.name, key.get(configuration)) }
            }
        case .runtimeInfo: return success { writeRuntimeInfo(to: &$0) }
        case .walReplay:
            // The journal has been replayed before anything is answered.
            return success { writer in
                for name in ["min", "max", "current"] { writer.member(name, 0) }
            }
        case .tsdb, .cardinality: return cardinality(kind, limit, query)
        case .activeQueries:
            return PrometheusAPI.success(data: register.activeData()).response
        case .topQueries:
            let text = query["maxLifetime"] ?? ""
            guard let lifetime = text.isEmpty ? 600_000_000_000 : Units.nanoseconds(text) else {
                return PrometheusAPI.badData("maxLifetime: \"\(text)\" is no duration").response
            }
            return .json(register.topQueries(limit: limit, lifetime: lifetime, now: store.now))
        }
    }

    private func success(_ write: (inout JSONWriter) -> Void) -> HTTPResponse {
        var writer = JSONWriter()
        writer.beginObject()
        write(&writer)
        writer.endObject()
        return PrometheusAPI.success(data: writer.bytes).response
    }

    private func cardinality(_ kind: Kind, _ limit: Int, _ query: HTTPQuery) -> HTTPResponse {
        var cardinality = Cardinality()
        for signal in [Signal.metrics, .histograms] {
            cardinality.add(store.activeStreams(signal: signal), now: store.now)
        }
        if kind == .tsdb {
            let segments = store.status().signals.filter { $0.signal == .metrics }
            return PrometheusAPI.success(
                data: cardinality.prometheusData(
                    limit: limit,
                    times: store.metricTimes(),
                    chunkCount: segments.reduce(0) { $0 + $1.segments }
                )
            ).response
        }
        guard let days = Int64(query["unread_days"] ?? "30"), days > 0, days < 100_000 else {
            return PrometheusAPI.badData("unread_days must be a positive number").response
        }
        return PrometheusAPI.success(
            data: cardinality.data(
                limit: limit,
                lastReads: store.reads.days,
                today: store.now / 86_400_000_000_000,
                unreadDays: days
            )
        ).response
    }

    /// Those of Prometheus's members that stand for something here.
    private func writeRuntimeInfo(to writer: inout JSONWriter) {
        let status = store.status()
        writer.member("startTime", TimeText.rfc3339(nanoseconds: startedAt))
        writer.member("hostname", ProcessStatus.hostName)
        writer.member("serverTime", TimeText.rfc3339(nanoseconds: store.now))
        writer.member("corruptionCount", status.quarantined.count)
        writer.member("GOMAXPROCS", ProcessStatus.coreCount())
        let age = configuration.retentionAge.map { Units.text(nanoseconds: $0) }
        let size = configuration.retentionBytes.map { "\($0)B" }
        writer.member("storageRetention", [age, size].compactMap(\.self).joined(separator: " or "))
    }
}
