package import WeirCore

/// How much of logs is taken: beyond this a line is cut or refused, by name.
package struct LogLimits: Hashable, Sendable {
    /// Bytes in one value; a longer one is cut, and the row's `_truncated` says how long it was.
    package var lineBytesMax = 256 << 10
    /// Fields a row may have.
    package var fieldsMax = 1000
    /// Rows of one request.
    package var rowsMax = 1_000_000
    /// Bytes of values that one request may make: what is sent once for many rows is kept with each.
    package var batchBytesMax = 256 << 20
    /// Different field names in one request.
    package var namesMax = 20_000
    /// Bytes in a field's or label's name.
    package var nameBytesMax = 512
    /// Bytes in a label's value.
    package var labelValueBytesMax = 4096
    /// Labels a stream may have.
    package var labelsMax = 64
    /// Objects and arrays within each other.
    package var depthMax = 32
    /// Rows further in the future than this are refused.
    ///
    /// Nanoseconds.
    package var futureMax: Int64 = 2 * 86_400 * 1_000_000_000

    package init() {}
}

/// How to read a body of logs.
package struct LogOptions: Sendable {
    /// The field that says how long a cut value was.
    package static let truncatedName = "_truncated"
    /// The name given to a JSON key without characters, since that of the body is empty.
    package static let emptyName = "_empty"

    /// The time of rows that have none, and what "future" is measured from.
    ///
    /// Nanoseconds.
    package var now: Int64
    package var limits = LogLimits()
    /// Fields that become the labels of the row's stream, and no fields.
    package var streamFields = [
        "service", "service.name", "service_name", "app", "host", "host.name", "hostname", "env",
    ]
    /// The first of these that is present becomes the row's time, and no field.
    package var timeFields = ["time", "timestamp", "ts", "_time", "@timestamp"]
    /// As `timeFields`, but a plain field where it holds no time: Fluent Bit's.
    package var softTimeFields = ["date"]
    /// The first of these that is present becomes the body.
    package var bodyFields = ["message", "msg", "body", "_msg", "log"]
    /// Labels that every stream gets, and that win over fields.
    package var extraLabels: [(name: String, value: String)] = []

    package init(now: Int64) { self.now = now }
}

/// Why a row was refused.
package enum LogError: Error, Hashable {
    case unexpectedByte(at: Int, byte: UInt8, expected: String)
    case unexpectedEnd(at: Int, expected: String)
    case badEscape(at: Int)
    case badNumber(at: Int)
    case controlInString(at: Int, byte: UInt8)
    case tooDeep(limit: Int)
    case tooManyFields(limit: Int)
    case tooManyNames(limit: Int)
    case tooManyLabels(count: Int, limit: Int)
    case nameTooLong(bytes: Int, limit: Int)
    case labelValueTooLong(label: String, bytes: Int, limit: Int)
    case badTime(field: String, text: String)
    case timeOutOfRange(field: String, text: String)
    case tooFarInFuture(text: String, limit: Int64)
    case empty
    case noPairs
    case badLabels(text: String)
    case missing(String)
    case damaged(DecodeFault)
    case unknownAction(String)
}

/// Where packed or binary input could not be read.
package enum DecodeFault: Hashable, Sendable {
    case protobuf(offset: Int)
    case snappy
    case snappyTooLarge(bytes: Int, limit: Int)
}

extension LogError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unexpectedByte(let at, let byte, let expected):
            "byte \(at + 1): \(Self.shown(byte)) where \(expected) is expected"
        case .unexpectedEnd(let at, let expected):
            "byte \(at + 1): the end where \(expected) is expected"
        case .badEscape(let at): "byte \(at + 1): no escape of JSON"
        case .badNumber(let at): "byte \(at + 1): no number of JSON"
        case .controlInString(let at, let byte):
            "byte \(at + 1): control byte \(Self.shown(byte)) in a string; it must be escaped"
        case .tooDeep(let limit): "more than \(limit) objects or arrays within each other"
        case .tooManyFields(let limit): "more than \(limit) fields in a row (log-fields-max)"
        case .tooManyNames(let limit): "more than \(limit) different field names in a request"
        case .tooManyLabels(let count, let limit):
            "\(count) labels where at most \(limit) are allowed"
        case .nameTooLong(let bytes, let limit):
            "a name of \(bytes) bytes where at most \(limit) are allowed"
        case .labelValueTooLong(let label, let bytes, let limit):
            "value of label \"\(label)\" has \(bytes) bytes where at most \(limit) are allowed"
        case .badTime(let field, let text): "field \"\(field)\": \"\(text)\" is no time"
        case .timeOutOfRange(let field, let text):
            "field \"\(field)\": \"\(text)\" is outside of the years 1678 to 2261"
        case .tooFarInFuture(let text, let limit):
            "time \"\(text)\" is more than \(Units.text(nanoseconds: limit)) in the future"
        case .empty: "no fields"
        case .noPairs: "no pair of key=value"
        case .badLabels(let text): "\"\(text)\" is no set of labels such as {app=\"web\"}"
        case .missing(let what): "\(what) is missing"
        case .damaged(.protobuf(let offset)): "byte \(offset + 1): damaged protobuf"
        case .damaged(.snappy): "damaged or truncated snappy block"
        case .damaged(.snappyTooLarge(let bytes, let limit)):
            "a snappy block of \(bytes) bytes where at most \(limit) are allowed"
        case .unknownAction(let text): "action \"\(text)\" is not supported; use index or create"
        }
    }

    private static func shown(_ byte: UInt8) -> String {
        switch byte {
        case 0x21...0x7E: "\"\(Character(Unicode.Scalar(byte)))\""
        case 0x0A: "end of line"
        case 0x20: "space"
        default: "0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
    }
}

/// A row that was not taken, and why.
package struct LogRefusal: Hashable, Sendable {
    /// The line of the body it began in, counted from 1; 0 when there are no lines.
    package let line: Int
    /// The how-manieth row of the body it would have been, counted from 1.
    package let record: Int
    package let error: LogError

    package init(line: Int, record: Int, error: LogError) {
        self.line = line
        self.record = record
        self.error = error
    }
}

/// What a body of logs held.
package struct LogResult: Sendable {
    /// Refusals kept with their reasons.
    package static let refusalsMax = 20

    package var batch = RowBatch(signal: .logs)
    /// The first refusals; `refusedCount` counts them all.
    package var refusals: [LogRefusal] = []
    package var refusedCount = 0
    /// Rows seen, refused ones among them.
    package var recordCount = 0
    /// Rows of which a value was cut.
    package var cutCount = 0
    /// The body had more rows than `rowsMax`, or made more than `batchBytesMax`: none is kept.
    package var isTooLarge = false

    package init() {}

    package mutating func refuse(line: Int, _ error: LogError) {
        refusedCount += 1
        if refusals.count < Self.refusalsMax {
            refusals.append(LogRefusal(line: line, record: recordCount, error: error))
        }
    }
}
