internal import Synchronization
internal import WeirCore

/// A trace as Weir's own JSON has it; docs/api.md.
enum TraceJSON {
    static func write(_ trace: TraceDetail, to writer: inout JSONWriter) {
        let table = trace.table
        let (start, end) = table.extent(0)
        let root = table.root(0) ?? 0
        writer.member("traceID", trace.id.text)
        writer.member("spanCount", trace.total)
        writer.member("isPartial", trace.isPartial)
        if trace.isPartial {
            writer.member(
                "notice",
                "the trace has \(trace.total) spans; these are the earliest \(trace.spanCount)"
            )
        }
        writer.member("startTimeUnixNano", start.description)
        writer.member(
            "durationNanos",
            end.subtractingReportingOverflow(start).partialValue.description
        )
        if let service = trace.service(root) { writer.member("rootService", service) }
        if let name = trace.string(SpanField.name, root) { writer.member("rootName", name) }
        writer.key("resources")
        writer.beginArray()
        for resource in trace.resources {
            writer.beginObject()
            for place in resource where trace.name(place) == "service.name" {
                writer.member("service", String(decoding: trace.value(place), as: UTF8.self))
            }
            attributes(resource, trace, to: &writer)
            writer.endObject()
        }
        writer.endArray()
        writer.key("spans")
        writer.beginArray()
        for row in 0..<trace.spanCount { span(row, trace, to: &writer) }
        writer.endArray()
    }

    private static let plain: [(member: String, field: String)] = [
        ("spanID", SpanField.spanID), ("parentID", SpanField.parentID), ("name", SpanField.name),
        ("kind", SpanField.kind), ("status", SpanField.status),
        ("statusMessage", SpanField.statusMessage), ("service", SpanField.service),
        ("scope", SpanField.scopeName), ("scopeVersion", SpanField.scopeVersion),
        ("traceState", SpanField.traceState),
    ]

    private static let counts: [(member: String, field: String)] = [
        ("flags", SpanField.flags), ("droppedAttributes", SpanField.droppedAttributes),
        ("droppedEvents", SpanField.droppedEvents), ("droppedLinks", SpanField.droppedLinks),
    ]

    private static func span(_ row: Int, _ trace: TraceDetail, to writer: inout JSONWriter) {
        writer.beginObject()
        for (member, field) in plain {
            if let text = trace.string(field, row) { writer.member(member, text) }
        }
        writer.key("resource")
        writer.value(trace.resourceOfRow[row])
        writer.member("startTimeUnixNano", trace.table.times[row].description)
        writer.member("durationNanos", trace.table.durations[row].description)
        attributes(trace.spanAttributes[row], trace, to: &writer)
        if !trace.scopeAttributes[row].isEmpty {
            attributes(trace.scopeAttributes[row], trace, as: "scopeAttributes", to: &writer)
        }
        events(row, trace, to: &writer)
        links(row, trace, to: &writer)
        if let cut = trace.json(SpanField.cut, row)?.array {
            writer.key("cut")
            writer.beginArray()
            for name in cut { writer.value(shortened(name.string ?? "")) }
            writer.endArray()
        }
        for (member, field) in counts {
            if let count = trace.integer(field, row) { writer.member(member, Int(count)) }
        }
        writer.endObject()
    }

    /// `span.db.statement` is `db.statement` to whoever looks at a span.
    private static func shortened(_ field: String) -> String {
        let prefix = SpanField.spanPrefix.utf8
        guard field.utf8.starts(with: prefix) else { return field }
        return String(decoding: field.utf8.dropFirst(prefix.count), as: UTF8.self)
    }

    private static func attributes(
        _ places: [TraceDetail.Place],
        _ trace: TraceDetail,
        as name: String = "attributes",
        to writer: inout JSONWriter
    ) {
        writer.key(name)
        writer.beginObject()
        for place in places {
            writer.key(trace.name(place))
            value(trace.value(place), trace.kind(place), to: &writer)
        }
        writer.endObject()
    }

