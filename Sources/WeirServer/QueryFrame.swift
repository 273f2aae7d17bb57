internal import Synchronization
internal import WeirHTTP
internal import WeirQuery
internal import WeirSystem

/// What all requests that ask share: a place in the queue, limits, an end when the asker leaves, and
/// the count of what they cost.
struct QueryFrame: Sendable {
    let configuration: ServerConfiguration
    let clock: any WallClock
    let pool: WorkerPool
    let telemetry: ServerTelemetry
    let register: QueryRegister

    /// Runs `body` on the query pool.
    ///
    /// `isStream`: the answer lasts as long as its reader likes; every page of it is bounded.
    /// `body` is given the parameters of the URL and of a form body; nil when it has answered itself.
    func handle(
        _ exchange: HTTPExchange,
        isStream: Bool = false,
        _ body:
            @escaping @Sendable (_ parameters: [(String, String)], _ context: QueryContext) ->
            HTTPResponse?
    ) {
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
            timeoutMilliseconds: isStream
                ? 24 * 3_600_000
                : PrometheusAPI.timeoutMilliseconds(
                    in: parameters,
                    maximum: Int(configuration.queryTimeout / 1_000_000)
                )
        )
        exchange.onClientGone { context.cancel() }
        let id = register.begin(
            QueryRegister.Asked(
                path: exchange.head.path,
                parameters: parameters,
                remoteAddress: "\(exchange.head.remoteAddress)",
                at: clock.nowNanoseconds()
            ),
            context
        )
        pool.submit {
            guard !exchange.isClientGone else {
                register.end(id, seconds: 0, status: nil)
                return
            }
            let start = Stopwatch.monotonicNanoseconds()
            let response = body(parameters, context)
            let seconds = Double(Stopwatch.monotonicNanoseconds() - start) / 1e9
            register.end(id, seconds: seconds, status: response?.status ?? 200)
            telemetry.queries.observe(seconds: seconds)
            telemetry.queriedSamples.add(context.rowsRead.load(ordering: .relaxed))
            if let response { exchange.respond(response.gzipped(for: exchange.head)) }
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
