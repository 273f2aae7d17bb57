internal import WeirCore

/// Reads Jaeger's `Batch` in thrift's binary protocol, as its clients post it over HTTP.
///
/// Structures: jaeger-idl, thrift/jaeger.thrift. What OpenTelemetry's Jaeger exporters write into
/// tags and logs is turned back: docs/traces-in.md.
package struct JaegerSpanParser {
    private var rows: SpanRows
    private var reader: ThriftReader
    private var scope = SpanDraft.Scope()

    /// Parses a whole body.
    ///
    /// - Throws: `SpanError` when it is no such structure; then nothing is taken.
    package static func parse(
        _ body: [UInt8],
        options: SpanOptions
    ) throws(SpanError) -> SpanResult {
        var parser = JaegerSpanParser(
            rows: SpanRows(options),
            reader: ThriftReader(count: body.count)
        )
        try parser.readBatch(body.span)
        return parser.rows.finished()
    }

    private mutating func readBatch(_ bytes: Span<UInt8>) throws(SpanError) {
        // The process may come after its spans: it is looked for first.
        let start = reader
        rows.beginResource([])
        while let field = try reader.field(bytes) {
            if field.id == 1, field.kind == ThriftField.Kind.structure {
                try readProcess(bytes)
            } else {
                try reader.skip(bytes, field.kind)
            }
        }
        guard reader.offset == bytes.count else { throw .damagedThrift(offset: reader.offset) }
        reader = start
        while let field = try reader.field(bytes) {
            guard field.id == 2, field.kind == ThriftField.Kind.list else {
                try reader.skip(bytes, field.kind)
                continue
            }
            for _ in 0..<(try reader.structures(bytes)) {
                guard rows.hasRoom() else { return }
                rows.count()
                let (draft, refusal) = try readSpan(bytes)
                do throws(SpanError) {
                    if let refusal { throw refusal }
                    rows.beginScope(name: scope.name, version: scope.version)
                    try rows.add(draft)
                } catch {
                    rows.result.refuse(error)
                }
            }
        }
    }

    private mutating func readProcess(_ bytes: Span<UInt8>) throws(SpanError) {
        var attributes: [OTLPAttribute] = []
        while let field = try reader.field(bytes) {
            switch (field.id, field.kind) {
            case (1, ThriftField.Kind.text):
                let name = try reader.text(bytes)
                attributes.append(OTLPAttribute(name: Self.service, kind: .text, value: name))
            case (2, ThriftField.Kind.list): attributes += try readTags(bytes)
            default: try reader.skip(bytes, field.kind)
            }
        }
        rows.beginResource(attributes)
    }

    private static let service = Array("service.name".utf8)

    private mutating func readSpan(
        _ bytes: Span<UInt8>
    ) throws(SpanError) -> (SpanDraft, SpanError?) {
        var draft = SpanDraft()
        var refusal: SpanError?
        var start: Int64 = 0
        var duration: Int64 = 0
        var tags: [OTLPAttribute] = []
        var logs: [SpanEventDraft] = []
        var references: [(kind: Int32, link: SpanLinkDraft)] = []
        while let field = try reader.field(bytes) {
            switch (field.id, field.kind) {
            case (1, ThriftField.Kind.int64): draft.facts.traceLow = try id(bytes)
            case (2, ThriftField.Kind.int64): draft.facts.traceHigh = try id(bytes)
            case (3, ThriftField.Kind.int64): draft.facts.spanID = try id(bytes)
            case (4, ThriftField.Kind.int64): draft.facts.parentID = try id(bytes)
            case (5, ThriftField.Kind.text): draft.name = try reader.text(bytes)
            case (6, ThriftField.Kind.list):
                for _ in 0..<(try reader.structures(bytes)) {
                    references.append(try readReference(bytes))
                }
            case (7, ThriftField.Kind.int32):
                draft.flags = UInt64(UInt32(bitPattern: try reader.int32(bytes)) & 0xFF)
            case (8, ThriftField.Kind.int64): start = try reader.int64(bytes)
            case (9, ThriftField.Kind.int64): duration = try reader.int64(bytes)
            case (10, ThriftField.Kind.list): tags += try readTags(bytes)
            case (11, ThriftField.Kind.list):
                for _ in 0..<(try reader.structures(bytes)) { logs.append(try readLog(bytes)) }
            default: try reader.skip(bytes, field.kind)
            }
        }
        do throws(SpanError) {
            guard start != 0 else { throw .missing("start time") }
            draft.facts.start = try Self.nanoseconds(start, "start time")
            draft.facts.duration = try Self.nanoseconds(duration, "duration")
            for var log in logs {
                log.at = try Self.nanoseconds(log.at, "a log's time") &- draft.facts.start
                draft.events.append(log)
            }
        } catch {
            refusal = error
        }
        scope = SpanDraft.Scope()
        for tag in tags where !draft.takeKnown(tag, &scope) { draft.attributes.append(tag) }
        for (kind, link) in references { take(link, kind, &draft) }
        return (draft, refusal)
    }

    /// A reference to the parent is no link; another parent is told from what it follows.
    private func take(_ link: SpanLinkDraft, _ kind: Int32, _ draft: inout SpanDraft) {
        let isSameTrace =
            link.traceHigh == draft.facts.traceHigh && link.traceLow == draft.facts.traceLow
        var link = link
        if kind == 0 {
            if isSameTrace, draft.facts.parentID == 0 { draft.facts.parentID = link.spanID }
            if isSameTrace, draft.facts.parentID == link.spanID { return }
            link.attributes.append(SpanJSON.attribute("opentracing.ref_type", .string("child_of")))
        }
        draft.links.append(link)
    }

    private mutating func readReference(
        _ bytes: Span<UInt8>
    ) throws(SpanError) -> (kind: Int32, link: SpanLinkDraft) {
        var link = SpanLinkDraft()
        var kind: Int32 = 0
        while let field = try reader.field(bytes) {
            switch (field.id, field.kind) {
            case (1, ThriftField.Kind.int32): kind = try reader.int32(bytes)
            case (2, ThriftField.Kind.int64): link.traceLow = try id(bytes)
            case (3, ThriftField.Kind.int64): link.traceHigh = try id(bytes)
            case (4, ThriftField.Kind.int64): link.spanID = try id(bytes)
            default: try reader.skip(bytes, field.kind)
            }
        }
        return (kind, link)
    }

    /// A log as an event, whose `at` is still the microsecond it was sent with.
    private mutating func readLog(_ bytes: Span<UInt8>) throws(SpanError) -> SpanEventDraft {
        var event = SpanEventDraft()
        while let field = try reader.field(bytes) {
            switch (field.id, field.kind) {
            case (1, ThriftField.Kind.int64): event.at = try reader.int64(bytes)
            case (2, ThriftField.Kind.list): event.attributes += try readTags(bytes)
            default: try reader.skip(bytes, field.kind)
            }
        }
        // `event` names it; OpenTelemetry's exporter for Python writes `message`.
        for name in ["event", "message"] where event.name.isEmpty {
            let found = event.attributes.firstIndex {
                $0.kind == .text && $0.name == Array(name.utf8)
            }
            if let found { event.name = event.attributes.remove(at: found).value }
        }
        return event
    }

    private mutating func readTags(_ bytes: Span<UInt8>) throws(SpanError) -> [OTLPAttribute] {
        var tags: [OTLPAttribute] = []
        for _ in 0..<(try reader.structures(bytes)) { tags.append(try readTag(bytes)) }
        return tags
    }

    private mutating func readTag(_ bytes: Span<UInt8>) throws(SpanError) -> OTLPAttribute {
        var name: [UInt8] = []
        var kind: FieldKind = .json
        var value = OTLPSpanValues.null
        while let field = try reader.field(bytes) {
            switch (field.id, field.kind) {
            case (1, ThriftField.Kind.text): name = try reader.text(bytes)
            case (3, ThriftField.Kind.text): (kind, value) = (.text, try reader.text(bytes))
            case (4, ThriftField.Kind.double):
                let text = OTLPText.number(try reader.double(bytes))
                (kind, value) = (.number, Array(text.utf8))
            case (5, ThriftField.Kind.boolean):
                let text = try reader.boolean(bytes) ? "true" : "false"
                (kind, value) = (.boolean, Array(text.utf8))
            case (6, ThriftField.Kind.int64):
                (kind, value) = (.number, Array(String(try reader.int64(bytes)).utf8))
            case (7, ThriftField.Kind.text):
                (kind, value) = (.bytes, OTLPText.base64(try reader.text(bytes)))
            default: try reader.skip(bytes, field.kind)
            }
        }
        return OTLPAttribute(name: name, kind: kind, value: value)
    }

    private mutating func id(_ bytes: Span<UInt8>) throws(SpanError) -> UInt64 {
        UInt64(bitPattern: try reader.int64(bytes))
    }

    private static func nanoseconds(_ value: Int64, _ field: String) throws(SpanError) -> Int64 {
        let (product, overflow) = value.multipliedReportingOverflow(by: 1000)
        guard !overflow else { throw .timeOutOfRange(field: field, text: String(value)) }
        return product
    }
}
