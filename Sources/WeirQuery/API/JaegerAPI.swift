internal import WeirCore

/// Jaeger's query API as pure functions: decoded parameters in, an answer out.
package struct JaegerAPI: Sendable {
    let request: TracesRequest

    package init(_ request: TracesRequest) { self.request = request }

    func answer(_ body: () throws(TracesError) -> TracesAnswer) -> TracesAnswer {
        do throws(TracesError) {
            return try body()
        } catch {
            var writer = JSONWriter()
            writer.beginObject()
            writer.key("data")
            writer.null()
            Self.tail(total: 0, error: error, to: &writer)
            writer.endObject()
            return TracesAnswer(json: writer.bytes, status: error.status)
        }
    }

    static func tail(total: Int, error: TracesError?, to writer: inout JSONWriter) {
        writer.member("total", total)
        writer.member("limit", 0)
        writer.member("offset", 0)
        writer.key("errors")
        guard let error else { return writer.null() }
        writer.beginArray()
        writer.beginObject()
        writer.member("code", error.status)
        writer.member("msg", error.message)
        writer.endObject()
        writer.endArray()
    }

    func list(_ body: (inout JSONWriter) throws(TracesError) -> Int) -> TracesAnswer {
        answer { () throws(TracesError) in
            var writer = JSONWriter()
            writer.beginObject()
            writer.key("data")
            writer.beginArray()
            let total = try body(&writer)
            writer.endArray()
            Self.tail(total: total, error: nil, to: &writer)
            writer.endObject()
            return TracesAnswer(json: writer.bytes)
        }
    }

    /// `/api/traces/{id}`.
    package func trace(_ id: String) -> TracesAnswer {
        list { (writer) throws(TracesError) in
            JaegerTrace.write(try request.detail(id), to: &writer)
            return 1
        }
    }

    /// `/api/traces/{id}` for whoever asks: Tempo's `batches` and Jaeger's `data` in one object.
    package func traceForBoth(_ id: String) -> TracesAnswer {
        answer { () throws(TracesError) in
            let trace = try request.detail(id)
            var writer = JSONWriter(reservingCapacity: trace.spanCount * 2048 + 1024)
            writer.beginObject()
            writer.key("batches")
            TempoTrace(trace).write(to: &writer)
            writer.key("data")
            writer.beginArray()
            JaegerTrace.write(trace, to: &writer)
            writer.endArray()
            Self.tail(total: 1, error: nil, to: &writer)
            writer.endObject()
            return TracesAnswer(json: writer.bytes)
        }
    }
}
