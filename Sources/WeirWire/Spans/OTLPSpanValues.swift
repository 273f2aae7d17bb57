internal import WeirCore

/// Makes text of OpenTelemetry's values, events and links, in one buffer that is used again.
struct OTLPSpanValues {
    enum Failure: Error {
        case damaged(DecodeError)
        case refused(SpanError)
    }

    static let null = Array("null".utf8)
    private static let yes = Array("true".utf8)
    private static let no = Array("false".utf8)

    let limits: SpanLimits
    /// What was read last.
    var json: [UInt8] = []
    /// Whether a part of it was cut.
    private(set) var isCut = false
    /// The events or links in it.
    private(set) var count = 0

    init(limits: SpanLimits) { self.limits = limits }

    /// Eight bytes that the caller has proved to be there.
    @inline(__always)
    static func id(_ bytes: Span<UInt8>, _ offset: Int) -> UInt64 {
        precondition(offset >= 0 && bytes.count - offset >= 8)
        return UInt64(bigEndian: ByteWords.word(bytes, offset))
    }

    /// A span's start and duration; a span without an end takes no time.
    @inline(__always)
    static func times(
        _ start: UInt64,
        _ end: UInt64
    ) throws(SpanError) -> (start: Int64, duration: Int64) {
        guard start != 0 else { throw .missing("start time") }
        guard let from = Int64(exactly: start) else {
            throw .timeOutOfRange(field: "start time", text: String(start))
        }
        guard end != 0 else { return (from, 0) }
        guard let to = Int64(exactly: end) else {
            throw .timeOutOfRange(field: "end time", text: String(end))
        }
        return (from, to - from)
    }

    /// Reads a value that is no text; `json` holds it.
    mutating func read(
        _ bytes: Span<UInt8>,
        _ member: ProtobufField
    ) throws(DecodeError) -> FieldKind {
        json.removeAll(keepingCapacity: true)
        isCut = false
        switch member.number {
        case 2:
            json += member.bits != 0 ? Self.yes : Self.no
            return .boolean
        case 3:
            json.appendDecimal(member.int64)
            return .number
        case 4:
            json += OTLPText.number(member.double).utf8
            return .number
        case 7:
            appendBase64(bytes, member.range)
            return .bytes
        default:
            try append(bytes, member, depth: 0)
            return .json
        }
    }

    /// Base64 of bytes, cut so that it is no longer than a value may be.
    private mutating func appendBase64(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        let most = limits.valueBytesMax / 4 * 3
        if range.count > most { isCut = true }
        var raw: [UInt8] = []
        raw.append(bytes, range.prefix(most))
        json += OTLPText.base64(raw)
    }

    // MARK: JSON

    private mutating func append(
        _ bytes: Span<UInt8>,
        _ member: ProtobufField,
        depth: Int
    ) throws(DecodeError) {
        switch member.number {
        case 1:
            var range = member.range
            if range.count > limits.valueBytesMax {
                let end = ByteWords.cut(bytes.extracting(range), to: limits.valueBytesMax)
                range = range.lowerBound..<(range.lowerBound + end)
                isCut = true
            }
            SpanText.appendQuoted(bytes, range, to: &json)
        case 2: json += member.bits != 0 ? Self.yes : Self.no
        case 3: json.appendDecimal(member.int64)
        case 4: SpanText.appendJSON(member.double, to: &json)
        case 5, 6:
            guard depth < limits.depthMax else {
                json += Self.null
                isCut = true
                return
            }
            if member.number == 5 {
                try appendArray(bytes, member.range, depth: depth)
            } else {
                try appendMap(bytes, member.range, depth: depth)
            }
        default:
            json += Array("{\"bytes\":\"".utf8)
            appendBase64(bytes, member.range)
            json += Array("\"}".utf8)
        }
    }

    private mutating func appendArray(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        depth: Int
    ) throws(DecodeError) {
        json.append(UInt8(ascii: "["))
        var reader = ProtobufReader(range)
        while let item = try OTLPWire.nextItem(bytes, &reader) {
            if json.last != UInt8(ascii: "[") { json.append(UInt8(ascii: ",")) }
            try appendValue(bytes, item, depth: depth + 1)
        }
        json.append(UInt8(ascii: "]"))
    }

    private mutating func appendMap(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        depth: Int
    ) throws(DecodeError) {
        json.append(UInt8(ascii: "{"))
        var reader = ProtobufReader(range)
        while let item = try OTLPWire.nextItem(bytes, &reader) {
            try appendPair(bytes, item, depth: depth + 1)
        }
        json.append(UInt8(ascii: "}"))
    }

    private mutating func appendPair(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        depth: Int
    ) throws(DecodeError) {
        let (key, value) = try OTLPWire.pair(bytes, range)
        if json.last != UInt8(ascii: "{") { json.append(UInt8(ascii: ",")) }
        SpanText.appendQuoted(bytes, key, to: &json)
        json.append(UInt8(ascii: ":"))
        try appendValue(bytes, value, depth: depth)
    }

    private mutating func appendValue(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        depth: Int
    ) throws(DecodeError) {
        if let member = try OTLPWire.member(bytes, range) {
            try append(bytes, member, depth: depth)
        } else {
            json += Self.null
        }
    }

