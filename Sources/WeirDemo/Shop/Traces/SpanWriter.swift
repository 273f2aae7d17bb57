internal import WeirCore

/// Writes spans as an OTLP export request in protobuf, gathered by the instance that sends them.
///
/// Format: opentelemetry-proto, `trace/v1/trace.proto` and `common/v1/common.proto`.
struct SpanWriter {
    /// Each instance's spans as fields of a `ScopeSpans`.
    private var lanes = [[UInt8]](
        repeating: [],
        count: ShopTopology.services.count * ShopTopology.instancesPerService
    )
    private var span: [UInt8] = []
    private var part: [UInt8] = []
    private(set) var spanCount = 0
    private(set) var byteCount = 0

    /// Adds the spans of one trace.
    ///
    /// `origin`: What their times count from, in nanoseconds since 1970.
    mutating func append(
        _ spans: [ShopSpan],
        traceHigh: UInt64,
        traceLow: UInt64,
        origin: Int64
    ) {
        for one in spans {
            encode(one, traceHigh, traceLow, origin)
            let lane = one.service * ShopTopology.instancesPerService + one.instance
            let before = lanes[lane].count
            Self.field(2, span, to: &lanes[lane])
            byteCount += lanes[lane].count - before
            spanCount += 1
        }
    }

    /// The whole request; the writer is empty afterwards.
    mutating func take() -> [UInt8] {
        var request: [UInt8] = []
        request.reserveCapacity(byteCount + 8192)
        for lane in lanes.indices where !lanes[lane].isEmpty {
            var resourceSpans: [UInt8] = []
            Self.field(1, resource(lane), to: &resourceSpans)
            var scope: [UInt8] = []
            Self.field(1, Array("shop.tracing".utf8), to: &scope)
            Self.field(2, Array("2.4.1".utf8), to: &scope)
            var scopeSpans: [UInt8] = []
            Self.field(1, scope, to: &scopeSpans)
            scopeSpans.append(contentsOf: lanes[lane])
            Self.field(2, scopeSpans, to: &resourceSpans)
            Self.field(1, resourceSpans, to: &request)
            lanes[lane].removeAll(keepingCapacity: true)
        }
        spanCount = 0
        byteCount = 0
        return request
    }

    private func resource(_ lane: Int) -> [UInt8] {
        let service = lane / ShopTopology.instancesPerService
        let instance = lane % ShopTopology.instancesPerService
        let name = ShopTopology.services[service].name
        let host = ShopTopology.hosts[ShopTopology.host(service: service, instance: instance)]
        var resource: [UInt8] = []
        for attribute in [
            ShopSpan.Attribute("service.name", name),
            ShopSpan.Attribute("service.instance.id", "\(name)-\(instance + 1)"),
            ShopSpan.Attribute("service.version", "7.\(service + 1).\(instance)"),
            ShopSpan.Attribute("host.name", host),
        ] { Self.attribute(1, attribute, to: &resource) }
        return resource
    }

    private mutating func encode(
        _ one: ShopSpan,
        _ traceHigh: UInt64,
        _ traceLow: UInt64,
        _ origin: Int64
    ) {
        span.removeAll(keepingCapacity: true)
        Self.traceID(1, traceHigh, traceLow, to: &span)
        Self.spanID(2, one.id, to: &span)
        if one.parent != 0 { Self.spanID(4, one.parent, to: &span) }
        Self.text(5, one.name, to: &span)
        Self.whole(6, UInt64(one.kind.rawValue), to: &span)
        Self.fixed(7, UInt64(bitPattern: origin + one.start), to: &span)
        Self.fixed(8, UInt64(bitPattern: origin + one.end), to: &span)
        for attribute in one.attributes { Self.attribute(9, attribute, to: &span) }
        for event in one.events {
            part.removeAll(keepingCapacity: true)
            Self.fixed(1, UInt64(bitPattern: origin + event.time), to: &part)
            Self.text(2, event.name, to: &part)
            for attribute in event.attributes { Self.attribute(3, attribute, to: &part) }
            Self.field(11, part, to: &span)
        }
        if let link = one.link {
            part.removeAll(keepingCapacity: true)
            Self.traceID(1, traceHigh, traceLow, to: &part)
            Self.spanID(2, link, to: &part)
            Self.field(13, part, to: &span)
        }
        if let failure = one.failure {
            part.removeAll(keepingCapacity: true)
            if !failure.isEmpty { Self.text(2, failure, to: &part) }
            Self.whole(3, 2, to: &part)
            Self.field(15, part, to: &span)
        }
    }

