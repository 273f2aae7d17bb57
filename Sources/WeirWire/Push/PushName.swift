/// Names of Graphite and StatsD as Prometheus has them.
///
/// What is not a letter, a digit, `_` or `:` becomes `_`, and `_` goes before a leading digit: `a.b-c`
/// is `a_b_c`.
enum PushName {
    static func metric(_ name: Substring.UTF8View) -> String { plain(name, allowsColon: true) }

    static func label(_ name: Substring.UTF8View) -> String { plain(name, allowsColon: false) }

    private static func plain(_ name: Substring.UTF8View, allowsColon: Bool) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(name.count + 1)
        for byte in name {
            let letter = byte | 0x20
            let isDigit = byte &- 0x30 < 10
            if isDigit, bytes.isEmpty { bytes.append(UInt8(ascii: "_")) }
            let isKept =
                isDigit || (letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "z"))
                || (allowsColon && byte == UInt8(ascii: ":"))
            bytes.append(isKept ? byte : UInt8(ascii: "_"))
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Why a line of Graphite's or StatsD's was refused.
package enum PushError: Error, Hashable, CustomStringConvertible {
    case notUTF8
    case noName
    case noValue
    case badValue(String)
    case badTime(String)
    case badType(String)
    case badRate(String)
    case badTag(String)
    case tooManyLabels(limit: Int)
    case tooLong(limit: Int)
    case tooFarInFuture(limit: Int64)

    package var description: String {
        switch self {
        case .notUTF8: "the line is not UTF-8"
        case .noName: "the metric has no name"
        case .noValue: "there is no value"
        case .badValue(let text): "\"\(text)\" is no number"
        case .badTime(let text): "\"\(text)\" is no timestamp"
        case .badType(let text): "\"\(text)\" is no type of metrics"
        case .badRate(let text): "\"\(text)\" is no sample rate"
        case .badTag(let text): "\"\(text)\" is no tag"
        case .tooManyLabels(let limit): "more than \(limit) labels"
        case .tooLong(let limit): "a name or value of more than \(limit) bytes"
        case .tooFarInFuture(let limit):
            "the time is more than \(limit / 1_000_000_000) s in the future"
        }
    }
}