    // MARK: Events and links

    /// Reads a span's events; returns how many were dropped.
    mutating func readEvents(
        _ bytes: Span<UInt8>,
        _ ranges: [Range<Int>],
        start: UInt64
    ) throws(DecodeError) -> UInt64 {
        try readList(ranges) { (values, range) throws(DecodeError) in
            try values.appendEvent(bytes, range, start: start)
        }
    }

    /// Reads a span's links; returns how many were dropped.
    mutating func readLinks(
        _ bytes: Span<UInt8>,
        _ ranges: [Range<Int>]
    ) throws(DecodeError) -> UInt64 {
        try readList(ranges) { (values, range) throws(DecodeError) in
            try values.appendLink(bytes, range)
        }
    }

    private mutating func readList(
        _ ranges: [Range<Int>],
        _ append: (inout OTLPSpanValues, Range<Int>) throws(DecodeError) -> Void
    ) throws(DecodeError) -> UInt64 {
        json.removeAll(keepingCapacity: true)
        isCut = false
        count = 0
        json.append(UInt8(ascii: "["))
        for range in ranges {
            let before = json.count
            if count > 0 { json.append(UInt8(ascii: ",")) }
            // Also those that are dropped must be what they claim.
            try append(&self, range)
            if count < limits.eventsMax, json.count <= limits.eventsBytesMax {
                count += 1
            } else {
                json.removeLast(json.count - before)
            }
        }
        json.append(UInt8(ascii: "]"))
        return UInt64(ranges.count - count)
    }

    private mutating func appendEvent(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        start: UInt64
    ) throws(DecodeError) {
        var time: UInt64 = 0
        var name = range.lowerBound..<range.lowerBound
        var dropped: UInt64 = 0
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            switch (field.number, field.wire) {
            case (1, .fixed64): time = field.bits
            case (2, .bytes): name = field.range
            case (4, .varint): dropped = field.bits
            default: break
            }
        }
        json.append(UInt8(ascii: "{"))
        SpanText.appendKey("at", to: &json)
        // Without a time it happened at the start.
        json.appendDecimal(time == 0 ? 0 : Int64(bitPattern: time &- start))
        if !name.isEmpty {
            SpanText.appendKey("name", to: &json)
            SpanText.appendQuoted(
                bytes,
                name.lowerBound..<name.lowerBound
                    + ByteWords.cut(bytes.extracting(name), to: limits.valueBytesMax),
                to: &json
            )
        }
        try appendAttributes(bytes, range, number: 3, dropped)
        json.append(UInt8(ascii: "}"))
    }

    private mutating func appendLink(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) {
        var traceID = range.lowerBound..<range.lowerBound
        var (spanID, traceState) = (traceID, traceID)
        var (flags, dropped): (UInt64, UInt64) = (0, 0)
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            switch (field.number, field.wire) {
            case (1, .bytes): traceID = field.range
            case (2, .bytes): spanID = field.range
            case (3, .bytes): traceState = field.range
            case (5, .varint): dropped = field.bits
            case (6, .fixed32): flags = field.bits
            default: break
            }
        }
        json.append(UInt8(ascii: "{"))
        if traceID.count == 16 {
            SpanText.appendKey("traceID", to: &json)
            json.append(UInt8(ascii: "\""))
            HexDigits.append(Self.id(bytes, traceID.lowerBound), to: &json)
            HexDigits.append(Self.id(bytes, traceID.lowerBound + 8), to: &json)
            json.append(UInt8(ascii: "\""))
        }
        if spanID.count == 8 {
            SpanText.appendKey("spanID", to: &json)
            json.append(UInt8(ascii: "\""))
            HexDigits.append(Self.id(bytes, spanID.lowerBound), to: &json)
            json.append(UInt8(ascii: "\""))
        }
        if !traceState.isEmpty {
            SpanText.appendKey("traceState", to: &json)
            SpanText.appendQuoted(
                bytes,
                traceState.lowerBound..<traceState.lowerBound
                    + ByteWords.cut(bytes.extracting(traceState), to: limits.valueBytesMax),
                to: &json
            )
        }
        if flags != 0 {
            SpanText.appendKey("flags", to: &json)
            json.appendDecimal(Int64(clamping: flags))
        }
        try appendAttributes(bytes, range, number: 4, dropped)
        json.append(UInt8(ascii: "}"))
    }

    /// Appends `"attributes":{…}` of the fields `number`, and how many were dropped.
    private mutating func appendAttributes(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        number: Int,
        _ dropped: UInt64
    ) throws(DecodeError) {
        var count = 0
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            guard field.number == number, field.wire == .bytes else { continue }
            if count == 0 {
                SpanText.appendKey("attributes", to: &json)
                json.append(UInt8(ascii: "{"))
            }
            count += 1
            try appendPair(bytes, field.range, depth: 0)
        }
        if count > 0 { json.append(UInt8(ascii: "}")) }
        if dropped > 0 {
            SpanText.appendKey("droppedAttributes", to: &json)
            json.appendDecimal(Int64(clamping: dropped))
        }
    }
}
