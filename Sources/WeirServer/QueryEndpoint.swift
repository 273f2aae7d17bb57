internal import WeirCore
internal import WeirHTTP
internal import WeirQuery
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
        case parseQuery
    }

    let source: StoreSampleSource
    /// Nil where no answers are kept.
    let results: RangeResults?
    let frame: QueryFrame

    func handle(_ kind: Kind, _ exchange: HTTPExchange) {
        frame.handle(exchange) { parameters, context in
            let answer = answer(kind, parameters, context)
            return HTTPResponse.json(answer.body, status: answer.status)
        }
    }

    private func answer(
        _ kind: Kind,
        _ parameters: [(String, String)],
        _ context: QueryContext
    ) -> PrometheusAnswer {
        var options = PromQLOptions()
        options.hasExperiments = frame.configuration.promqlExperimentalFunctions
        options.rollups = frame.configuration.rollups
        return switch kind {
        case .query:
            PrometheusAPI.query(
                parameters: parameters,
                source: source,
                context: context,
                nowMilliseconds: frame.clock.nowMilliseconds(),
                options: options
            )
        case .queryRange:
            PrometheusAPI.queryRange(
                parameters: parameters,
                source: source,
                context: context,
                options: options,
                results: results
            )
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
        case .formatQuery: PrometheusAPI.formatQuery(parameters: parameters, options: options)
        case .parseQuery: PrometheusAPI.parseQuery(parameters: parameters, options: options)
        }
    }
}
