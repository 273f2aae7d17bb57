internal import WeirCore

/// A trace as OpenTelemetry's `ResourceSpans`, the form of Tempo's answers by id.
struct TempoTrace {
    let trace: TraceDetail
    /// Rows by resource and scope, each group in order of start.
    private let groups: [(resource: Int, scopes: [[Int]])]

    init(_ trace: TraceDetail) {
        self.trace = trace
        struct Scope: Hashable {
            let name: String?
            let version: String?
            let schema: String?
            let attributes: [[UInt8]]
        }
        var scopes = [[Scope: Int]](repeating: [:], count: trace.resources.count)
        var rows = [[[Int]]](repeating: [], count: trace.resources.count)
        for row in 0..<trace.spanCount {
            let resource = trace.resourceOfRow[row]
            let scope = Scope(
                name: trace.string(SpanField.scopeName, row),
                version: trace.string(SpanField.scopeVersion, row),
                schema: trace.string(SpanField.scopeSchemaURL, row),
                attributes: trace.scopeAttributes[row].map {
                    Array(trace.name($0).utf8) + [0, trace.kind($0).rawValue] + trace.value($0)
                }
            )
            if let known = scopes[resource][scope] {
                rows[resource][known].append(row)
            } else {
                scopes[resource][scope] = rows[resource].count
                rows[resource].append([row])
            }
        }
        groups = rows.enumerated().map { ($0.offset, $0.element) }
    }

    private static func bytes(_ hexadecimal: String, _ count: Int) -> [UInt8] {
        let digits = Array(hexadecimal.utf8)
        guard digits.count == count * 2 else { return [] }
        return (0..<count).map { index in
            let high = TraceID.nibble(digits[index * 2]) ?? 0
            let low = TraceID.nibble(digits[index * 2 + 1]) ?? 0
            return UInt8(high << 4 | low)
        }
    }

    private static let kinds = ["internal", "server", "client", "producer", "consumer"]

    private func kind(_ row: Int) -> Int {
        trace.string(SpanField.kind, row).flatMap(Self.kinds.firstIndex).map { $0 + 1 } ?? 0
    }

    private func status(_ row: Int) -> Int {
        switch trace.string(SpanField.status, row) {
        case "ok": 1
        case "error": 2
        default: 0
        }
    }

    private func time(_ event: JSONValue, _ row: Int) -> Int64 {
        let at = event["at"].flatMap { value in
            value.int.map(Int64.init) ?? value.double.flatMap { Int64(exactly: $0.rounded()) }
        }
        return trace.table.times[row].addingReportingOverflow(at ?? 0).partialValue
    }

    // MARK: JSON

    /// The list of `ResourceSpans`; ids are base64, as protobuf's JSON mapping has bytes.
    func write(to writer: inout JSONWriter) {
        let traceID = Base64.encode(Self.bytes(trace.id.text, 16))
        writer.beginArray()
        for (resource, scopes) in groups {
            writer.beginObject()
            writer.key("resource")
            writer.beginObject()
            attributes(trace.resources[resource], to: &writer)
            writer.endObject()
            writer.key("scopeSpans")
            writer.beginArray()
            for rows in scopes {
                writer.beginObject()
                scope(rows[0], to: &writer)
                writer.key("spans")
                writer.beginArray()
                for row in rows { span(row, traceID, to: &writer) }
                writer.endArray()
                writer.endObject()
            }
            writer.endArray()
            if let row = scopes.first?.first,
                let url = trace.string(SpanField.resourceSchemaURL, row)
            {
                writer.member("schemaUrl", url)
            }
            writer.endObject()
        }
        writer.endArray()
    }

    private func attributes(_ places: [TraceDetail.Place], to writer: inout JSONWriter) {
        writer.key("attributes")
        writer.beginArray()
        for place in places {
            SpanAnyValue.write(
                trace.name(place),
                SpanAnyValue(trace.value(place), trace.kind(place)),
                to: &writer
            )
        }
        writer.endArray()
    }

    private func attributes(_ tree: JSONValue?, to writer: inout JSONWriter) {
        guard let members = tree?.members, !members.isEmpty else { return }
        writer.key("attributes")
        writer.beginArray()
        for member in members {
            SpanAnyValue.write(member.key, SpanAnyValue(member.value), to: &writer)
        }
        writer.endArray()
    }

