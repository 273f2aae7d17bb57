internal import WeirCore

/// Reads OpenTelemetry's `ExportTraceServiceRequest` as JSON.
///
/// 64-bit integers may be strings or numbers, enums numbers or names, ids are hexadecimal; members
/// that are not known are skipped. Only one span at a time is made into a tree.
package struct OTLPSpanJSONParser {
    private var rows: SpanRows
    private let depthMax: Int

    /// Parses a whole body.
    ///
    /// - Throws: `SpanError` when it is no such JSON; then nothing is taken.
    package static func parse(
        _ body: [UInt8],
        options: SpanOptions
    ) throws(SpanError) -> SpanResult {
        // Some levels lie above a span's values, and each of these is wrapped twice.
        let depthMax = options.limits.depthMax * 3 + 8
        let bytes = body.span
        let scanner = try SpanJSON.whole(bytes, depthMax: depthMax)
        let root = SpanJSON.members(bytes, scanner.offset..<bytes.count, depthMax: depthMax)
        guard let list = root.first(where: { $0.key == "resourceSpans" })?.value else {
            // A request without spans is one; a body with other members is something else.
            let isObject =
                scanner.offset < bytes.count && bytes[scanner.offset] == UInt8(ascii: "{")
            if root.isEmpty, isObject { return SpanRows(options).finished() }
            throw .missing("\"resourceSpans\"")
        }
        var parser = OTLPSpanJSONParser(rows: SpanRows(options), depthMax: depthMax)
        for range in SpanJSON.items(bytes, list, depthMax: depthMax) {
            try parser.readResourceSpans(bytes, range)
        }
        return parser.rows.finished()
    }

    private mutating func readResourceSpans(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(SpanError) {
        let members = SpanJSON.members(bytes, range, depthMax: depthMax)
        let resource = try tree(bytes, members, "resource")
        rows.beginResource(
            OTLPJSONValue.attributes(resource?["attributes"], rows.options.limits),
            schemaURL: SpanJSON.bytes(try tree(bytes, members, "schemaUrl")),
            dropped: SpanJSON.unsigned(resource?["droppedAttributesCount"]) ?? 0
        )
        for (key, value) in members where key == "scopeSpans" {
            for range in SpanJSON.items(bytes, value, depthMax: depthMax) {
                try readScopeSpans(bytes, range)
            }
        }
    }

    private mutating func readScopeSpans(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(SpanError) {
        let members = SpanJSON.members(bytes, range, depthMax: depthMax)
        let scope = try tree(bytes, members, "scope")
        rows.beginScope(
            name: SpanJSON.bytes(scope?["name"]),
            version: SpanJSON.bytes(scope?["version"]),
            OTLPJSONValue.attributes(scope?["attributes"], rows.options.limits),
            schemaURL: SpanJSON.bytes(try tree(bytes, members, "schemaUrl")),
            dropped: SpanJSON.unsigned(scope?["droppedAttributesCount"]) ?? 0
        )
        for (key, value) in members where key == "spans" {
            for range in SpanJSON.items(bytes, value, depthMax: depthMax) {
                guard rows.hasRoom() else { return }
                rows.count()
                do throws(SpanError) {
                    let span = try SpanJSON.tree(bytes, range, depthMax: depthMax)
                    try rows.add(draft(span))
                } catch {
                    rows.result.refuse(error)
                }
            }
        }
    }

    private func tree(
        _ bytes: Span<UInt8>,
        _ members: [(key: String, value: Range<Int>)],
        _ key: String
    ) throws(SpanError) -> JSONValue? {
        guard let range = members.first(where: { $0.key == key })?.value else { return nil }
        return try SpanJSON.tree(bytes, range, depthMax: depthMax)
    }

    // MARK: Spans

    private func draft(_ span: JSONValue) throws(SpanError) -> SpanDraft {
        let limits = rows.options.limits
        var draft = SpanDraft()
        (draft.facts.traceHigh, draft.facts.traceLow) = try SpanText.traceID(
            span["traceId"]?.string ?? ""
        )
        draft.facts.spanID = try SpanText.spanID(span["spanId"]?.string ?? "", "span id")
        if let parent = span["parentSpanId"]?.string, !parent.isEmpty {
            draft.facts.parentID = try SpanText.spanID(parent, "parent span id")
        }
        let start = try Self.time(span["startTimeUnixNano"], "start time")
        let end = try Self.time(span["endTimeUnixNano"], "end time")
        (draft.facts.start, draft.facts.duration) = try OTLPSpanValues.times(start, end)
        draft.facts.kind = Self.kind(span["kind"])
        draft.facts.status = Self.status(span["status"]?["code"])
        draft.name = SpanJSON.bytes(span["name"])
        draft.statusMessage = SpanJSON.bytes(span["status"]?["message"])
        draft.traceState = SpanJSON.bytes(span["traceState"])
        draft.flags = SpanJSON.unsigned(span["flags"]) ?? 0
        draft.attributes = OTLPJSONValue.attributes(span["attributes"], limits)
        draft.droppedAttributes = SpanJSON.unsigned(span["droppedAttributesCount"]) ?? 0
        draft.droppedEvents = SpanJSON.unsigned(span["droppedEventsCount"]) ?? 0
        draft.droppedLinks = SpanJSON.unsigned(span["droppedLinksCount"]) ?? 0
        for event in span["events"]?.array ?? [] {
            let time = try Self.time(event["timeUnixNano"], "an event's time")
            draft.events.append(
                SpanEventDraft(
                    at: time == 0 ? 0 : Int64(bitPattern: time &- start),
                    name: SpanJSON.bytes(event["name"]),
                    attributes: OTLPJSONValue.attributes(event["attributes"], limits),
                    droppedAttributes: SpanJSON.unsigned(event["droppedAttributesCount"]) ?? 0
                )
            )
        }
        for link in span["links"]?.array ?? [] {
            let (high, low) = try SpanText.traceID(
                link["traceId"]?.string ?? "",
                "a link's trace id"
            )
            draft.links.append(
                SpanLinkDraft(
                    traceHigh: high,
                    traceLow: low,
                    spanID: try SpanText.spanID(link["spanId"]?.string ?? "", "a link's span id"),
                    traceState: SpanJSON.bytes(link["traceState"]),
                    flags: SpanJSON.unsigned(link["flags"]) ?? 0,
                    attributes: OTLPJSONValue.attributes(link["attributes"], limits),
                    droppedAttributes: SpanJSON.unsigned(link["droppedAttributesCount"]) ?? 0
                )
            )
        }
        return draft
    }

    private static func time(_ value: JSONValue?, _ field: String) throws(SpanError) -> UInt64 {
        guard let value, value != .null else { return 0 }
        guard let time = SpanJSON.unsigned(value) else {
            var writer = JSONWriter()
            writer.value(value)
            throw .badTime(field: field, text: String((value.string ?? writer.text).prefix(40)))
        }
        return time
    }

    private static func kind(_ value: JSONValue?) -> SpanKind {
        if let number = SpanJSON.unsigned(value) { return SpanKind(number: number) }
        return value?.string.flatMap { SpanKind(text: $0) } ?? .unspecified
    }

    private static func status(_ value: JSONValue?) -> SpanStatus {
        if let number = SpanJSON.unsigned(value) { return SpanStatus(number: number) }
        return value?.string.flatMap { SpanStatus(text: $0) } ?? .unset
    }
}

/// OpenTelemetry's values as JSON writes them.
enum OTLPJSONValue {
    /// A list of `{"key":…,"value":{…}}`.
    static func attributes(_ list: JSONValue?, _ limits: SpanLimits) -> [OTLPAttribute] {
        (list?.array ?? []).map { item in
            attribute(SpanJSON.bytes(item["key"]), item["value"] ?? .null, limits)
        }
    }

    private static func attribute(
        _ name: [UInt8],
        _ value: JSONValue,
        _ limits: SpanLimits
    ) -> OTLPAttribute {
        let (kind, text) = scalar(value) ?? (.json, json(value, depth: 0, limits))
        return OTLPAttribute(name: name, kind: kind, value: text)
    }

    /// The value when it is neither a list nor a map nor missing.
    private static func scalar(_ value: JSONValue) -> (FieldKind, [UInt8])? {
        guard let member = value.members?.last else { return nil }
        switch (member.key, member.value) {
        case ("stringValue", .string(let text)): return (.text, Array(text.utf8))
        case ("boolValue", .bool(let flag)):
            return (.boolean, Array((flag ? "true" : "false").utf8))
        case ("intValue", .number(let text)), ("intValue", .string(let text)):
            guard let number = Int64(text) ?? Double(text).flatMap({ Int64(exactly: $0) }) else {
                return (.text, Array(text.utf8))
            }
            return (.number, Array(String(number).utf8))
        case ("doubleValue", .number(let text)), ("doubleValue", .string(let text)):
            guard let number = Double(text) else { return (.text, Array(text.utf8)) }
            return (.number, Array(OTLPText.number(number).utf8))
        case ("bytesValue", .string(let text)): return (.bytes, Array(text.utf8))
        default: return nil
        }
    }

    private static func json(_ value: JSONValue, depth: Int, _ limits: SpanLimits) -> [UInt8] {
        var output: [UInt8] = []
        if let (kind, text) = scalar(value) {
            SpanText.appendJSON(OTLPAttribute(name: [], kind: kind, value: text), to: &output)
            return output
        }
        guard depth < limits.depthMax, let member = value.members?.last else {
            return OTLPSpanValues.null
        }
        let values = member.value["values"]?.array ?? []
        switch member.key {
        case "arrayValue":
            output.append(UInt8(ascii: "["))
            for (place, item) in values.enumerated() {
                if place > 0 { output.append(UInt8(ascii: ",")) }
                output += json(item, depth: depth + 1, limits)
            }
            output.append(UInt8(ascii: "]"))
        case "kvlistValue":
            output.append(UInt8(ascii: "{"))
            for (place, pair) in values.enumerated() {
                if place > 0 { output.append(UInt8(ascii: ",")) }
                SpanText.appendQuoted(SpanJSON.bytes(pair["key"]), to: &output)
                output.append(UInt8(ascii: ":"))
                output += json(pair["value"] ?? .null, depth: depth + 1, limits)
            }
            output.append(UInt8(ascii: "}"))
        default: return OTLPSpanValues.null
        }
        return output
    }
}
