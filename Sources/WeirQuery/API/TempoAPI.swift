internal import WeirColumns
internal import WeirCore

/// Tempo's HTTP API as pure functions: decoded parameters in, an answer out.
package struct TempoAPI: Sendable {
    let request: TracesRequest

    package init(_ request: TracesRequest) { self.request = request }

    func answer(_ body: () throws(TracesError) -> TracesAnswer) -> TracesAnswer {
        do throws(TracesError) {
            return try body()
        } catch {
            return TracesAnswer(status: error.status, text: error.message)
        }
    }

    // MARK: By id

    /// `/api/traces/{id}`: `{"batches":[…]}`, or `tempopb.Trace`.
    package func trace(_ id: String, isProtobuf: Bool) -> TracesAnswer {
        answer { () throws(TracesError) in
            let trace = try request.detail(id)
            let tempo = TempoTrace(trace)
            if isProtobuf { return TracesAnswer(protobuf: tempo.protobuf) }
            var writer = JSONWriter(reservingCapacity: trace.spanCount * 1024 + 1024)
            writer.beginObject()
            writer.key("batches")
            tempo.write(to: &writer)
            writer.endObject()
            return TracesAnswer(json: writer.bytes)
        }
    }

    /// `/api/v2/traces/{id}`: `TraceByIDResponse` in JSON or protobuf.
    package func traceV2(_ id: String, isProtobuf: Bool) -> TracesAnswer {
        answer { () throws(TracesError) in
            let trace = try request.detail(id)
            let tempo = TempoTrace(trace)
            let message =
                "the trace has \(trace.total) spans; these are the earliest \(trace.spanCount)"
            if isProtobuf {
                var writer = ProtobufWriter()
                writer.bytes(1, tempo.protobuf)
                if trace.isPartial {
                    writer.varint(3, 1)
                    writer.bytes(4, Array(message.utf8))
                }
                return TracesAnswer(protobuf: writer.bytes)
            }
            var writer = JSONWriter(reservingCapacity: trace.spanCount * 1024 + 1024)
            writer.beginObject()
            writer.key("trace")
            writer.beginObject()
            writer.key("resourceSpans")
            tempo.write(to: &writer)
            writer.endObject()
            writer.member("status", trace.isPartial ? "PARTIAL" : "COMPLETE")
            if trace.isPartial { writer.member("message", message) }
            writer.endObject()
            return TracesAnswer(json: writer.bytes)
        }
    }

    // MARK: Search

    /// `/api/search`.
    package func search() -> TracesAnswer {
        answer { () throws(TracesError) in
            let (query, text) = try searchQuery()
            let search = TraceSearch(
                query,
                times: try request.times(),
                limit: try request.count("limit", default: 20, max: TraceSearch.tracesMax),
                spansPerSet: try request.count("spss", default: 3, max: 10_000),
                source: request.spans,
                context: request.context
            )
            let found = try request.run(query: text) { () throws(QueryError) in try search.run() }
            return TracesAnswer(json: TempoJSON.search(found, request))
        }
    }

    /// `q`, or the older `tags`, `minDuration` and `maxDuration` as a query.
    private func searchQuery() throws(TracesError) -> (TraceQLQuery, String) {
        if let text = request.parameters["q"] { return (try request.query(text), text) }
        var conditions: [TraceQLField] = []
        for (name, value) in Self.pairs(request.parameters["tags"] ?? "") {
            conditions.append(SpanConditions.tag(name, value))
        }
        try conditions.append(contentsOf: request.durations())
        return (SpanConditions.query(conditions), "")
    }

    /// `key=value key="quoted value"`.
    private static func pairs(_ text: String) -> [(String, String)] {
        var pairs: [(String, String)] = []
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            if bytes[index] == 0x20 {
                index += 1
                continue
            }
            let start = index
            while index < bytes.count, bytes[index] != 0x20, bytes[index] != UInt8(ascii: "=") {
                index += 1
            }
            let name = String(decoding: bytes[start..<index], as: UTF8.self)
            guard index < bytes.count, bytes[index] == UInt8(ascii: "=") else {
                pairs.append((name, ""))
                continue
            }
            index += 1
            if index < bytes.count, bytes[index] == UInt8(ascii: "\""),
                let value = try? PromQLStringLiteral.parse(bytes, at: &index)
            {
                pairs.append((name, value))
                continue
            }
            let valueStart = index
            while index < bytes.count, bytes[index] != 0x20 { index += 1 }
            pairs.append((name, String(decoding: bytes[valueStart..<index], as: UTF8.self)))
        }
        return pairs
    }

    /// `/api/status/buildinfo`.
    package static func buildInfo(version: String) -> TracesAnswer {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("version", "2.8.0")
        writer.member("revision", "weir-\(version)")
        writer.member("branch", "main")
        for name in ["buildDate", "buildUser", "goVersion"] { writer.member(name, "") }
        writer.endObject()
        return TracesAnswer(json: writer.bytes)
    }

    /// `/api/echo`.
    package static let echo = TracesAnswer(status: 200, text: "echo")
}
