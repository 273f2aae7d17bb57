internal import WeirCore
internal import WeirPattern

/// The query part of Prometheus's HTTP API as pure functions: decoded parameters in, a JSON answer
/// out.
///
/// The parameters are those of the URL and of a form body together, in order.
package enum PrometheusAPI {
    package typealias Parameters = [(String, String)]

    private static let truncated = "results truncated due to limit"

    /// `/api/v1/query`.
    package static func query(
        parameters: Parameters,
        source: any SampleSource,
        context: QueryContext,
        nowMilliseconds: Int64,
        options: PromQLOptions = PromQLOptions()
    ) -> PrometheusAnswer {
        answer { () throws(PrometheusError) in
            let start = ContinuousClock.now
            let time = try time(parameters, "time", isOptional: true) ?? nowMilliseconds
            let limit = try limit(parameters)
            try checkTimeout(parameters)
            let options = try withRollups(parameters, try withLookback(parameters, options))
            let expression = try expression(parameters, options)
            let value = try run { () throws(QueryError) in
                try PromQL.evaluateInstant(
                    expression,
                    atMilliseconds: time,
                    source: source,
                    context: context,
                    options: options
                )
            }
            return finish(value, limit, context, start)
        }
    }

    /// `/api/v1/query_range`.
    ///
    /// `nocache=1` leaves `results` alone.
    package static func queryRange(
        parameters: Parameters,
        source: any SampleSource,
        context: QueryContext,
        options: PromQLOptions = PromQLOptions(),
        results: RangeResults? = nil
    ) -> PrometheusAnswer {
        answer { () throws(PrometheusError) in
            let begin = ContinuousClock.now
            let start = try requiredTime(parameters, "start")
            let end = try requiredTime(parameters, "end")
            guard end >= start else {
                throw PrometheusError(
                    parameter: "end",
                    "end timestamp must not be before start time"
                )
            }
            let stepText = value(parameters, "step") ?? ""
            guard let step = PrometheusTime.durationMilliseconds(stepText) else {
                throw PrometheusError(
                    parameter: "step",
                    "cannot parse \(PromQLStringLiteral.quote(stepText)) to a valid duration"
                )
            }
            guard step > 0 else {
                throw PrometheusError(
                    parameter: "step",
                    "zero or negative query resolution step widths are not accepted. Try a "
                        + "positive integer"
                )
            }
            guard (end - start) / step <= Int64(PromQL.pointsMax) else {
                let error = QueryError.limit(
                    name: "points per timeseries",
                    limit: PromQL.pointsMax
                )
                throw PrometheusError(.badData, error.message(query: ""))
            }
            let limit = try limit(parameters)
            try checkTimeout(parameters)
            let options = try withRollups(parameters, try withLookback(parameters, options))
            let expression = try expression(parameters, options)
            guard expression.type == .scalar || expression.type == .vector else {
                throw PrometheusError(
                    parameter: "query",
                    "invalid expression type \"\(expression.type.rawValue)\" for range query, "
                        + "must be Scalar or instant Vector"
                )
            }
            let isFresh = ["1", "true"].contains(Self.value(parameters, "nocache"))
            if isFresh { results?.cache.count(.bypass) }
            let value = try run { () throws(QueryError) in
                try PromQL.evaluateRange(
                    expression,
                    fromMilliseconds: start,
                    throughMilliseconds: end,
                    stepMilliseconds: step,
                    source: source,
                    context: context,
                    options: options,
                    results: isFresh ? nil : results,
                    text: Self.value(parameters, "query") ?? ""
                )
            }
            return finish(value, limit, context, begin)
        }
    }

    /// `/api/v1/labels`.
    package static func labels(
        parameters: Parameters,
        source: any SampleSource,
        context: QueryContext
    ) -> PrometheusAnswer {
        answer { () throws(PrometheusError) in
            let start = ContinuousClock.now
            let names = try labelTexts(nil, parameters, source, context)
            return try finish(names, parameters, context, start)
        }
    }

    /// `/api/v1/label/{name}/values`.
    package static func labelValues(
        name: String,
        parameters: Parameters,
        source: any SampleSource,
        context: QueryContext
    ) -> PrometheusAnswer {
        answer { () throws(PrometheusError) in
            let start = ContinuousClock.now
            guard !name.isEmpty else {
                throw PrometheusError(.badData, "invalid label name: \"\"")
            }
            let values = try labelTexts(name, parameters, source, context)
            return try finish(values, parameters, context, start)
        }
    }

    /// `/api/v1/series`.
    package static func series(
        parameters: Parameters,
        source: any SampleSource,
        context: QueryContext
    ) -> PrometheusAnswer {
        answer { () throws(PrometheusError) in
            let start = ContinuousClock.now
            guard value(parameters, "match[]") != nil else {
                throw PrometheusError(.badData, "no match[] parameter provided")
            }
            let limit = try limit(parameters)
            let found = try matchingSeries(parameters, source, context)
            let order = LabelOrder.sortedIndices(found)
            return PrometheusJSON.success(
                order.prefix(limit).map { found[$0] },
                stats: QueryStats(context, since: start),
                warnings: context.warnings + (order.count > limit ? [truncated] : [])
            )
        }
    }

    /// `/api/v1/format_query`.
    package static func formatQuery(
        parameters: Parameters,
        options: PromQLOptions = PromQLOptions()
    ) -> PrometheusAnswer {
        answer { () throws(PrometheusError) in
            PrometheusJSON.success(text: PromQLLayout.format(try written(parameters, options)))
        }
    }

    /// `/api/v1/parse_query`.
    package static func parseQuery(
        parameters: Parameters,
        options: PromQLOptions = PromQLOptions()
    ) -> PrometheusAnswer {
        answer { () throws(PrometheusError) in
            PrometheusJSON.success(tree: PromQLTree.bytes(of: try written(parameters, options)))
        }
    }

    /// The expression as it is written, whether it can be answered or not.
    private static func written(
        _ parameters: Parameters,
        _ options: PromQLOptions
    ) throws(PrometheusError) -> PromQLExpression {
        try expression(parameters, options, PromQLParser.parse(_:hasExperiments:))
    }

    /// The `timeout` a request asks for, at most `maximum`; to make its `QueryContext` with.
    package static func timeoutMilliseconds(in parameters: Parameters, maximum: Int) -> Int {
        guard let text = value(parameters, "timeout"),
            let asked = PrometheusTime.durationMilliseconds(text), asked >= 0
        else { return maximum }
        return min(Int(asked), maximum)
    }

    private static func checkTimeout(_ parameters: Parameters) throws(PrometheusError) {
        guard let text = value(parameters, "timeout"), !text.isEmpty,
            PrometheusTime.durationMilliseconds(text) == nil
        else { return }
        throw PrometheusError(
            parameter: "timeout",
            "cannot parse \(PromQLStringLiteral.quote(text)) to a valid duration"
        )
    }

    // MARK: Parameters

    static func value(_ parameters: Parameters, _ name: String) -> String? {
        parameters.first { $0.0 == name }?.1
    }

    /// `isOptional`: Prometheus words the error another way where it has a default.
    static func time(
        _ parameters: Parameters,
        _ name: String,
        isOptional: Bool = false
    ) throws(PrometheusError) -> Int64? {
        guard let text = value(parameters, name), !text.isEmpty else { return nil }
        guard let time = PrometheusTime.milliseconds(text) else {
            throw PrometheusError(
                parameter: name,
                (isOptional ? "invalid time value for '\(name)': " : "")
                    + "cannot parse \(PromQLStringLiteral.quote(text)) to a valid timestamp"
            )
        }
        return time
    }

    private static func requiredTime(
        _ parameters: Parameters,
        _ name: String
    ) throws(PrometheusError) -> Int64 {
        guard let time = try time(parameters, name) else {
            throw PrometheusError(parameter: name, "cannot parse \"\" to a valid timestamp")
        }
        return time
    }

    /// The most results wanted; no limit when the parameter is missing or zero.
    static func limit(_ parameters: Parameters) throws(PrometheusError) -> Int {
        guard let text = value(parameters, "limit"), !text.isEmpty else { return .max }
        guard let limit = Int(text) else {
            throw PrometheusError(
                parameter: "limit",
                "strconv.Atoi: parsing \(PromQLStringLiteral.quote(text)): invalid syntax"
            )
        }
        guard limit >= 0 else {
            throw PrometheusError(parameter: "limit", "limit must be non-negative")
        }
        return limit == 0 ? .max : limit
    }

    private static func withLookback(
        _ parameters: Parameters,
        _ options: PromQLOptions
    ) throws(PrometheusError) -> PromQLOptions {
        guard let text = value(parameters, "lookback_delta"), !text.isEmpty else { return options }
        guard let lookback = PrometheusTime.durationMilliseconds(text), lookback > 0 else {
            throw PrometheusError(
                .badData,
                "error parsing lookback delta duration: "
                    + "cannot parse \(PromQLStringLiteral.quote(text)) to a valid duration"
            )
        }
        var changed = options
        changed.lookbackMilliseconds = lookback
        return changed
    }

    /// `rollups`, Weir's own: whether rollups may answer.
    private static func withRollups(
        _ parameters: Parameters,
        _ options: PromQLOptions
    ) throws(PrometheusError) -> PromQLOptions {
        guard let text = value(parameters, "rollups"), !text.isEmpty else { return options }
        guard let use = RollupUse(rawValue: text) else {
            throw PrometheusError(
                parameter: "rollups",
                "\(PromQLStringLiteral.quote(text)) is none of exact, rounded and off"
            )
        }
        var changed = options
        changed.rollups = use
        return changed
    }

    private static func expression(
        _ parameters: Parameters,
        _ options: PromQLOptions,
        _ parse: (String, Bool) throws(QueryError) -> PromQLExpression =
            PromQL.parse(_:hasExperiments:)
    ) throws(PrometheusError) -> PromQLExpression {
        let text = value(parameters, "query") ?? ""
        do throws(QueryError) {
            return try parse(text, options.hasExperiments)
        } catch {
            throw PrometheusError(parameter: "query", error.message(query: text))
        }
    }

    /// What each `match[]` asks for.
    ///
    /// `isNamed`: whether errors name the parameter.
    static func selectors(
        _ parameters: Parameters,
        isNamed: Bool = true
    ) throws(PrometheusError) -> [[LabelMatcher]] {
        var sets: [[LabelMatcher]] = []
        for (name, text) in parameters where name == "match[]" {
            do throws(QueryError) {
                sets.append(try PromQLParser.parseSelector(text).matchers)
            } catch {
                var reason = error.message(query: text)
                if case .parse(_, PromQLParser.emptySelector) = error {
                    reason = "match[] must contain at least one non-empty matcher"
                }
                throw isNamed
                    ? PrometheusError(parameter: "match[]", reason)
                    : PrometheusError(.badData, reason)
            }
        }
        return sets
    }

    /// `start` and `end`; all times without them.
    static func times(
        _ parameters: Parameters
    ) throws(PrometheusError) -> (from: Int64, through: Int64) {
        let from =
            try time(parameters, "start", isOptional: true) ?? PrometheusTime.millisecondsMin
        let through =
            try time(parameters, "end", isOptional: true) ?? PrometheusTime.millisecondsMax
        // As Prometheus, which finds what lies between.
        return (min(from, through), max(from, through))
    }

    /// Which series a request means, and when.
    private struct Scope {
        let matcherSets: [[LabelMatcher]]
        let from: Int64
        let through: Int64

        init(_ parameters: Parameters, isNamed: Bool) throws(PrometheusError) {
            matcherSets = try selectors(parameters, isNamed: isNamed)
            (from, through) = try times(parameters)
        }
    }

    private static func matchingSeries(
        _ parameters: Parameters,
        _ source: any SampleSource,
        _ context: QueryContext
    ) throws(PrometheusError) -> [Labels] {
        let scope = try Scope(parameters, isNamed: true)
        return try run { () throws(QueryError) in
            try source.series(
                scope.matcherSets,
                fromMilliseconds: scope.from,
                throughMilliseconds: scope.through,
                context: context
            )
        }
    }

    private static func labelTexts(
        _ label: String?,
        _ parameters: Parameters,
        _ source: any SampleSource,
        _ context: QueryContext
    ) throws(PrometheusError) -> [String] {
        let scope = try Scope(parameters, isNamed: false)
        return try run { () throws(QueryError) in
            try source.labelTexts(
                label,
                scope.matcherSets,
                fromMilliseconds: scope.from,
                throughMilliseconds: scope.through,
                context: context
            )
        }
    }

    // MARK: Answers

    static func answer(
        _ body: () throws(PrometheusError) -> PrometheusAnswer
    ) -> PrometheusAnswer {
        do throws(PrometheusError) {
            return try body()
        } catch {
            return PrometheusJSON.failure(error)
        }
    }

    static func run<Result>(
        _ body: () throws(QueryError) -> Result
    ) throws(PrometheusError) -> Result {
        do throws(QueryError) {
            return try body()
        } catch {
            throw PrometheusError(error)
        }
    }

    private static func finish(
        _ names: [String],
        _ parameters: Parameters,
        _ context: QueryContext,
        _ start: ContinuousClock.Instant
    ) throws(PrometheusError) -> PrometheusAnswer {
        let limit = try limit(parameters)
        return PrometheusJSON.success(
            Array(names.prefix(limit)),
            stats: QueryStats(context, since: start),
            warnings: context.warnings + (names.count > limit ? [truncated] : [])
        )
    }

    private static func finish(
        _ value: QueryValue,
        _ limit: Int,
        _ context: QueryContext,
        _ start: ContinuousClock.Instant
    ) -> PrometheusAnswer {
        var kept = value
        var isTruncated = false
        switch value {
        case .vector(let time, let samples) where samples.count > limit:
            kept = .vector(time: time, samples: Array(samples.prefix(limit)))
            isTruncated = true
        case .matrix(let series) where series.count > limit:
            kept = .matrix(Array(series.prefix(limit)))
            isTruncated = true
        default: break
        }
        return PrometheusJSON.success(
            kept,
            stats: QueryStats(context, since: start),
            warnings: context.warnings + (isTruncated ? [truncated] : []),
            infos: context.infos
        )
    }
}
