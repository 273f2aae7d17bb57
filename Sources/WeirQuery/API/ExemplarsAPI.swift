internal import WeirCore

/// The exemplars of series, and the traces behind them.
package struct ExemplarsAPI: Sendable {
    let request: TracesRequest
    let exemplars: any RowSource

    package init(_ request: TracesRequest, exemplars: any RowSource) {
        self.request = request
        self.exemplars = exemplars
    }

    private func found(
        _ times: ClosedRange<Int64>
    ) throws(TracesError) -> [(series: Labels, exemplars: [Exemplar])] {
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

    /// `/api/v1/query_exemplars`, in Prometheus's form.
    package func query() -> TracesAnswer {
        do throws(TracesError) {
            let found = try found(try request.times())
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
            let newest = try found(times).flatMap(\.exemplars).sorted { $0.time > $1.time }
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
