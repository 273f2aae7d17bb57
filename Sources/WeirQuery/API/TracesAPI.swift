internal import WeirCore

/// Weir's own trace paths as pure functions; docs/api.md has their formats.
package struct TracesAPI: Sendable {
    let request: TracesRequest

    package init(_ request: TracesRequest) { self.request = request }

    /// `/api/v1/traces/{id}`.
    package func trace(_ id: String) -> TracesAnswer {
        answer { () throws(TracesError) in
            let trace = try request.detail(id)
            var writer = JSONWriter(reservingCapacity: trace.spanCount * 512 + 1024)
            writer.beginObject()
            TraceJSON.write(trace, to: &writer)
            TraceJSON.cost(request, to: &writer)
            writer.endObject()
            return TracesAnswer(json: writer.bytes)
        }
    }

    /// `/api/v1/traces/search`.
    package func search() -> TracesAnswer {
        answer { () throws(TracesError) in
            let text = request.parameters["q"] ?? "{}"
            let query = try request.query(text)
            let sort = request.parameters["sort"] ?? "recent"
            guard let order = TraceSearch.Order(rawValue: sort) else {
                throw TracesError("'sort' is recent or duration, not '\(sort)'")
            }
            let search = TraceSearch(
                query,
                times: try request.times(),
                limit: try request.count("limit", default: 20, max: TraceSearch.tracesMax),
                spansPerSet: try request.count("spss", default: 3, max: 10_000),
                order: order,
                source: request.spans,
                context: request.context
            )
            let found = try request.run(query: text) { () throws(QueryError) in try search.run() }
            return Self.answer(found, request)
        }
    }

    static func answer(_ traces: [TraceSummary], _ request: TracesRequest) -> TracesAnswer {
        var writer = JSONWriter(reservingCapacity: traces.count * 1024 + 512)
        writer.beginObject()
        TraceJSON.write(traces, to: &writer)
        TraceJSON.cost(request, to: &writer)
        writer.endObject()
        return TracesAnswer(json: writer.bytes)
    }

    func answer(_ body: () throws(TracesError) -> TracesAnswer) -> TracesAnswer {
        do throws(TracesError) {
            return try body()
        } catch {
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("error", error.name)
            writer.member("reason", error.message)
            writer.member("hint", error.hint)
            writer.endObject()
            return TracesAnswer(json: writer.bytes + [0x0A], status: error.status)
        }
    }
}