    private static func events(_ row: Int, _ trace: TraceDetail, to writer: inout JSONWriter) {
        let events = trace.events(row)
        guard !events.isEmpty else { return }
        writer.key("events")
        writer.beginArray()
        for event in events {
            writer.beginObject()
            writer.member("at", Int(event["at"]?.double ?? 0).description)
            writer.member("name", event["name"]?.string ?? "")
            writer.key("attributes")
            writer.value(event["attributes"] ?? .object([]))
            if let dropped = event["droppedAttributes"]?.int {
                writer.member("droppedAttributes", dropped)
            }
            writer.endObject()
        }
        writer.endArray()
    }

    private static func links(_ row: Int, _ trace: TraceDetail, to writer: inout JSONWriter) {
        let links = trace.links(row)
        guard !links.isEmpty else { return }
        writer.key("links")
        writer.beginArray()
        for link in links { writer.value(link) }
        writer.endArray()
    }

    /// An attribute's value as what it was sent as; bytes are `{"bytes":"<base64>"}`.
    static func value(
        _ text: ArraySlice<UInt8>,
        _ kind: FieldKind,
        to writer: inout JSONWriter
    ) {
        switch kind {
        case .number:
            // NaN and the infinities are no JSON.
            guard let first = text.first, first <= 0x39,
                text.dropFirst().first != UInt8(ascii: "I")
            else { return writer.value(String(decoding: text, as: UTF8.self)) }
            writer.raw(text)
        case .boolean, .json:
            if text.isEmpty { writer.null() } else { writer.raw(text) }
        case .text: writer.value(String(decoding: text, as: UTF8.self))
        case .bytes:
            writer.beginObject()
            writer.member("bytes", String(decoding: text, as: UTF8.self))
            writer.endObject()
        }
    }

    // MARK: Search results

    static func write(_ traces: [TraceSummary], to writer: inout JSONWriter) {
        writer.key("traces")
        writer.beginArray()
        for trace in traces { write(trace, to: &writer) }
        writer.endArray()
    }

    private static func write(_ trace: TraceSummary, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("traceID", trace.id.text)
        if let service = trace.rootService { writer.member("rootService", service) }
        if let name = trace.rootName { writer.member("rootName", name) }
        writer.member("startTimeUnixNano", trace.start.description)
        writer.member("durationNanos", trace.duration.description)
        writer.member("spanCount", trace.spanCount)
        writer.member("errorCount", trace.errorCount)
        writer.key("services")
        writer.beginArray()
        for service in trace.services {
            writer.beginObject()
            writer.member("name", service.name)
            writer.member("spanCount", service.spanCount)
            writer.member("errorCount", service.errorCount)
            writer.endObject()
        }
        writer.endArray()
        writer.member("matched", trace.matched)
        writer.key("spanSets")
        writer.beginArray()
        for set in trace.spanSets {
            writer.beginObject()
            writer.key("spans")
            writer.beginArray()
            for span in set.spans {
                writer.beginObject()
                writer.member("spanID", span.id)
                writer.member("startTimeUnixNano", span.start.description)
                writer.member("durationNanos", span.duration.description)
                writer.member("name", span.name)
                if let service = span.service { writer.member("service", service) }
                attributes(span.attributes, to: &writer)
                writer.endObject()
            }
            writer.endArray()
            writer.member("matched", set.matched)
            attributes(set.attributes, to: &writer)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
    }

    private static func attributes(
        _ attributes: [TraceSummary.Attribute],
        to writer: inout JSONWriter
    ) {
        writer.key("attributes")
        writer.beginObject()
        for attribute in attributes {
            writer.key(attribute.name)
            value(attribute.text[...], attribute.kind, to: &writer)
        }
        writer.endObject()
    }

    static func cost(_ request: TracesRequest, to writer: inout JSONWriter) {
        let context = request.context
        writer.key("cost")
        writer.beginObject()
        writer.member("segments", context.segmentsRead.load(ordering: .relaxed))
        writer.member("blocks", context.blocksRead.load(ordering: .relaxed))
        writer.member("rows", context.rowsRead.load(ordering: .relaxed))
        writer.member("bytes", context.bytesRead.load(ordering: .relaxed))
        let elapsed = (ContinuousClock.now - request.began).components
        writer.member(
            "milliseconds",
            Double(elapsed.seconds) * 1000 + Double(elapsed.attoseconds) / 1e15
        )
        writer.endObject()
        guard !context.warnings.isEmpty else { return }
        writer.key("warnings")
        writer.beginArray()
        for warning in context.warnings { writer.value(warning) }
        writer.endArray()
    }
}
