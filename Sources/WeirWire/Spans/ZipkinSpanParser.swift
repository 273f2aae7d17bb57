internal import WeirCore

/// Reads Zipkin's spans, version 2, as JSON: an array of them, or one alone.
///
/// What OpenTelemetry's Zipkin exporters write into tags and annotations is turned back:
/// docs/traces-in.md.
package struct ZipkinSpanParser {
    private var rows: SpanRows
    private let depthMax: Int

    /// Parses a whole body.
    ///
    /// - Throws: `SpanError` when it is no such JSON; then nothing is taken.
    package static func parse(
        _ body: [UInt8],
        options: SpanOptions
    ) throws(SpanError) -> SpanResult {
        let depthMax = options.limits.depthMax + 4
        let bytes = body.span
        let scanner = try SpanJSON.whole(bytes, depthMax: depthMax)
        let range = scanner.offset..<bytes.count
        let isArray = bytes[scanner.offset] == UInt8(ascii: "[")
        guard isArray || bytes[scanner.offset] == UInt8(ascii: "{") else {
            throw .missing("an array of spans")
        }
        var parser = ZipkinSpanParser(rows: SpanRows(options), depthMax: depthMax)
        let spans = isArray ? SpanJSON.items(bytes, range, depthMax: depthMax) : [range]
        for range in spans {
            guard parser.rows.hasRoom() else { break }
            parser.rows.count()
            do throws(SpanError) {
                try parser.read(try SpanJSON.tree(bytes, range, depthMax: depthMax))
            } catch {
                parser.rows.result.refuse(error)
            }
        }
        return parser.rows.finished()
    }

    private mutating func read(_ span: JSONValue) throws(SpanError) {
        guard case .object = span else { throw .missing("an object") }
        var draft = SpanDraft()
        (draft.facts.traceHigh, draft.facts.traceLow) = try SpanText.traceID(
            span["traceId"]?.string ?? ""
        )
        draft.facts.spanID = try SpanText.spanID(span["id"]?.string ?? "", "id")
        if let parent = span["parentId"]?.string, !parent.isEmpty {
            draft.facts.parentID = try SpanText.spanID(parent, "parentId")
        }
        let annotations = span["annotations"]?.array ?? []
        let sent = try Self.nanoseconds(span["timestamp"], "timestamp")
        let first = try Self.nanoseconds(annotations.first?["timestamp"], "timestamp")
        guard let start = sent ?? first else { throw .missing("timestamp") }
        draft.facts.start = start
        draft.facts.duration = try Self.nanoseconds(span["duration"], "duration") ?? 0
        draft.facts.kind = span["kind"]?.string.flatMap { SpanKind(text: $0) } ?? .unspecified
        draft.name = SpanJSON.bytes(span["name"])
        var resource: [OTLPAttribute] = []
        var scope = SpanDraft.Scope()
        readTags(span["tags"], &draft, &resource, &scope)
        readEndpoints(span, &draft, &resource)
        if span["shared"] == .bool(true) {
            draft.attributes.append(SpanJSON.attribute("zipkin.shared", .bool(true)))
        }
        if span["debug"] == .bool(true) {
            draft.attributes.append(SpanJSON.attribute("zipkin.debug", .bool(true)))
        }
        for annotation in annotations {
            let time = try Self.nanoseconds(annotation["timestamp"], "an annotation's timestamp")
            draft.events.append(
                Self.event(annotation["value"]?.string ?? "", at: (time ?? start) &- start)
            )
        }
        rows.beginResource(resource)
        rows.beginScope(name: scope.name, version: scope.version)
        try rows.add(draft)
    }

    /// Tags of the process that exporters mix with those of the span.
    private static func isOfResource(_ name: String) -> Bool {
        name.hasPrefix("telemetry.sdk.") || name == "service.name"
            || name == "service.namespace" || name == "service.instance.id"
            || name == "service.version"
    }

    private func readTags(
        _ tags: JSONValue?,
        _ draft: inout SpanDraft,
        _ resource: inout [OTLPAttribute],
        _ scope: inout SpanDraft.Scope
    ) {
        for tag in tags?.members ?? [] {
            let attribute = SpanJSON.attribute(tag.key, tag.value)
            if draft.takeKnown(attribute, &scope) { continue }
            if Self.isOfResource(tag.key) {
                resource.append(attribute)
            } else {
                draft.attributes.append(attribute)
            }
        }
    }

    private func readEndpoints(
        _ span: JSONValue,
        _ draft: inout SpanDraft,
        _ resource: inout [OTLPAttribute]
    ) {
        if let local = span["localEndpoint"] {
            if let name = local["serviceName"], name.string?.isEmpty == false {
                resource.removeAll { $0.name == Array("service.name".utf8) }
                resource.append(SpanJSON.attribute("service.name", name))
            }
            Self.readAddress(local, prefix: "net.host", &draft)
        }
        if let remote = span["remoteEndpoint"] {
            if let name = remote["serviceName"], name.string?.isEmpty == false {
                draft.attributes.append(SpanJSON.attribute("peer.service", name))
            }
            Self.readAddress(remote, prefix: "net.peer", &draft)
        }
    }

    private static func readAddress(
        _ endpoint: JSONValue,
        prefix: String,
        _ draft: inout SpanDraft
    ) {
        if let address = endpoint["ipv4"] ?? endpoint["ipv6"], address.string?.isEmpty == false {
            draft.attributes.append(SpanJSON.attribute("\(prefix).ip", address))
        }
        if let port = endpoint["port"], let number = port.int, number > 0 {
            draft.attributes.append(SpanJSON.attribute("\(prefix).port", port))
        }
    }

    /// An annotation; `{"name":{"key":value}}` is an event with attributes.
    private static func event(_ value: String, at: Int64) -> SpanEventDraft {
        if value.hasPrefix("{"), let tree = try? JSONParser.parse(Array(value.utf8), depthMax: 32),
            let members = tree.members, members.count == 1,
            case .object(let attributes) = members[0].value
        {
            return SpanEventDraft(
                at: at,
                name: Array(members[0].key.utf8),
                attributes: attributes.map { SpanJSON.attribute($0.key, $0.value) }
            )
        }
        return SpanEventDraft(at: at, name: Array(value.utf8))
    }

    /// Microseconds as nanoseconds; nil where there are none.
    private static func nanoseconds(
        _ value: JSONValue?,
        _ field: String
    ) throws(SpanError) -> Int64? {
        guard let value, value != .null else { return nil }
        let text: String
        switch value {
        case .number(let number), .string(let number): text = number
        default: throw .badTime(field: field, text: "")
        }
        if let whole = Int64(text) {
            let (product, overflow) = whole.multipliedReportingOverflow(by: 1000)
            guard !overflow else { throw .timeOutOfRange(field: field, text: text) }
            return product == 0 ? nil : product
        }
        guard let number = Double(text), number.isFinite else {
            throw .badTime(field: field, text: text)
        }
        guard let exact = Int64(exactly: (number * 1000).rounded()) else {
            throw .timeOutOfRange(field: field, text: text)
        }
        return exact == 0 ? nil : exact
    }
}
