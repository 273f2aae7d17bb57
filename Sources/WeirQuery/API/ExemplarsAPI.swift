internal import WeirCore

/// The exemplars of series, and the traces behind them.
package struct ExemplarsAPI: Sendable {
    let request: TracesRequest
    let exemplars: any RowSource

    package init(_ request: TracesRequest, exemplars: any RowSource) {
        self.request = request
        self.exemplars = exemplars
    }

    /// Nil for a query without selectors.
    private func found(
        _ times: ClosedRange<Int64>
    ) throws(TracesError) -> [(series: Labels, exemplars: [Exemplar])]? {
        let text = request.parameters["query"] ?? ""
        do throws(QueryError) {
            let expression = try PromQL.parse(text)
            let search = ExemplarSearch(source: exemplars, context: request.context)
            return try search.run(expression, times: times)
        } catch {
            throw TracesError(
                error.message(query: text),
                status: LokiAnswer.status(of: error),
                subject: .promQL
            )
        }
    }

    /// Nanoseconds; all times without `start` and `end`.
    private func times() throws(PrometheusError) -> ClosedRange<Int64> {
        let from =
            try request.parameters.milliseconds("start") ?? PrometheusTime.millisecondsMin
        let through = try request.parameters.milliseconds("end") ?? PrometheusTime.millisecondsMax
        guard from <= through else {
            throw PrometheusError(
                .badData,
                "end timestamp must not be before start timestamp"
            )
        }
        func nanoseconds(_ milliseconds: Int64) -> Int64 {
            let (value, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
            return overflow ? (milliseconds < 0 ? .min : .max) : value
        }
        return nanoseconds(from)...nanoseconds(through)
    }

    /// `/api/v1/query_exemplars`, in Prometheus's form; 204 for a query without selectors.
    package func query() -> TracesAnswer {
        let times: ClosedRange<Int64>
        do throws(PrometheusError) {
            times = try self.times()
        } catch {
            return TracesAnswer(PrometheusJSON.failure(error))
        }
        do throws(TracesError) {
            let found = try found(times)
            guard let found else { return TracesAnswer(json: [], status: 204) }
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("status", "success")
            writer.key("data")
            writer.beginArray()
            for (series, exemplars) in found where !exemplars.isEmpty {
                writer.beginObject()
                writer.key("seriesLabels")
                LokiJSON.labels(series, to: &writer)
                writer.key("exemplars")
                writer.beginArray()
                for exemplar in exemplars { Self.write(exemplar, to: &writer) }
                writer.endArray()
                writer.endObject()
            }
            writer.endArray()
            writer.endObject()
            return TracesAnswer(json: writer.bytes)
        } catch {
            let kind: PrometheusError.Kind =
                switch error.status {
                case 400: .badData
                case 499: .canceled
                case 504: .timeout
                case 500: .internalError
                default: .execution
                }
            return TracesAnswer(PrometheusJSON.failure(PrometheusError(kind, error.message)))
        }
    }

    private static func write(_ exemplar: Exemplar, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("labels")
        writer.beginObject()
        for (name, value) in exemplar.labels { writer.member(name, value) }
        writer.endObject()
        writer.member("value", NumberText.sample(exemplar.value))
        writer.key("timestamp")
        var time: [UInt8] = []
        PrometheusTime.append(milliseconds: exemplar.time / 1_000_000, to: &time)
        writer.raw(time)
        writer.endObject()
    }

    /// `/api/v1/exemplars/traces`: the traces of the newest exemplars.
    package func traces() -> TracesAnswer {
        TracesAPI(request).answer { () throws(TracesError) in
            let times = try request.times()
            let limit = try request.count("limit", default: 20, max: 1000)
            var ids: [TraceID] = []
            var known: Set<TraceID> = []
            let newest = (try found(times) ?? []).flatMap(\.exemplars).sorted { $0.time > $1.time }
            for exemplar in newest where ids.count < limit {
                if let id = exemplar.traceID, known.insert(id).inserted { ids.append(id) }
            }
            let traces = try request.run { () throws(QueryError) in
                try TraceSearch.summaries(
                    of: ids,
                    times: times,
                    source: request.spans,
                    context: request.context
                )
            }
            return TracesAPI.answer(traces, request)
        }
    }
}
