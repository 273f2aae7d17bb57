internal import WeirCore

/// Reads Weir's plain JSON spans: one object a line.
///
/// Members: docs/traces-in.md. A line that is not a span is refused alone.
package struct JSONSpanParser {
    private var rows: SpanRows
    private let depthMax: Int

    /// Parses a whole body.
    package static func parse(_ body: [UInt8], options: SpanOptions) -> SpanResult {
        var parser = JSONSpanParser(
            rows: SpanRows(options),
            depthMax: options.limits.depthMax + 4
        )
        parser.readLines(body.span)
        return parser.rows.finished()
    }

    private mutating func readLines(_ bytes: Span<UInt8>) {
        var start = 0
        var line = 0
        while start < bytes.count {
            let end = ByteWords.find(UInt8(ascii: "\n"), in: bytes, start..<bytes.count)
            line += 1
            let range = start..<end
            start = end + 1
            var scanner = JSONScanner(range, depthMax: depthMax)
            scanner.skipSpace(bytes)
            guard scanner.offset < end else { continue }
            guard rows.hasRoom() else { return }
            rows.count()
            do throws(SpanError) {
                let object = scanner.offset
                do throws(LogError) {
                    guard bytes[object] == UInt8(ascii: "{") else {
                        throw scanner.unexpected(bytes, "an object")
                    }
                    _ = try scanner.value(bytes, depth: 0)
                    let stop = scanner.offset
                    scanner.skipSpace(bytes)
                    guard scanner.offset == end else {
                        throw scanner.unexpected(bytes, "the end of the line")
                    }
                    scanner.offset = stop
                } catch {
                    throw .json(error)
                }
                try read(
                    try SpanJSON.tree(bytes, object..<scanner.offset, depthMax: depthMax)
                )
            } catch {
                rows.result.refuse(line: line, error)
            }
        }
    }

    /// The members that a span's object may have, besides attributes.
    private static let known: Set<String> = [
        "trace_id", "traceId", "traceID", "span_id", "spanId", "spanID", "parent_id", "parentId",
        "parentID", "parent_span_id", "parentSpanId", "name", "service", "kind", "status",
        "status_message", "start", "end", "duration", "attributes", "resource", "scope",
        "scope_version", "events", "links", "trace_state", "flags",
    ]

    private mutating func read(_ span: JSONValue) throws(SpanError) {
        func first(_ names: String...) -> JSONValue? {
            for name in names {
                if let value = span[name], value != .null { return value }
            }
            return nil
        }
        var draft = SpanDraft()
        guard let traceID = first("trace_id", "traceId", "traceID")?.string else {
            throw .missing("\"trace_id\"")
        }
        (draft.facts.traceHigh, draft.facts.traceLow) = try SpanText.traceID(traceID)
        guard let spanID = first("span_id", "spanId", "spanID")?.string else {
            throw .missing("\"span_id\"")
        }
        draft.facts.spanID = try SpanText.spanID(spanID, "span_id")
        let parent = first("parent_id", "parentId", "parentID", "parent_span_id", "parentSpanId")
        if let text = parent?.string, !text.isEmpty {
            draft.facts.parentID = try SpanText.spanID(text, "parent_id")
        }
        guard let start = try Self.time(span["start"], "start") else { throw .missing("\"start\"") }
        draft.facts.start = start
        if let duration = span["duration"], duration != .null {
            draft.facts.duration = try Self.duration(duration)
        } else if let end = try Self.time(span["end"], "end") {
            let (difference, overflow) = end.subtractingReportingOverflow(start)
            guard !overflow else { throw .timeOutOfRange(field: "end", text: String(end)) }
            draft.facts.duration = difference
        }
        draft.name = SpanJSON.bytes(span["name"])
        if let text = span["kind"]?.string {
            guard let kind = SpanKind(text: text) else {
                throw .badValue(field: "kind", text: text)
            }
            draft.facts.kind = kind
        }
        try readStatus(span, &draft)
        draft.traceState = SpanJSON.bytes(span["trace_state"])
        draft.flags = SpanJSON.unsigned(span["flags"]) ?? 0
        try readEvents(span, &draft)
        try readLinks(span, &draft)
        for member in span.members ?? [] where !Self.known.contains(member.key) {
            draft.attributes.append(SpanJSON.attribute(member.key, member.value))
        }
        draft.attributes += Self.attributes(span["attributes"])
        var resource = Self.attributes(span["resource"])
        if let service = span["service"], service.string?.isEmpty == false {
            resource.append(SpanJSON.attribute("service.name", service))
        }
        rows.beginResource(resource)
        rows.beginScope(
            name: SpanJSON.bytes(span["scope"]?["name"] ?? span["scope"]),
            version: SpanJSON.bytes(span["scope"]?["version"] ?? span["scope_version"]),
            Self.attributes(span["scope"]?["attributes"])
        )
        try rows.add(draft)
    }

    private func readStatus(_ span: JSONValue, _ draft: inout SpanDraft) throws(SpanError) {
        let status = span["status"]
        let code = status?["code"] ?? status
        if let text = code?.string {
            guard let value = SpanStatus(text: text) else {
                throw .badValue(field: "status", text: text)
            }
            draft.facts.status = value
        }
        draft.statusMessage = SpanJSON.bytes(status?["message"] ?? span["status_message"])
    }

    private func readEvents(_ span: JSONValue, _ draft: inout SpanDraft) throws(SpanError) {
        for event in span["events"]?.array ?? [] {
            var at: Int64 = 0
            if let time = try Self.time(event["time"], "an event's time") {
                let (difference, overflow) = time.subtractingReportingOverflow(draft.facts.start)
                guard !overflow else {
                    throw .timeOutOfRange(field: "an event's time", text: String(time))
                }
                at = difference
            } else if let offset = event["at"], offset != .null {
                at = try Self.duration(offset)
            }
            draft.events.append(
                SpanEventDraft(
                    at: at,
                    name: SpanJSON.bytes(event["name"]),
                    attributes: Self.attributes(event["attributes"])
                )
            )
        }
    }

    private func readLinks(_ span: JSONValue, _ draft: inout SpanDraft) throws(SpanError) {
        for link in span["links"]?.array ?? [] {
            let traceID = link["trace_id"] ?? link["traceId"] ?? link["traceID"]
            let spanID = link["span_id"] ?? link["spanId"] ?? link["spanID"]
            let (high, low) = try SpanText.traceID(traceID?.string ?? "", "a link's trace id")
            draft.links.append(
                SpanLinkDraft(
                    traceHigh: high,
                    traceLow: low,
                    spanID: try SpanText.spanID(spanID?.string ?? "", "a link's span_id"),
                    traceState: SpanJSON.bytes(link["trace_state"]),
                    flags: SpanJSON.unsigned(link["flags"]) ?? 0,
                    attributes: Self.attributes(link["attributes"])
                )
            )
        }
    }

    private static func attributes(_ object: JSONValue?) -> [OTLPAttribute] {
        (object?.members ?? []).map { SpanJSON.attribute($0.key, $0.value) }
    }

    /// Any time that logs are sent with; nil where there is none.
    private static func time(_ value: JSONValue?, _ field: String) throws(SpanError) -> Int64? {
        guard let value, value != .null else { return nil }
        let text: String
        switch value {
        case .string(let string), .number(let string): text = string
        default: throw .badTime(field: field, text: "")
        }
        switch LogTime.read(text) {
        case .time(let time): return time
        case .outOfRange: throw .timeOutOfRange(field: field, text: text)
        case .notATime: throw .badTime(field: field, text: text)
        }
    }

    /// Nanoseconds as a number, or a text with a unit: `12ms`.
    private static func duration(_ value: JSONValue) throws(SpanError) -> Int64 {
        switch value {
        case .number(let text), .string(let text):
            if let whole = Int64(text) { return whole }
            if let number = Double(text), let whole = Int64(exactly: number.rounded()) {
                return whole
            }
            if let nanoseconds = Units.nanoseconds(text) { return nanoseconds }
            throw .badTime(field: "duration", text: text)
        default: throw .badTime(field: "duration", text: "")
        }
    }
}