    private func scope(_ row: Int, to writer: inout JSONWriter) {
        writer.key("scope")
        writer.beginObject()
        if let name = trace.string(SpanField.scopeName, row) { writer.member("name", name) }
        if let version = trace.string(SpanField.scopeVersion, row) {
            writer.member("version", version)
        }
        if !trace.scopeAttributes[row].isEmpty {
            attributes(trace.scopeAttributes[row], to: &writer)
        }
        writer.endObject()
        if let url = trace.string(SpanField.scopeSchemaURL, row) { writer.member("schemaUrl", url) }
    }

    private func span(_ row: Int, _ traceID: String, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("traceId", traceID)
        if let id = trace.string(SpanField.spanID, row) {
            writer.member("spanId", Base64.encode(Self.bytes(id, 8)))
        }
        if let state = trace.string(SpanField.traceState, row) {
            writer.member("traceState", state)
        }
        if let id = trace.string(SpanField.parentID, row) {
            writer.member("parentSpanId", Base64.encode(Self.bytes(id, 8)))
        }
        if let flags = trace.integer(SpanField.flags, row) { writer.member("flags", Int(flags)) }
        writer.member("name", trace.string(SpanField.name, row) ?? "")
        let kind = kind(row)
        if kind > 0 { writer.member("kind", "SPAN_KIND_" + Self.kinds[kind - 1].uppercased()) }
        writer.member("startTimeUnixNano", trace.table.times[row].description)
        writer.member("endTimeUnixNano", trace.end(row).description)
        if !trace.spanAttributes[row].isEmpty { attributes(trace.spanAttributes[row], to: &writer) }
        count("droppedAttributesCount", SpanField.droppedAttributes, row, to: &writer)
        list("events", trace.events(row), to: &writer) { event, writer in
            writer.member("timeUnixNano", time(event, row).description)
            writer.member("name", event["name"]?.string ?? "")
        }
        count("droppedEventsCount", SpanField.droppedEvents, row, to: &writer)
        list("links", trace.links(row), to: &writer) { link, writer in
            writer.member(
                "traceId",
                Base64.encode(Self.bytes(link["traceID"]?.string ?? "", 16))
            )
            writer.member("spanId", Base64.encode(Self.bytes(link["spanID"]?.string ?? "", 8)))
            if let state = link["traceState"]?.string { writer.member("traceState", state) }
            if let flags = link["flags"]?.int { writer.member("flags", flags) }
        }
        count("droppedLinksCount", SpanField.droppedLinks, row, to: &writer)
        writer.key("status")
        writer.beginObject()
        if let message = trace.string(SpanField.statusMessage, row) {
            writer.member("message", message)
        }
        let status = status(row)
        if status > 0 {
            writer.member("code", status == 1 ? "STATUS_CODE_OK" : "STATUS_CODE_ERROR")
        }
        writer.endObject()
        writer.endObject()
    }

    private func count(
        _ member: String,
        _ field: String,
        _ row: Int,
        to writer: inout JSONWriter
    ) {
        if let count = trace.integer(field, row) { writer.member(member, Int(count)) }
    }

    private func list(
        _ name: String,
        _ items: [JSONValue],
        to writer: inout JSONWriter,
        _ body: (JSONValue, inout JSONWriter) -> Void
    ) {
        guard !items.isEmpty else { return }
        writer.key(name)
        writer.beginArray()
        for item in items {
            writer.beginObject()
            body(item, &writer)
            attributes(item["attributes"], to: &writer)
            if let dropped = item["droppedAttributes"]?.int {
                writer.member("droppedAttributesCount", dropped)
            }
            writer.endObject()
        }
        writer.endArray()
    }

    // MARK: Protobuf

