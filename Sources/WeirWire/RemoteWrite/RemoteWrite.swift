internal import WeirCore

/// The two messages that Prometheus's remote write protocol has.
package enum RemoteWriteVersion: Hashable, Sendable {
    /// `prometheus.WriteRequest`.
    case one
    /// `io.prometheus.write.v2.Request`.
    case two
}

/// Why a whole request was not taken.
package enum RemoteWriteError: Error, Hashable, CustomStringConvertible {
    case damagedProtobuf(offset: Int)
    case tooManyRows(limit: Int)

    package var description: String {
        switch self {
        case .damagedProtobuf(let offset): "byte \(offset + 1): damaged protobuf"
        case .tooManyRows(let limit): "more than \(limit) samples"
        }
    }
}

/// Why a series, or a part of one, was not taken.
enum SeriesError: Error, Hashable, CustomStringConvertible {
    case noName
    case emptyLabelName
    case duplicateLabel(String)
    case notUTF8
    case tooManyLabels(count: Int, limit: Int)
    case nameTooLong(bytes: Int, limit: Int)
    case valueTooLong(label: String, bytes: Int, limit: Int)
    case damagedLabel(offset: Int)
    case badSymbol(UInt64)
    case oddReferences
    case badTime
    case tooFarInFuture(limit: Int64)
    case labelsTooLong(bytes: Int, limit: Int)
    case histogram(String)

    var description: String {
        switch self {
        case .noName: "the series has no metric name"
        case .emptyLabelName: "a label has no name"
        case .duplicateLabel(let name): "label \"\(name)\" stands there twice"
        case .notUTF8: "a label is not UTF-8"
        case .tooManyLabels(let count, let limit):
            "\(count) labels where at most \(limit) are allowed"
        case .labelsTooLong(let bytes, let limit):
            "labels of \(bytes) bytes where at most \(limit) are allowed"
        case .nameTooLong(let bytes, let limit):
            "a name of \(bytes) bytes where at most \(limit) are allowed"
        case .valueTooLong(let label, let bytes, let limit):
            "value of label \"\(label)\" has \(bytes) bytes where at most \(limit) are allowed"
        case .damagedLabel(let offset): "byte \(offset + 1): damaged label"
        case .badSymbol(let reference): "symbol \(reference) is not in the table"
        case .oddReferences: "a label has a name and no value"
        case .badTime: "the time is outside of the years 1678 to 2261"
        case .tooFarInFuture(let limit):
            "the time is more than \(Units.text(nanoseconds: limit)) in the future"
        case .histogram(let reason): "native histogram: \(reason)"
        }
    }
}
