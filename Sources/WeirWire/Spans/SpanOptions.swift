package import WeirCore

/// How much of a span is taken: beyond this it is cut, dropped and counted, or refused, by name.
package struct SpanLimits: Hashable, Sendable {
    /// Bytes in one value; a longer one is cut, and `span:cut` names it.
    package var valueBytesMax = 32 << 10
    /// Bytes in a span's name; a longer one is cut.
    package var spanNameBytesMax = 4096
    /// Attributes of a span, of a resource and of a scope; more are dropped and counted.
    package var attributesMax = 1024
    /// Events, and links, of a span; more are dropped and counted.
    package var eventsMax = 1024
    /// Bytes of a span's events, and of its links, as JSON; more are dropped and counted.
    package var eventsBytesMax = 1 << 20
    /// Spans of one request.
    package var spansMax = 1_000_000
    /// Bytes of a resource and a scope that are one stream; longer ones are kept with each span.
    package var sharedBytesMax = 16 << 10
    /// Bytes of values that one request may make.
    package var batchBytesMax = 256 << 20
    /// Different attribute names in one request; more are dropped and counted.
    package var namesMax = 20_000
    /// Bytes in an attribute's name, its scope among them; a longer one is dropped and counted.
    package var nameBytesMax = 512
    /// Lists and maps within each other in one value; what is deeper becomes null.
    package var depthMax = 32
    /// Spans that start further in the future than this are refused.
    ///
    /// Nanoseconds.
    package var futureMax: Int64 = 2 * 86_400 * 1_000_000_000

    package init() {}
}

/// How to read a body of spans.
package struct SpanOptions: Sendable {
    /// What "future" is measured from.
    ///
    /// Nanoseconds since the Unix epoch.
    package var now: Int64
    package var limits = SpanLimits()

    package init(now: Int64) { self.now = now }
}

/// Which side of a call a span is, with OpenTelemetry's numbers.
package enum SpanKind: UInt8, Hashable, Sendable, CaseIterable {
    case unspecified = 0
    case `internal` = 1
    case server = 2
    case client = 3
    case producer = 4
    case consumer = 5
}

/// How a span ended, with OpenTelemetry's numbers.
package enum SpanStatus: UInt8, Hashable, Sendable {
    case unset = 0
    case ok = 1
    case error = 2
}

/// What every span has, as numbers: beside its row, so that who counts spans need not read text.
package struct SpanFacts: Hashable, Sendable {
    package var traceHigh: UInt64 = 0
    package var traceLow: UInt64 = 0
    package var spanID: UInt64 = 0
    /// 0: a root.
    package var parentID: UInt64 = 0
    /// Nanoseconds since the Unix epoch.
    package var start: Int64 = 0
    /// Nanoseconds.
    package var duration: Int64 = 0
    package var kind = SpanKind.unspecified
    package var status = SpanStatus.unset

    package init() {}
}

/// Why a span was refused, or a whole body.
package enum SpanError: Error, Hashable {
    case damagedProtobuf(offset: Int)
    case damagedThrift(offset: Int)
    case tooDeep(limit: Int)
    case json(LogError)
    case missing(String)
    /// An id of the wrong length, as bytes or as hexadecimal digits.
    case badID(field: String, text: String)
    case zeroID(field: String)
    case badTime(field: String, text: String)
    case timeOutOfRange(field: String, text: String)
    case tooFarInFuture(time: Int64, limit: Int64)
    case badValue(field: String, text: String)
}

extension SpanError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .damagedProtobuf(let offset): "byte \(offset + 1): damaged protobuf"
        case .damagedThrift(let offset): "byte \(offset + 1): damaged thrift"
        case .tooDeep(let limit): "more than \(limit) structures within each other"
        case .json(let error): error.description
        case .missing(let what): "\(what) is missing"
        case .badID(let field, let text): "\(field): \(text) is no id"
        case .zeroID(let field): "\(field): all zero"
        case .badTime(let field, let text): "\(field): \"\(text)\" is no time"
        case .timeOutOfRange(let field, let text):
            "\(field): \"\(text)\" is outside of the years 1678 to 2261"
        case .tooFarInFuture(let time, let limit):
            "start \(time) is more than \(Units.text(nanoseconds: limit)) in the future"
        case .badValue(let field, let text): "\(field): \"\(text)\" is not known"
        }
    }
}

/// A span that was not taken, and why.
package struct SpanRefusal: Hashable, Sendable {
    /// The line of the body it began in, counted from 1; 0 when there are no lines.
    package let line: Int
    /// The how-manieth span of the body it is, counted from 1.
    package let record: Int
    package let error: SpanError
}

/// What a body of spans held.
package struct SpanResult: Sendable {
    /// Refusals kept with their reasons.
    package static let refusalsMax = 20

    package var batch = RowBatch(signal: .traces)
    /// One of each row of `batch`.
    package var facts: [SpanFacts] = []
    /// The first refusals; `refusedCount` counts them all.
    package var refusals: [SpanRefusal] = []
    package var refusedCount = 0
    /// Spans seen, refused ones among them.
    package var recordCount = 0
    /// Spans of which something was cut or dropped.
    package var cutCount = 0
    /// The body had more spans than `spansMax`, or made more than `batchBytesMax`: none is kept.
    package var isTooLarge = false

    package init() {}

    mutating func refuse(line: Int = 0, _ error: SpanError) {
        refusedCount += 1
        if refusals.count < Self.refusalsMax {
            refusals.append(SpanRefusal(line: line, record: recordCount, error: error))
        }
    }
}
