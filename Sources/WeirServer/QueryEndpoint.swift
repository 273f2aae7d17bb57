internal import Synchronization
internal import WeirCore
internal import WeirHTTP
internal import WeirQuery
internal import WeirStore
internal import WeirSystem

/// Prometheus's query API: each query on a thread of its own pool, ended when its asker leaves.
struct QueryEndpoint: Sendable {
    enum Kind: Sendable {
        case query
        case queryRange
        case labels
        case labelValues(String)
        case series
        case formatQuery
    }

    let source: StoreSampleSource
    let configuration: ServerConfiguration
    let clock: any WallClock
    let pool: WorkerPool
    let telemetry: ServerTelemetry

    func handle(_ kind: Kind, _ exchange: HTTPExchange) {
        guard pool.waitingCount < configuration.queryQueueMax else {
            telemetry.refusedQueries.add(1)
            exchange.respond(.tooManyQueries(limit: configuration.queryQueueMax))
            return
        }
        let parameters = exchange.parameters.items.map { ($0.name, $0.value) }
        let context = QueryContext(
            samplesMax: configuration.querySamplesMax,
            seriesMax: configuration.querySeriesMax,
            memoryBytesMax: configuration.queryMemoryBytesMax,
            timeoutMilliseconds: PrometheusAPI.timeoutMilliseconds(
                in: parameters,
                maximum: Int(configuration.queryTimeout / 1_000_000)
            )
        )
        exchange.onClientGone { context.cancel() }
        pool.submit {
            guard !exchange.isClientGone else { return }
            let start = Stopwatch.monotonicNanoseconds()
            let answer = answer(kind, parameters, context)
            telemetry.queries.observe(
                seconds: Double(Stopwatch.monotonicNanoseconds() - start) / 1e9
            )
            telemetry.queriedSamples.add(context.rowsRead.load(ordering: .relaxed))
            exchange.respond(
                HTTPResponse.json(answer.body, status: answer.status).gzipped(for: exchange.head)
            )
        }
    }

    private func answer(
        _ kind: Kind,
        _ parameters: [(String, String)],
        _ context: QueryContext
    ) -> PrometheusAnswer {
        switch kind {
        case .query:
            PrometheusAPI.query(
                parameters: parameters,
                source: source,
                context: context,
                nowMilliseconds: clock.nowMilliseconds()
            )
        case .queryRange:
            PrometheusAPI.queryRange(parameters: parameters, source: source, context: context)
        case .labels:
            PrometheusAPI.labels(parameters: parameters, source: source, context: context)
        case .labelValues(let name):
            PrometheusAPI.labelValues(
                name: name,
                parameters: parameters,
                source: source,
                context: context
            )
        case .series:
            PrometheusAPI.series(parameters: parameters, source: source, context: context)
        case .formatQuery: PrometheusAPI.formatQuery(parameters: parameters)
        }
    }
}

extension HTTPResponse {
    /// As many queries wait as may.
    static func tooManyQueries(limit: Int) -> HTTPResponse {
        HTTPResponse.error(
            503,
            error: "too_many_queries",
            reason: "query-queue-max: \(limit) queries wait already",
            hint: "ask again in a moment"
        ).adding("Retry-After", "1")
    }
}
