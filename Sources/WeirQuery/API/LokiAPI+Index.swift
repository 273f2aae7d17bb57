internal import WeirCore
internal import WeirPattern

/// What there is, how much of it, and of what form.
extension LokiAPI {
    private func logQuery() throws(LokiError) -> LogQLQuery {
        guard let text = parameters["query"] else { return LogQLQuery() }
        do throws(QueryError) {
            return try LogQLParser.parseLogs(text)
        } catch {
            throw LokiError(error, query: text)
        }
    }

    private func total(
        _ operation: LogQLRangeOperation,
        _ query: LogQLQuery,
        _ start: Int64,
        _ end: Int64
    ) throws(LokiError) -> Double {
        let value = try instant(operation, query, Grouping(), start, end)
        guard case .vector(_, let samples) = value else { return 0 }
        return samples.reduce(0) { $0 + $1.value }
    }

    private func instant(
        _ operation: LogQLRangeOperation,
        _ query: LogQLQuery,
        _ grouping: Grouping,
        _ start: Int64,
        _ end: Int64
    ) throws(LokiError) -> QueryValue {
        let range = LogQLRangeAggregation(
            operation: operation,
            query: query,
            rangeNanoseconds: max(1, end - start)
        )
        let expression = LogQLExpression.aggregation(
            LogQLAggregation(operation: .sum, grouping: grouping, expression: .range(range))
        )
        return try run { () throws(QueryError) in
            try LogQL.evaluateInstant(
                expression,
                atNanoseconds: end,
                source: source,
                context: context
            )
        }
    }

    /// `/loki/api/v1/index/stats`.
    package func indexStats() -> LokiAnswer {
        answer { () throws(LokiError) in
            let (start, end) = try parameters.span(default: Self.hour)
            let query = try logQuery()
            let found = try streams([query.matchers])
            let entries = try total(.count, query, start, end)
            let chunks = stats.blocks
            let bytes = try total(.bytes, query, start, end)
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("streams", found.count)
            writer.member("chunks", chunks)
            writer.member("entries", Int(entries))
            writer.member("bytes", Int(bytes))
            writer.endObject()
            return LokiAnswer(json: writer.bytes)
        }
    }

    /// The labels by which volumes are told apart; nil: all of a stream's.
    private func volumeGrouping(_ query: LogQLQuery) -> Grouping {
        let names = parameters.list("targetLabels") ?? query.matchers.map(\.name)
        if parameters["aggregateBy"] == "labels" || names.isEmpty {
            return Grouping(isWithout: true)
        }
        return Grouping(labels: names)
    }

    /// With `aggregateBy=labels`: the volume of each label's name.
    private func byLabel(_ samples: [QuerySample]) -> [QuerySample] {
        var totals: [String: Double] = [:]
        let wanted = parameters.list("targetLabels").map(Set.init)
        for sample in samples {
            for pair in sample.labels.pairs where wanted?.contains(pair.name) ?? true {
                totals[pair.name, default: 0] += sample.value
            }
        }
        return totals.map { QuerySample(labels: Labels([($0.key, $0.key)]), value: $0.value) }
    }

    /// `/loki/api/v1/index/volume`: bytes of lines.
    package func volume() -> LokiAnswer {
        answer { () throws(LokiError) in
            let (start, end) = try parameters.span(default: Self.hour)
            let limit = try parameters.count("limit", default: 100)
            let query = try logQuery()
            let value = try instant(.bytes, query, volumeGrouping(query), start, end)
            guard case .vector(let time, var samples) = value else {
                throw LokiError("no volume", status: 500)
            }
            if parameters["aggregateBy"] == "labels" { samples = byLabel(samples) }
            samples.sort { ($1.value, $0.labels) < ($0.value, $1.labels) }
            return LokiJSON.metrics(
                .vector(time: time, samples: Array(samples.prefix(limit))),
                stats: stats,
                warnings: context.warnings
            )
        }
    }

