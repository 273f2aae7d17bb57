internal import WeirCore

/// Reads OpenTelemetry's `ExportTraceServiceRequest` as protobuf.
///
/// Field numbers: opentelemetry/proto/trace/v1/trace.proto. Each span is walked over once: its
/// numbers are gathered, and its attributes, events and links are written to their columns from
/// where they lie.
package struct OTLPSpanParser {
    /// A span with a handful of attributes.
    private static let typicalSpanBytes = 256

    private var rows: SpanRows
    private var values: OTLPSpanValues
    private var attributes: [Range<Int>] = []
    private var events: [Range<Int>] = []
    private var links: [Range<Int>] = []

    /// Parses a whole message.
    ///
    /// - Throws: `SpanError.damagedProtobuf` when it is no such message; then nothing is taken.
    package static func parse(
        _ body: [UInt8],
        options: SpanOptions
    ) throws(SpanError) -> SpanResult {
        var parser = OTLPSpanParser(
            rows: SpanRows(options, expected: body.count / Self.typicalSpanBytes),
            values: OTLPSpanValues(limits: options.limits)
        )
        do throws(DecodeError) {
            try parser.readRequest(body.span)
        } catch {
            throw .damagedProtobuf(offset: error.offset)
        }
        return parser.rows.finished()
    }

    private mutating func readRequest(_ bytes: Span<UInt8>) throws(DecodeError) {
        var reader = ProtobufReader(0..<bytes.count)
        while let field = try reader.next(bytes) {
            if field.number == 1, field.wire == .bytes {
                try readResourceSpans(bytes, field.range)
            }
        }
    }

    private mutating func readResourceSpans(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) {
        // The resource may come after its spans.
        rows.beginResource()
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            switch (field.number, field.wire) {
            case (1, .bytes):
                var inner = ProtobufReader(field.range)
                while let field = try inner.next(bytes) {
                    switch (field.number, field.wire) {
                    case (1, .bytes): try readAttribute(.resource, bytes, field.range)
                    case (2, .varint): rows.addDropped(.resource, field.bits)
                    default: break
                    }
                }
            case (3, .bytes):
                rows.setConstant(.resource, .resourceSchemaURL, bytes.extracting(field.range))
            default: break
            }
        }
        reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            guard field.number == 2, field.wire == .bytes else { continue }
            try readScopeSpans(bytes, field.range)
        }
    }

    private mutating func readScopeSpans(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) {
        rows.beginScope()
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            switch (field.number, field.wire) {
            case (1, .bytes): try readScope(bytes, field.range)
            case (3, .bytes):
                rows.setConstant(.scope, .scopeSchemaURL, bytes.extracting(field.range))
            default: break
            }
        }
        reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            guard field.number == 2, field.wire == .bytes else { continue }
            guard rows.hasRoom() else { return }
            rows.count()
            do throws(OTLPSpanValues.Failure) {
                try readSpan(bytes, field.range)
            } catch {
                switch error {
                case .damaged(let error): throw error
                case .refused(let error): rows.result.refuse(error)
                }
            }
        }
    }

    private mutating func readScope(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) {
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            switch (field.number, field.wire) {
            case (1, .bytes): rows.setConstant(.scope, .scopeName, bytes.extracting(field.range))
            case (2, .bytes):
                rows.setConstant(.scope, .scopeVersion, bytes.extracting(field.range))
            case (3, .bytes): try readAttribute(.scope, bytes, field.range)
            case (4, .varint): rows.addDropped(.scope, field.bits)
            default: break
            }
        }
    }

    // MARK: Spans

    private mutating func readSpan(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(OTLPSpanValues.Failure) {
        var facts = SpanFacts()
        var traceID = range.lowerBound..<range.lowerBound
        var spanID = traceID
        var parentID = traceID
        var (traceState, name, message) = (traceID, traceID, traceID)
        var (start, end, flags): (UInt64, UInt64, UInt64) = (0, 0, 0)
        var (droppedAttributes, droppedEvents, droppedLinks): (UInt64, UInt64, UInt64) = (0, 0, 0)
        attributes.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
        links.removeAll(keepingCapacity: true)
        do throws(DecodeError) {
            var reader = ProtobufReader(range)
            while let field = try reader.next(bytes) {
                // The field's number and its wire type, as in its key.
                switch field.number &<< 3 | Int(field.wire.rawValue) {
                case 1 << 3 | 2: traceID = field.range
                case 2 << 3 | 2: spanID = field.range
                case 3 << 3 | 2: traceState = field.range
                case 4 << 3 | 2: parentID = field.range
                case 5 << 3 | 2: name = field.range
                case 6 << 3: facts.kind = SpanKind(number: field.bits)
                case 7 << 3 | 1: start = field.bits
                case 8 << 3 | 1: end = field.bits
                case 9 << 3 | 2: attributes.append(field.range)
                case 10 << 3: droppedAttributes = field.bits
                case 11 << 3 | 2: events.append(field.range)
                case 12 << 3: droppedEvents = field.bits
                case 13 << 3 | 2: links.append(field.range)
                case 14 << 3: droppedLinks = field.bits
                case 15 << 3 | 2:
                    var inner = ProtobufReader(field.range)
                    while let field = try inner.next(bytes) {
                        if field.number == 2, field.wire == .bytes { message = field.range }
                        if field.number == 3, field.wire == .varint {
                            facts.status = SpanStatus(number: field.bits)
                        }
                    }
                case 16 << 3 | 5: flags = field.bits
                default: break
                }
            }
        } catch {
            throw .damaged(error)
        }
        do throws(SpanError) {
            guard traceID.count == 16 else {
                throw .badID(field: "trace id", text: "\(traceID.count) bytes")
            }
            facts.traceHigh = OTLPSpanValues.id(bytes, traceID.lowerBound)
            facts.traceLow = OTLPSpanValues.id(bytes, traceID.lowerBound + 8)
            guard spanID.count == 8 else {
                throw .badID(field: "span id", text: "\(spanID.count) bytes")
            }
            facts.spanID = OTLPSpanValues.id(bytes, spanID.lowerBound)
            if parentID.count == 8 {
                facts.parentID = OTLPSpanValues.id(bytes, parentID.lowerBound)
            } else if !parentID.isEmpty {
                throw .badID(field: "parent span id", text: "\(parentID.count) bytes")
            }
            (facts.start, facts.duration) = try OTLPSpanValues.times(start, end)
            try rows.begin(facts)
        } catch {
            throw .refused(error)
        }
        rows.set(.name, bytes.extracting(name))
        if !message.isEmpty { rows.set(.statusMessage, bytes.extracting(message)) }
        if !traceState.isEmpty { rows.set(.traceState, bytes.extracting(traceState)) }
        rows.set(.flags, flags)
        rows.addDropped(.span, droppedAttributes)
        do throws(DecodeError) {
            for range in attributes { try readAttribute(.span, bytes, range) }
            if !events.isEmpty {
                let dropped = try values.readEvents(bytes, events, start: start)
                droppedEvents = SpanRows.sum(droppedEvents, dropped)
                if values.count > 0 {
                    let json = values.json
                    rows.setJSON(.events, json.span)
                }
                if values.isCut { rows.markCut(.events) }
            }
            if !links.isEmpty {
                let dropped = try values.readLinks(bytes, links)
                droppedLinks = SpanRows.sum(droppedLinks, dropped)
                if values.count > 0 {
                    let json = values.json
                    rows.setJSON(.links, json.span)
                }
                if values.isCut { rows.markCut(.links) }
            }
        } catch {
            throw .damaged(error)
        }
        rows.set(.droppedEvents, droppedEvents)
        rows.set(.droppedLinks, droppedLinks)
        rows.end()
    }

    @inline(__always)
    private mutating func readAttribute(
        _ place: SpanRows.Place,
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) {
        let (key, value) = try OTLPWire.pair(bytes, range)
        guard let member = try OTLPWire.member(bytes, value) else {
            let null = OTLPSpanValues.null
            return rows.attribute(place, bytes, key, .json, null.span)
        }
        if member.number == 1 {
            rows.attribute(place, bytes, key, .text, bytes.extracting(member.range))
        } else {
            let kind = try values.read(bytes, member)
            // Moved out and back, so that it is neither shared nor copied.
            var json: [UInt8] = []
            swap(&json, &values.json)
            rows.attribute(place, bytes, key, kind, json.span, isCut: values.isCut)
            swap(&json, &values.json)
        }
    }
}

extension SpanKind {
    /// The kind with OpenTelemetry's number.
    init(number: UInt64) {
        self = UInt8(exactly: number).flatMap { SpanKind(rawValue: $0) } ?? .unspecified
    }
}

extension SpanStatus {
    /// The status with OpenTelemetry's number.
    init(number: UInt64) {
        self = UInt8(exactly: number).flatMap { SpanStatus(rawValue: $0) } ?? .unset
    }
}