    /// `ResourceSpans` messages as field 1 each (opentelemetry-proto, trace/v1).
    var protobuf: [UInt8] {
        let traceID = Self.bytes(trace.id.text, 16)
        var writer = ProtobufWriter()
        for (resource, scopes) in groups {
            var message = ProtobufWriter()
            var attributes = ProtobufWriter()
            put(trace.resources[resource], 1, to: &attributes)
            message.bytes(1, attributes.bytes)
            for rows in scopes {
                var group = ProtobufWriter()
                var scope = ProtobufWriter()
                put(trace.string(SpanField.scopeName, rows[0]), 1, to: &scope)
                put(trace.string(SpanField.scopeVersion, rows[0]), 2, to: &scope)
                put(trace.scopeAttributes[rows[0]], 3, to: &scope)
                group.bytes(1, scope.bytes)
                for row in rows { group.bytes(2, span(row, traceID)) }
                put(trace.string(SpanField.scopeSchemaURL, rows[0]), 3, to: &group)
                message.bytes(2, group.bytes)
            }
            if let row = scopes.first?.first {
                put(trace.string(SpanField.resourceSchemaURL, row), 3, to: &message)
            }
            writer.bytes(1, message.bytes)
        }
        return writer.bytes
    }

    private func put(_ text: String?, _ number: Int, to writer: inout ProtobufWriter) {
        if let text { writer.bytes(number, Array(text.utf8)) }
    }

    private func put(
        _ places: [TraceDetail.Place],
        _ number: Int,
        to writer: inout ProtobufWriter
    ) {
        for place in places {
            SpanAnyValue.write(
                number,
                trace.name(place),
                SpanAnyValue(trace.value(place), trace.kind(place)),
                to: &writer
            )
        }
    }

    private func put(_ tree: JSONValue?, _ number: Int, to writer: inout ProtobufWriter) {
        for member in tree?.members ?? [] {
            SpanAnyValue.write(number, member.key, SpanAnyValue(member.value), to: &writer)
        }
    }

    private func put(
        _ field: String,
        _ row: Int,
        _ number: Int,
        to writer: inout ProtobufWriter
    ) {
        if let count = trace.integer(field, row), count > 0 { writer.varint(number, UInt64(count)) }
    }

    private func span(_ row: Int, _ traceID: [UInt8]) -> [UInt8] {
        var span = ProtobufWriter()
        span.bytes(1, traceID)
        span.bytes(2, Self.bytes(trace.string(SpanField.spanID, row) ?? "", 8))
        put(trace.string(SpanField.traceState, row), 3, to: &span)
        if let parent = trace.string(SpanField.parentID, row) {
            span.bytes(4, Self.bytes(parent, 8))
        }
        put(trace.string(SpanField.name, row), 5, to: &span)
        let kind = kind(row)
        if kind > 0 { span.varint(6, UInt64(kind)) }
        span.fixed64(7, UInt64(bitPattern: trace.table.times[row]))
        span.fixed64(8, UInt64(bitPattern: trace.end(row)))
        put(trace.spanAttributes[row], 9, to: &span)
        put(SpanField.droppedAttributes, row, 10, to: &span)
        for item in trace.events(row) {
            var event = ProtobufWriter()
            event.fixed64(1, UInt64(bitPattern: time(item, row)))
            put(item["name"]?.string, 2, to: &event)
            put(item["attributes"], 3, to: &event)
            if let dropped = item["droppedAttributes"]?.int, dropped > 0 {
                event.varint(4, UInt64(dropped))
            }
            span.bytes(11, event.bytes)
        }
        put(SpanField.droppedEvents, row, 12, to: &span)
        for item in trace.links(row) {
            var link = ProtobufWriter()
            link.bytes(1, Self.bytes(item["traceID"]?.string ?? "", 16))
            link.bytes(2, Self.bytes(item["spanID"]?.string ?? "", 8))
            put(item["traceState"]?.string, 3, to: &link)
            put(item["attributes"], 4, to: &link)
            if let dropped = item["droppedAttributes"]?.int, dropped > 0 {
                link.varint(5, UInt64(dropped))
            }
            if let flags = item["flags"]?.int { link.fixed32(6, UInt32(truncatingIfNeeded: flags)) }
            span.bytes(13, link.bytes)
        }
        put(SpanField.droppedLinks, row, 14, to: &span)
        var status = ProtobufWriter()
        put(trace.string(SpanField.statusMessage, row), 2, to: &status)
        let code = self.status(row)
        if code > 0 { status.varint(3, UInt64(code)) }
        span.bytes(15, status.bytes)
        if let flags = trace.integer(SpanField.flags, row) {
            span.fixed32(16, UInt32(truncatingIfNeeded: flags))
        }
        return span.bytes
    }
}
