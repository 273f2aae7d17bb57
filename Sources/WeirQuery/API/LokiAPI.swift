internal import WeirCore
internal import WeirPattern

/// The query part of Loki's HTTP API as pure functions: decoded parameters in, an answer out.
package struct LokiAPI {
    package typealias Parameters = [(String, String)]

    /// The most entries an answer on these paths holds.
    package static let entriesMax = 100_000
    static let hour: Int64 = 3_600_000_000_000

    let source: any RowSource
    let context: QueryContext
    let parameters: LokiParameters
    let began = ContinuousClock.now

    /// `parameters`: Those of the URL and of a form body together, in order.
    package init(
        parameters: Parameters,
        source: any RowSource,
        context: QueryContext,
        nowNanoseconds: Int64
    ) {
        self.source = source
        self.context = context
        self.parameters = LokiParameters(parameters, nowNanoseconds: nowNanoseconds)
    }

    // MARK: Queries

    /// `/loki/api/v1/query`: a metric query at one time; a log query gives the hour before it.
    package func query() -> LokiAnswer {
        answer { () throws(LokiError) in
            let time = try parameters.time("time") ?? parameters.now
            let expression = try expression()
            guard expression.type != .logs else {
                let since = try parameters.duration("since") ?? Self.hour
                return try logs(expression, time - min(since, Self.hour * 24 * 365), time)
            }
            let value = try run { () throws(QueryError) in
                try LogQL.evaluateInstant(
                    expression,
                    atNanoseconds: time,
                    source: source,
                    context: context
                )
            }
            return LokiJSON.metrics(value, stats: stats, warnings: context.warnings)
        }
    }

    /// `/loki/api/v1/query_range`.
    package func queryRange() -> LokiAnswer {
        answer { () throws(LokiError) in
            let (start, end) = try parameters.span(default: Self.hour)
            let expression = try expression()
            if expression.type == .logs { return try logs(expression, start, end) }
            let step = try parameters.step(start, end)
            let value = try run { () throws(QueryError) in
                try LogQL.evaluateRange(
                    expression,
                    fromNanoseconds: start,
                    throughNanoseconds: end,
                    stepNanoseconds: step,
                    source: source,
                    context: context
                )
            }
            return LokiJSON.metrics(value, stats: stats, warnings: context.warnings)
        }
    }

    /// Entries from `start` up to but not including `end`.
    private func logs(
        _ expression: LogQLExpression,
        _ start: Int64,
        _ end: Int64
    ) throws(LokiError) -> LokiAnswer {
        guard case .logs(let query) = expression.unwrapped else {
            throw LokiError("expected a log query")
        }
        let limit = try parameters.count("limit", default: 100)
        guard limit <= Self.entriesMax else {
            throw LokiError(
                "max entries limit per query exceeded, limit > max_entries_limit "
                    + "(\(limit) > \(Self.entriesMax)); /api/v1/logs/query has no limit"
            )
        }
        let direction = try parameters.direction()
        let interval = try parameters.duration("interval") ?? 0
        var entries: [LogEntry] = []
        if end > start, limit > 0 {
            entries = try run { () throws(QueryError) in
                let search = try LogSearch(
                    query,
                    times: start...(end - 1),
                    direction: direction,
                    source: source,
                    context: context
                )
                if interval == 0 { return try search.next(limit) }
                return try Self.spaced(search, limit, interval)
            }
        }
        return LokiJSON.streams(entries, stats: stats, warnings: context.warnings)
    }

    /// Entries at least `interval` apart.
    private static func spaced(
        _ search: LogSearch,
        _ limit: Int,
        _ interval: Int64
    ) throws(QueryError) -> [LogEntry] {
        var kept: [LogEntry] = []
        while kept.count < limit {
            let page = try search.next(max(1000, limit))
            for entry in page where kept.count < limit {
                let isFar =
                    kept.last.map { last in
                        let (distance, overflow) = entry.time.subtractingReportingOverflow(
                            last.time
                        )
                        return overflow || distance.magnitude >= interval.magnitude
                    } ?? true
                if isFar { kept.append(entry) }
            }
            if page.count < max(1000, limit) { break }
        }
        return kept
    }

    /// `/loki/api/v1/format_query`.
    package func formatQuery() -> LokiAnswer {
        answer { () throws(LokiError) in
            let text = LogQLPrinter.print(try expression())
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("status", "success")
            writer.member("data", text)
            writer.endObject()
            return LokiAnswer(json: writer.bytes)
        }
    }

    // MARK: Streams

    /// `/loki/api/v1/labels`.
    package func labels() -> LokiAnswer {
        answer { () throws(LokiError) in
            var names: Set<String> = []
            for labels in try streams(try querySelectors()) {
                for pair in LogStreams.pairs(labels) { names.insert(pair.name) }
            }
            return LokiJSON.names(names)
        }
    }

    /// `/loki/api/v1/label/{name}/values`.
    package func labelValues(_ name: String) -> LokiAnswer {
        answer { () throws(LokiError) in
            var values: Set<String> = []
            for labels in try streams(try querySelectors()) {
                for pair in LogStreams.pairs(labels) where pair.name == name {
                    values.insert(pair.value)
                }
            }
            return LokiJSON.names(values)
        }
    }

    /// `/loki/api/v1/series`.
    package func series() -> LokiAnswer {
        answer { () throws(LokiError) in
            var sets: [[LabelMatcher]] = []
            for name in ["match[]", "match"] {
                for text in parameters.all(name) { sets.append(try selector(text)) }
            }
            let found = Set(
                try streams(sets).map { Labels(LogStreams.pairs($0).map { ($0.name, $0.value) }) }
            )
            let list = Array(found)
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("status", "success")
            writer.key("data")
            writer.beginArray()
            for index in LabelOrder.sortedIndices(list) {
                LokiJSON.labels(list[index], to: &writer)
            }
            writer.endArray()
            writer.endObject()
            return LokiAnswer(json: writer.bytes)
        }
    }

    private func querySelectors() throws(LokiError) -> [[LabelMatcher]] {
        guard let text = parameters["query"] else { return [] }
        return [try selector(text)]
    }

    private func selector(_ text: String) throws(LokiError) -> [LabelMatcher] {
        do throws(QueryError) {
            return try LogQLParser.parseLogs(text).matchers
        } catch {
            throw LokiError(error, query: text)
        }
    }

    func streams(_ sets: [[LabelMatcher]]) throws(LokiError) -> [Labels] {
        let (start, end) = try parameters.span(default: 6 * Self.hour)
        return try run { () throws(QueryError) in
            var resolved: [[LabelMatcher]] = []
            for matchers in sets {
                resolved.append(
                    try LogSelectors.resolved(
                        matchers,
                        times: start...end,
                        source: source,
                        context: context
                    )
                )
            }
            return try source.streams(resolved, times: start...end, context: context)
        }
    }

    // MARK: Shared

    var stats: QueryStats { QueryStats(context, since: began) }

    func expression() throws(LokiError) -> LogQLExpression {
        let text = parameters["query"] ?? ""
        do throws(QueryError) {
            return try LogQL.parse(text)
        } catch {
            throw LokiError(error, query: text)
        }
    }

    func run<Result>(
        _ body: () throws(QueryError) -> Result
    ) throws(LokiError) -> Result {
        do throws(QueryError) {
            return try body()
        } catch {
            throw LokiError(error, query: parameters["query"] ?? "")
        }
    }

    func answer(_ body: () throws(LokiError) -> LokiAnswer) -> LokiAnswer {
        do throws(LokiError) {
            return try body()
        } catch {
            return LokiAnswer(status: error.status, text: error.message)
        }
    }
}
