package import WeirCore

/// How to read a body of InfluxDB line protocol.
package struct LineProtocolOptions: Sendable {
    /// Nanoseconds per unit of the timestamps in the body.
    package var nanosecondsPerUnit: Int64 = 1
    /// The time of lines that have none, and what "future" is measured from.
    ///
    /// Nanoseconds.
    package var now: Int64
    /// Lines further in the future than this are refused.
    ///
    /// Nanoseconds.
    package var futureMax: Int64 = 2 * 86_400 * 1_000_000_000
    /// Labels that every line gets, and that win over its own tags.
    package var extraLabels: [(name: String, value: String)] = []
    /// Labels a series may have, its name not counted.
    package var labelsMax = 64
    /// Different fields that one measurement and tag set may have in a body.
    package var fieldsMax = 4096
    /// Bytes in a label's or a metric's name.
    package var labelNameBytesMax = 512
    /// Bytes in a label's value.
    package var labelValueBytesMax = 4096

    package init(now: Int64) { self.now = now }

    /// The unit that a `precision` parameter names: InfluxDB 1's `n u ms s m h` and 2's
    /// `ns us ms s`.
    package static func nanosecondsPerUnit(precision: String) -> Int64? {
        switch precision {
        case "", "n", "ns": 1
        case "u", "us", "µ", "µs": 1000
        case "ms": 1_000_000
        case "s": 1_000_000_000
        case "m": 60_000_000_000
        case "h": 3_600_000_000_000
        default: nil
        }
    }
}

/// Why a line was refused.
package enum LineProtocolError: Error, Hashable {
    case missingMeasurement
    case missingFields
    case missingTagValue(tag: String)
    case missingFieldValue(field: String)
    case missingFieldKey
    case badTag(at: Int)
    case badValue(field: String, text: String)
    case integerOutOfRange(field: String, text: String)
    case unterminatedString(field: String)
    case badTimestamp(text: String)
    case timestampOutOfRange(text: String)
    case tooFarInFuture(text: String, limit: Int64)
    case invalidUTF8
    case reservedTag(tag: String)
    case tooManyLabels(count: Int, limit: Int)
    case tooManyFields(limit: Int)
    /// The series that the body names for the first time, with all their labels.
    case tooManyNames(bytesMax: Int)
    case labelNameTooLong(bytes: Int, limit: Int)
    case labelsTooLong(bytes: Int, limit: Int)
    case labelValueTooLong(tag: String, bytes: Int, limit: Int)
}

extension LineProtocolError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .missingMeasurement: "missing measurement"
        case .missingFields: "missing fields"
        case .missingTagValue(let tag): "missing value of tag \"\(tag)\""
        case .missingFieldValue(let field): "missing value of field \"\(field)\""
        case .missingFieldKey: "missing field key"
        case .badTag(let offset): "tag without \"=\" at byte \(offset + 1) of the line"
        case .badValue(let field, let text):
            "field \"\(field)\": \"\(text)\" is no number, boolean or quoted string"
        case .integerOutOfRange(let field, let text):
            "field \"\(field)\": \"\(text)\" does not fit 64 bits"
        case .unterminatedString(let field): "field \"\(field)\": string without closing quote"
        case .badTimestamp(let text): "\"\(text)\" is no timestamp"
        case .timestampOutOfRange(let text):
            "timestamp \"\(text)\" does not fit 64 bits of nanoseconds: is the precision right?"
        case .tooFarInFuture(let text, let limit):
            "timestamp \"\(text)\" is more than \(Units.text(nanoseconds: limit)) in the future"
        case .invalidUTF8: "measurement, tags or field key are not UTF-8"
        case .reservedTag(let tag): "tag \"\(tag)\" is reserved"
        case .tooManyLabels(let count, let limit):
            "\(count) labels where at most \(limit) are allowed"
        case .tooManyFields(let limit): "more than \(limit) fields"
        case .tooManyNames(let bytesMax):
            "the labels of the series that this body is the first to name take more than "
                + "\(bytesMax) bytes; send fewer lines at once"
        case .labelsTooLong(let bytes, let limit):
            "tags of \(bytes) bytes where at most \(limit) are allowed"
        case .labelNameTooLong(let bytes, let limit):
            "a name of \(bytes) bytes where at most \(limit) are allowed"
        case .labelValueTooLong(let tag, let bytes, let limit):
            "value of tag \"\(tag)\" has \(bytes) bytes where at most \(limit) are allowed"
        }
    }
}

/// A line that was not taken, and why.
///
/// Lines count from 1.
package struct LineRefusal: Hashable, Sendable {
    package let line: Int
    package let error: LineProtocolError
}

/// What a body held.
package struct LineProtocolResult: Sendable {
    package var batch: RowBatch
    /// The first refusals; `refusedLineCount` counts them all.
    package var refusals: [LineRefusal] = []
    package var refusedLineCount = 0
    /// Lines with data, refused ones among them.
    package var lineCount = 0
    /// String fields, which metrics have no place for: left out, their line's numbers kept.
    package var stringFieldCount = 0
}