    // MARK: Protobuf

    private static func varintSize(_ value: UInt64) -> Int {
        max(1, (64 - value.leadingZeroBitCount + 6) / 7)
    }

    /// Wire type 2: a length and so many bytes.
    private static func head(_ number: Int, _ count: Int, to bytes: inout [UInt8]) {
        UInt64(number << 3 | 2).appendVarint(to: &bytes)
        UInt64(count).appendVarint(to: &bytes)
    }

    private static func field(_ number: Int, _ content: [UInt8], to bytes: inout [UInt8]) {
        head(number, content.count, to: &bytes)
        bytes.append(contentsOf: content)
    }

    private static func text(_ number: Int, _ text: String, to bytes: inout [UInt8]) {
        head(number, text.utf8.count, to: &bytes)
        bytes.append(contentsOf: text.utf8)
    }

    private static func whole(_ number: Int, _ value: UInt64, to bytes: inout [UInt8]) {
        UInt64(number << 3).appendVarint(to: &bytes)
        value.appendVarint(to: &bytes)
    }

    /// Wire type 1: eight bytes, the lowest first.
    private static func fixed(_ number: Int, _ value: UInt64, to bytes: inout [UInt8]) {
        UInt64(number << 3 | 1).appendVarint(to: &bytes)
        for shift in stride(from: 0, to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
        }
    }

    private static func bigEndian(_ value: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
        }
    }

    private static func traceID(
        _ number: Int,
        _ high: UInt64,
        _ low: UInt64,
        to bytes: inout [UInt8]
    ) {
        head(number, 16, to: &bytes)
        bigEndian(high, to: &bytes)
        bigEndian(low, to: &bytes)
    }

    private static func spanID(_ number: Int, _ id: UInt64, to bytes: inout [UInt8]) {
        head(number, 8, to: &bytes)
        bigEndian(id, to: &bytes)
    }

    /// A `KeyValue` as the field of that number.
    private static func attribute(
        _ number: Int,
        _ attribute: ShopSpan.Attribute,
        to bytes: inout [UInt8]
    ) {
        let nameSize = attribute.name.utf8.count
        let valueSize = size(attribute.value)
        let size =
            1 + varintSize(UInt64(nameSize)) + nameSize + 1 + varintSize(UInt64(valueSize))
            + valueSize
        head(number, size, to: &bytes)
        text(1, attribute.name, to: &bytes)
        head(2, valueSize, to: &bytes)
        append(attribute.value, to: &bytes)
    }

    /// Of an `AnyValue`.
    private static func size(_ value: ShopSpan.Value) -> Int {
        func sized(_ count: Int) -> Int { 1 + varintSize(UInt64(count)) + count }
        switch value {
        case .text(let text): return sized(text.utf8.count)
        case .whole(let number): return 1 + varintSize(UInt64(bitPattern: Int64(number)))
        case .decimal: return 9
        case .flag: return 2
        case .texts(let texts):
            return sized(texts.reduce(0) { $0 + sized(sized($1.utf8.count)) })
        }
    }

    private static func append(_ value: ShopSpan.Value, to bytes: inout [UInt8]) {
        switch value {
        case .text(let text): Self.text(1, text, to: &bytes)
        case .flag(let flag): whole(2, flag ? 1 : 0, to: &bytes)
        case .whole(let number): whole(3, UInt64(bitPattern: Int64(number)), to: &bytes)
        case .decimal(let number): fixed(4, number.bitPattern, to: &bytes)
        case .texts(let texts):
            var array: [UInt8] = []
            for text in texts {
                head(1, size(.text(text)), to: &array)
                append(.text(text), to: &array)
            }
            field(5, array, to: &bytes)
        }
    }
}
