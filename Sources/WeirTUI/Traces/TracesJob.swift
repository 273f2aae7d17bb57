internal import WeirCore

/// One of the questions about traces that screens ask.
package struct TracesJob: Sendable, Hashable {
    package enum Part: Hashable, Sendable {
        case search(query: String, limit: Int, isByDuration: Bool)
        case trace(id: String)
        /// Of the whole trace where `span` is nil.
        case logs(id: String, span: String?)
        case metrics(id: String, span: String)
        case graph
        /// Those behind a panel's expressions.
        case exemplars(panel: Int, expressions: [String])
    }

    package let part: Part
    /// Milliseconds since 1970; of no account to a trace.
    package let from: Int64
    package let to: Int64

    static let logLinesMax = 200

    /// Asks and waits.
    package func run(_ api: any QueryAPI) throws(APIError) -> TracesAnswer {
        let times = [("start", TimeText.nanoseconds(from)), ("end", TimeText.nanoseconds(to))]
        switch part {
        case .search(let query, let limit, let isByDuration):
            let answer = try api.get(
                path: "/api/v1/traces/search",
                parameters: [("q", query)] + times + [
                    ("limit", String(limit)), ("sort", isByDuration ? "duration" : "recent"),
                ]
            )
            return .found(try TraceSummary.list(answer))
        case .trace(let id):
            return .trace(
                TraceTree(try TraceModel(try api.get(path: Self.path(id), parameters: [])))
            )
        case .logs(let id, let span):
            let answer = try api.get(
                path: Self.path(id) + "/logs",
                parameters: (span.map { [("span", $0)] } ?? []) + [
                    ("limit", String(Self.logLinesMax))
                ]
            )
            return .logs(try TraceLogLine.list(answer))
        case .metrics(let id, let span):
            return .metrics(
                try SpanMetrics(
                    try api.get(path: Self.path(id) + "/metrics", parameters: [("span", span)])
                )
            )
        case .graph:
            return .graph(
                ServiceGraphModel(try api.get(path: "/api/v1/services/graph", parameters: times))
            )
        case .exemplars(_, let expressions):
            var found: [Exemplar] = []
            for expression in expressions {
                found += try Exemplar.list(
                    try api.data(
                        "/api/v1/query_exemplars",
                        [
                            ("query", expression), ("start", TimeText.seconds(from)),
                            ("end", TimeText.seconds(to)),
                        ]
                    )
                )
            }
            var seen: Set<Exemplar> = []
            return .exemplars(
                found.filter { seen.insert($0).inserted }.sorted { $0.time < $1.time }
            )
        }
    }

    private static func path(_ id: String) -> String {
        "/api/v1/traces/\(PercentEncoding.encode(id))"
    }
}

/// What came of it.
package enum TracesAnswer: Sendable {
    case found([TraceSummary])
    case trace(TraceTree)
    case logs([TraceLogLine])
    case metrics(SpanMetrics)
    case graph(ServiceGraphModel)
    case exemplars([Exemplar])
}
