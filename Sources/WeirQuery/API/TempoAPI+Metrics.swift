internal import WeirCore

extension TempoAPI {
    /// `/api/metrics/query_range`.
    package func metricsRange() -> TracesAnswer {
        answer { () throws(TracesError) in
            let (query, text) = try metricsQuery()
            let times = try request.times()
            let step = try request.parameter { () throws(LokiError) in
                try request.parameters.step(times.lowerBound, times.upperBound)
            }
            // Steps lie at multiples of the step, so that answers of different times agree.
            let rest = times.lowerBound % step
            let (start, startOverflow) = times.lowerBound.subtractingReportingOverflow(
                rest < 0 ? rest + step : rest
            )
            let (span, spanOverflow) = times.upperBound.subtractingReportingOverflow(start)
            guard !startOverflow, !spanOverflow else {
                throw TracesError("the times are out of range")
            }
            guard span / step < Int64(PromQL.pointsMax) else {
                throw TracesError(.limit(name: "points per timeseries", limit: PromQL.pointsMax))
            }
            let count = Int(span / step) + (span % step > 0 ? 1 : 0)
            let result = try run(query, text, start, step, max(1, count))
            return TracesAnswer(json: Self.range(result, request))
        }
    }

    /// `/api/metrics/query`: one value for all the time asked for.
    package func metricsInstant() -> TracesAnswer {
        answer { () throws(TracesError) in
            let (query, text) = try metricsQuery()
            let times = try request.times()
            let (span, overflow) = times.upperBound.subtractingReportingOverflow(times.lowerBound)
            guard !overflow, span < .max else { throw TracesError("the times are out of range") }
            let result = try run(query, text, times.lowerBound, max(1, span), 1)
            var writer = JSONWriter()
            writer.beginObject()
            writer.key("series")
            writer.beginArray()
            for series in result.series where !series.values[0].isNaN {
                writer.beginObject()
                Self.labels(series, to: &writer)
                writer.member("value", series.values[0])
                writer.endObject()
            }
            writer.endArray()
            TempoJSON.metrics(request, traces: nil, to: &writer)
            writer.endObject()
            return TracesAnswer(json: writer.bytes)
        }
    }

    private func metricsQuery() throws(TracesError) -> (TraceQLQuery, String) {
        guard let text = request.parameters["q"] ?? request.parameters["query"] else {
            throw TracesError("'q' is missing: a query such as {} | rate()")
        }
        return (try request.query(text), text)
    }

    private func run(
        _ query: TraceQLQuery,
        _ text: String,
        _ start: Int64,
        _ step: Int64,
        _ count: Int
    ) throws(TracesError) -> TraceQLSeries {
        try request.run(query: text) { () throws(QueryError) in
            try TraceQLMetricsEvaluator(
                query,
                start: start,
                step: step,
                count: count,
                source: request.spans,
                context: request.context
            ).run()
        }
    }

    private static func range(_ result: TraceQLSeries, _ request: TracesRequest) -> [UInt8] {
        // Every series has the same times.
        let heads = (0..<result.count).map { index in
            let time = (result.start + Int64(index) * result.step) / 1_000_000
            return Array("{\"timestampMs\":\"\(time)\",\"value\":".utf8)
        }
        var writer = JSONWriter(reservingCapacity: result.series.count * result.count * 48 + 512)
        writer.beginObject()
        writer.key("series")
        writer.beginArray()
        for series in result.series {
            writer.beginObject()
            labels(series, to: &writer)
            writer.key("samples")
            writer.beginArray()
            var samples: [UInt8] = []
            for (index, value) in series.values.enumerated() where !value.isNaN {
                if !samples.isEmpty { samples.append(UInt8(ascii: ",")) }
                samples += heads[index]
                samples += (value.isFinite ? value.description : "null").utf8
                samples.append(UInt8(ascii: "}"))
            }
            if !samples.isEmpty { writer.raw(samples) }
            writer.endArray()
            writer.endObject()
        }
        writer.endArray()
        TempoJSON.metrics(request, traces: nil, to: &writer)
        writer.endObject()
        return writer.bytes
    }

    private static func labels(_ series: TraceQLSeries.Series, to writer: inout JSONWriter) {
        writer.key("labels")
        writer.beginArray()
        var parts: [String] = []
        for label in series.labels {
            let text = String(decoding: label.text, as: UTF8.self)
            let value: SpanAnyValue =
                if let kind = label.kind { SpanAnyValue(label.text[...], kind) } else {
                    .string("nil")
                }
            SpanAnyValue.write(label.name, value, to: &writer)
            let shown = PromQLStringLiteral.quote(label.kind == nil ? "nil" : text)
            parts.append("\(label.name)=\(shown)")
        }
        writer.endArray()
        writer.member("promLabels", "{" + parts.joined(separator: ", ") + "}")
    }
}
