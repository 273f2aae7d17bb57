internal import WeirCore
internal import WeirHTTP
internal import WeirQuery
internal import WeirSystem

/// Every request that reads traces: Tempo's API, Jaeger's, and Weir's own paths.
struct TraceQueryEndpoint: Sendable {
    enum Kind: Sendable {
        case trace
        case search
        case tempoOrJaegerTrace
        case tempoTrace
        case tempoTraceV2
        case tempoSearch
        case tempoEcho
        case tempoBuildInfo
        case tempoTags
        case tempoTagsV2
        case tempoTagValues
        case tempoTagValuesV2
        case tempoMetricsRange
        case tempoMetrics
        case jaegerTrace
        case jaegerSearch
        case jaegerServices
        case jaegerServiceOperations
        case jaegerOperations
        case jaegerDependencies
        case traceLogs
        case traceMetrics
        case exemplars
        case exemplarTraces
        case graph
    }

    let spans: any RowSource
    let exemplars: any RowSource
    let logs: any RowSource
    let samples: any SampleSource
    let frame: QueryFrame

    func handle(_ kind: Kind, _ path: [String: String], _ exchange: HTTPExchange) {
        let isProtobuf =
            exchange.head.header("accept")?.lowercased().contains("application/protobuf") ?? false
        frame.handle(exchange) { parameters, context in
            let request = TracesRequest(
                parameters: parameters,
                spans: spans,
                context: context,
                nowNanoseconds: frame.clock.nowNanoseconds()
            )
            let answer = answer(kind, path, request, isProtobuf: isProtobuf)
            return HTTPResponse(
                status: answer.status,
                headers: [("Content-Type", answer.contentType)],
                body: .bytes(answer.body)
            )
        }
    }

    private func answer(
        _ kind: Kind,
        _ path: [String: String],
        _ request: TracesRequest,
        isProtobuf: Bool
    ) -> TracesAnswer {
        let name = path["name"] ?? ""
        let own = TracesAPI(request)
        let tempo = TempoAPI(request)
        let jaeger = JaegerAPI(request)
        return switch kind {
        case .trace: own.trace(name)
        case .search: own.search()
        case .tempoOrJaegerTrace:
            isProtobuf ? tempo.trace(name, isProtobuf: true) : jaeger.traceForBoth(name)
        case .tempoTrace: tempo.trace(name, isProtobuf: isProtobuf)
        case .tempoTraceV2: tempo.traceV2(name, isProtobuf: isProtobuf)
        case .tempoSearch: tempo.search()
        case .tempoEcho: TempoAPI.echo
        case .tempoBuildInfo: TempoAPI.buildInfo(version: WeirVersion.text)
        case .tempoTags: tempo.tagNames()
        case .tempoTagsV2: tempo.tagNamesV2()
        case .tempoTagValues: tempo.tagValues(name)
        case .tempoTagValuesV2: tempo.tagValuesV2(name)
        case .tempoMetricsRange: tempo.metricsRange()
        case .tempoMetrics: tempo.metricsInstant()
        case .jaegerTrace: jaeger.trace(name)
        case .jaegerSearch: jaeger.search()
        case .jaegerServices: jaeger.services()
        case .jaegerServiceOperations: jaeger.operations(of: name)
        case .jaegerOperations: jaeger.operations()
        case .jaegerDependencies: jaeger.dependencies()
        case .traceLogs: own.logs(name, source: logs)
        case .traceMetrics: own.metrics(name, source: samples)
        case .exemplars: ExemplarsAPI(request, exemplars: exemplars).query()
        case .exemplarTraces: ExemplarsAPI(request, exemplars: exemplars).traces()
        case .graph: own.graph(source: samples)
        }
    }

    /// Adds the paths that read traces.
    ///
    /// `route`: Makes the router's own route of a kind.
    static func addRoutes<Route: Sendable>(
        to router: inout Router<Route>,
        _ route: (Kind) -> Route
    ) {
        let own: [(String, Kind)] = [
            ("traces/{name}", .trace), ("traces/search", .search),
            ("traces/{name}/logs", .traceLogs), ("traces/{name}/metrics", .traceMetrics),
            ("query_exemplars", .exemplars), ("exemplars/traces", .exemplarTraces),
            ("services/graph", .graph),
        ]
        for (path, kind) in own { router.add("GET", "POST", at: "/api/v1/" + path, route(kind)) }
        let tempo: [(String, Kind)] = [
            ("/api/v2/traces/{name}", .tempoTraceV2), ("/api/search", .tempoSearch),
            ("/api/echo", .tempoEcho), ("/api/status/buildinfo", .tempoBuildInfo),
            ("/api/search/tags", .tempoTags), ("/api/v2/search/tags", .tempoTagsV2),
            ("/api/search/tag/{name}/values", .tempoTagValues),
            ("/api/v2/search/tag/{name}/values", .tempoTagValuesV2),
            ("/api/metrics/query_range", .tempoMetricsRange),
            ("/api/metrics/query", .tempoMetrics),
        ]
        for (path, kind) in tempo {
            router.add("GET", "POST", at: path, route(kind))
            router.add("GET", "POST", at: "/tempo" + path, route(kind))
        }
        let jaeger: [(String, Kind)] = [
            ("/api/services", .jaegerServices),
            ("/api/services/{name}/operations", .jaegerServiceOperations),
            ("/api/operations", .jaegerOperations), ("/api/traces", .jaegerSearch),
            ("/api/dependencies", .jaegerDependencies),
        ]
        for (path, kind) in jaeger {
            router.add("GET", at: path, route(kind))
            router.add("GET", at: "/jaeger" + path, route(kind))
        }
        router.add("GET", at: "/api/traces/{name}", route(.tempoOrJaegerTrace))
        router.add("GET", at: "/tempo/api/traces/{name}", route(.tempoTrace))
        router.add("GET", at: "/jaeger/api/traces/{name}", route(.jaegerTrace))
    }
}
