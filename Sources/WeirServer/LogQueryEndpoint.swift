internal import WeirCore
internal import WeirHTTP
internal import WeirQuery
internal import WeirSystem

/// Every request that reads logs: Loki's API and Weir's own paths.
///
/// Each runs on the query pool, and ends when its asker leaves.
struct LogQueryEndpoint: Sendable {
    enum Kind: Sendable {
        case lokiQuery
        case lokiQueryRange
        case lokiLabels
        case lokiLabelValues(String)
        case lokiSeries
        case lokiFormatQuery
        case lokiIndexStats
        case lokiVolume
        case lokiVolumeRange
        case lokiDetectedLabels
        case lokiDetectedFields
        case lokiDetectedFieldValues(String)
        case lokiPatterns
        case rows
        case hits
        case facets
        case patterns
    }

    let source: any RowSource
    let frame: QueryFrame

    func handle(_ kind: Kind, _ exchange: HTTPExchange) {
        let isStream = if case .rows = kind { true } else { false }
        frame.handle(exchange, isStream: isStream) { parameters, context in
            if isStream {
                stream(parameters, context, exchange)
                return nil
            }
            let answer = answer(kind, parameters, context)
            return HTTPResponse(
                status: answer.status,
                headers: [("Content-Type", answer.contentType)],
                body: .bytes(answer.body)
            )
        }
    }

    private func stream(
        _ parameters: [(String, String)],
        _ context: QueryContext,
        _ exchange: HTTPExchange
    ) {
        let api = LogsAPI(
            parameters: parameters,
            source: source,
            context: context,
            nowNanoseconds: frame.clock.nowNanoseconds()
        )
        switch api.rows() {
        case .failure(let refusal):
            exchange.respond(HTTPResponse.json(refusal.body, status: refusal.status))
        case .success(let rows):
            let body = HTTPBodyStream(isGzip: exchange.head.acceptsGzip)
            var response = HTTPResponse.stream(body, contentType: "application/x-ndjson")
            if body.isGzip { response = response.adding("Content-Encoding", "gzip") }
            exchange.respond(response)
            rows.send { bytes in body.write(bytes) }
            body.finish()
        }
    }

    private func answer(
        _ kind: Kind,
        _ parameters: [(String, String)],
        _ context: QueryContext
    ) -> LokiAnswer {
        let now = frame.clock.nowNanoseconds()
        let loki = LokiAPI(
            parameters: parameters,
            source: source,
            context: context,
            nowNanoseconds: now
        )
        let logs = LogsAPI(
            parameters: parameters,
            source: source,
            context: context,
            nowNanoseconds: now
        )
        return switch kind {
        case .lokiQuery: loki.query()
        case .lokiQueryRange: loki.queryRange()
        case .lokiLabels: loki.labels()
        case .lokiLabelValues(let name): loki.labelValues(name)
        case .lokiSeries: loki.series()
        case .lokiFormatQuery: loki.formatQuery()
        case .lokiIndexStats: loki.indexStats()
        case .lokiVolume: loki.volume()
        case .lokiVolumeRange: loki.volumeRange()
        case .lokiDetectedLabels: loki.detectedLabels()
        case .lokiDetectedFields: loki.detectedFields()
        case .lokiDetectedFieldValues(let name): loki.detectedFields(name: name)
        case .lokiPatterns: loki.patterns()
        case .hits: logs.hits()
        case .facets: logs.facets()
        case .patterns, .rows: logs.patterns()
        }
    }

    /// Adds the paths that read logs.
    ///
    /// `route`: Makes the router's own route of a kind; names in the path are filled in
    ///   when a request comes.
    static func addRoutes<Route: Sendable>(
        to router: inout Router<Route>,
        _ route: (Kind) -> Route
    ) {
        let loki: [(String, Kind)] = [
            ("query", .lokiQuery), ("query_range", .lokiQueryRange), ("labels", .lokiLabels),
            ("label", .lokiLabels), ("label/{name}/values", .lokiLabelValues("")),
            ("series", .lokiSeries), ("format_query", .lokiFormatQuery),
            ("index/stats", .lokiIndexStats), ("index/volume", .lokiVolume),
            ("index/volume_range", .lokiVolumeRange),
            ("detected_labels", .lokiDetectedLabels), ("detected_fields", .lokiDetectedFields),
            ("detected_field/{name}/values", .lokiDetectedFieldValues("")),
            ("patterns", .lokiPatterns),
        ]
        for (path, kind) in loki {
            router.add("GET", "POST", at: "/loki/api/v1/" + path, route(kind))
        }
        let own: [(String, Kind)] = [
            ("query", .rows), ("hits", .hits), ("facets", .facets), ("patterns", .patterns),
        ]
        for (path, kind) in own {
            router.add("GET", "POST", at: "/api/v1/logs/" + path, route(kind))
        }
    }

    /// The kind with what the path named.
    static func kind(_ kind: Kind, _ parameters: [String: String]) -> Kind {
        switch kind {
        case .lokiLabelValues: .lokiLabelValues(parameters["name"] ?? "")
        case .lokiDetectedFieldValues: .lokiDetectedFieldValues(parameters["name"] ?? "")
        default: kind
        }
    }

    /// `/loki/api/v1/status/buildinfo`.
    static let buildInfo: HTTPResponse = {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("version", "3.4.0")
        writer.member("revision", "weir-\(WeirVersion.text)")
        writer.member("branch", "main")
        writer.member("buildUser", "")
        writer.member("buildDate", "")
        writer.member("goVersion", "")
        writer.endObject()
        return .json(writer.bytes)
    }()
}
