internal import WeirCore

/// A trace as Jaeger's query API has it.
enum JaegerTrace {
    /// One element of `data`.
    static func write(_ trace: TraceDetail, to writer: inout JSONWriter) {
        let id = trace.id.text
        writer.beginObject()
        writer.member("traceID", id)
        writer.key("spans")
        writer.beginArray()
        for row in 0..<trace.spanCount { span(row, trace, id, to: &writer) }
        writer.endArray()
        writer.key("processes")
        writer.beginObject()
        for (number, resource) in trace.resources.enumerated() {
            writer.key("p\(number + 1)")
            writer.beginObject()
            let service = resource.first { trace.name($0) == "service.name" }
            writer.member(
                "serviceName",
                service.map { String(decoding: trace.value($0), as: UTF8.self) } ?? ""
            )
            writer.key("tags")
            writer.beginArray()
            for place in resource where trace.name(place) != "service.name" {
                tag(trace.name(place), SpanAnyValue(trace.value(place), trace.kind(place)), &writer)
            }
            writer.endArray()
            writer.endObject()
        }
        writer.endObject()
        warnings(
            trace.isPartial
                ? "the trace has \(trace.total) spans; these are the earliest \(trace.spanCount)"
                : nil,
            &writer
        )
        writer.endObject()
    }

    private static func warnings(_ text: String?, _ writer: inout JSONWriter) {
        writer.key("warnings")
        guard let text else { return writer.null() }
        writer.beginArray()
        writer.value(text)
        writer.endArray()
    }

    private static func span(
        _ row: Int,
        _ trace: TraceDetail,
        _ id: String,
        to writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.member("traceID", id)
        writer.member("spanID", trace.string(SpanField.spanID, row) ?? "")
        writer.member("operationName", trace.string(SpanField.name, row) ?? "")
        writer.key("references")
        writer.beginArray()
        if let parent = trace.string(SpanField.parentID, row) {
            reference("CHILD_OF", id, parent, &writer)
        }
        for link in trace.links(row) {
            reference(
                "FOLLOWS_FROM",
                link["traceID"]?.string ?? "",
                link["spanID"]?.string ?? "",
                &writer
            )
        }
        writer.endArray()
        if let flags = trace.integer(SpanField.flags, row) { writer.member("flags", Int(flags)) }
        let start = trace.table.times[row]
        writer.member("startTime", Int(start / 1000))
        writer.member("duration", Int(trace.table.durations[row] / 1000))
        writer.key("tags")
        writer.beginArray()
        for place in trace.spanAttributes[row] {
            tag(trace.name(place), SpanAnyValue(trace.value(place), trace.kind(place)), &writer)
        }
        madeTags(row, trace, &writer)
        writer.endArray()
        writer.key("logs")
        writer.beginArray()
        for event in trace.events(row) {
            let at = event["at"]?.double ?? 0
            writer.beginObject()
            writer.member("timestamp", Int((Double(start / 1000) + at / 1000).rounded(.down)))
            writer.key("fields")
            writer.beginArray()
            tag("event", .string(event["name"]?.string ?? ""), &writer)
            for member in event["attributes"]?.members ?? [] {
                tag(member.key, SpanAnyValue(member.value), &writer)
            }
            writer.endArray()
            writer.endObject()
        }
        writer.endArray()
        writer.member("processID", "p\(trace.resourceOfRow[row] + 1)")
        let cut = trace.json(SpanField.cut, row)?.array?.compactMap(\.string) ?? []
        warnings(cut.isEmpty ? nil : "cut: " + cut.joined(separator: ", "), &writer)
        writer.endObject()
    }

    /// What Jaeger keeps as tags and OpenTelemetry does not.
    private static func madeTags(_ row: Int, _ trace: TraceDetail, _ writer: inout JSONWriter) {
        if let kind = trace.string(SpanField.kind, row) { tag("span.kind", .string(kind), &writer) }
        if let status = trace.string(SpanField.status, row) {
            tag("otel.status_code", .string(status.uppercased()), &writer)
            if status == "error" { tag("error", .boolean(true), &writer) }
        }
        let texts = [
            ("otel.status_description", SpanField.statusMessage),
            ("otel.scope.name", SpanField.scopeName),
            ("otel.scope.version", SpanField.scopeVersion),
            ("w3c.tracestate", SpanField.traceState),
        ]
        for (name, field) in texts {
            if let text = trace.string(field, row) { tag(name, .string(text), &writer) }
        }
    }

    private static func reference(
        _ type: String,
        _ trace: String,
        _ span: String,
        _ writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.member("refType", type)
        writer.member("traceID", trace)
        writer.member("spanID", span)
        writer.endObject()
    }

    private static func tag(_ name: String, _ value: SpanAnyValue, _ writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("key", name)
        switch value {
        case .boolean(let flag):
            writer.member("type", "bool")
            writer.member("value", flag)
        case .integer(let number):
            writer.member("type", "int64")
            writer.member("value", Int(number))
        case .double(let number) where number.isFinite:
            writer.member("type", "float64")
            writer.member("value", number)
        case .bytes(let text):
            writer.member("type", "binary")
            writer.member("value", text)
        case .string(let text):
            writer.member("type", "string")
            writer.member("value", text)
        case .none:
            writer.member("type", "string")
            writer.member("value", "")
        case .double(let number):
            writer.member("type", "string")
            writer.member("value", number.description)
        case .array, .map:
            // Jaeger has no lists: their JSON.
            var inner = JSONWriter()
            plain(value, &inner)
            writer.member("type", "string")
            writer.member("value", inner.text)
        }
        writer.endObject()
    }

    private static func plain(_ value: SpanAnyValue, _ writer: inout JSONWriter) {
        switch value {
        case .none: writer.null()
        case .string(let text), .bytes(let text): writer.value(text)
        case .boolean(let flag): writer.value(flag)
        case .integer(let number): writer.value(number)
        case .double(let number): writer.value(number)
        case .array(let items):
            writer.beginArray()
            for item in items { plain(item, &writer) }
            writer.endArray()
        case .map(let members):
            writer.beginObject()
            for (name, value) in members {
                writer.key(name)
                plain(value, &writer)
            }
            writer.endObject()
        }
    }
}