    /// `/loki/api/v1/index/volume_range`.
    package func volumeRange() -> LokiAnswer {
        answer { () throws(LokiError) in
            let (start, end) = try parameters.span(default: Self.hour)
            let step = try parameters.step(start, end)
            let limit = try parameters.count("limit", default: 100)
            let query = try logQuery()
            let range = LogQLRangeAggregation(
                operation: .bytes,
                query: query,
                rangeNanoseconds: step
            )
            let expression = LogQLExpression.aggregation(
                LogQLAggregation(
                    operation: .sum,
                    grouping: volumeGrouping(query),
                    expression: .range(range)
                )
            )
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
            guard case .matrix(var series) = value else {
                throw LokiError("no volume", status: 500)
            }
            series.sort { $0.values.reduce(0, +) > $1.values.reduce(0, +) }
            return LokiJSON.metrics(
                .matrix(Array(series.prefix(limit))),
                stats: stats,
                warnings: context.warnings
            )
        }
    }

    /// `/loki/api/v1/detected_labels`.
    package func detectedLabels() -> LokiAnswer {
        answer { () throws(LokiError) in
            let matchers = try logQuery().matchers
            var values: [String: Set<String>] = [:]
            for labels in try streams([matchers]) {
                for pair in LogStreams.pairs(labels) {
                    values[pair.name, default: []].insert(pair.value)
                }
            }
            var writer = JSONWriter()
            writer.beginObject()
            writer.key("detectedLabels")
            writer.beginArray()
            for (name, found) in values.sorted(by: { $0.key < $1.key }) {
                writer.beginObject()
                writer.member("label", name)
                writer.member("cardinality", found.count)
                writer.endObject()
            }
            writer.endArray()
            writer.endObject()
            return LokiAnswer(json: writer.bytes)
        }
    }

    /// `/loki/api/v1/detected_fields`, of the newest `line_limit` lines; with `name` its values.
    package func detectedFields(name: String? = nil) -> LokiAnswer {
        answer { () throws(LokiError) in
            let (start, end) = try parameters.span(default: Self.hour)
            let query = try logQuery()
            let lines = min(try parameters.count("line_limit", default: 1000), 10000)
            let limit = try parameters.count("limit", default: 1000)
            var detected = DetectedFields()
            if end > start {
                try run { () throws(QueryError) in
                    let search = try LogSearch(
                        query,
                        times: start...(end - 1),
                        direction: .backward,
                        source: source,
                        context: context
                    )
                    for entry in try search.next(lines) { detected.add(entry) }
                }
            }
            if let name { return detected.values(of: name, limit: limit) }
            return detected.answer(limit: limit)
        }
    }

    /// `/loki/api/v1/patterns`.
    package func patterns() -> LokiAnswer {
        answer { () throws(LokiError) in
            let (start, end) = try parameters.span(default: Self.hour)
            let step = try parameters.step(start, end)
            let query = try logQuery()
            let limit = try parameters.count("limit", default: 300)
            let found = try run { () throws(QueryError) in
                try LogPatterns(
                    query,
                    from: start,
                    to: max(end, start + 1),
                    step: step,
                    source: source,
                    context: context
                )
            }
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("status", "success")
            writer.key("data")
            writer.beginArray()
            for one in found.patterns.prefix(limit) {
                writer.beginObject()
                writer.member("pattern", one.pattern)
                if !one.level.isEmpty { writer.member("level", one.level) }
                writer.key("samples")
                writer.beginArray()
                for (bucket, count) in one.counts.enumerated() where count > 0 {
                    writer.beginArray()
                    writer.value((found.start + Int64(bucket) * found.step) / 1_000_000_000)
                    writer.value(Int(count))
                    writer.endArray()
                }
                writer.endArray()
                writer.endObject()
            }
            writer.endArray()
            writer.endObject()
            return LokiAnswer(json: writer.bytes)
        }
    }
}
