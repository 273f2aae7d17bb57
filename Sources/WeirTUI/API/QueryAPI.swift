package import WeirCore

/// Where a screen's answers come from: Weir's HTTP API, or a canned one in tests.
///
/// Called from many threads.
package protocol QueryAPI: Sendable {
    /// Asks and waits for the whole answer. Not for the thread that draws.
    ///
    /// `path` is such as `/api/v1/query_range`, already percent-encoded; the answer is the body.
    func get(path: String, parameters: [(String, String)]) throws(APIError) -> JSONValue

    /// The same where the answer is JSON lines: those of the body, without their line ends.
    func lines(path: String, parameters: [(String, String)]) throws(APIError) -> [[UInt8]]
}

extension QueryAPI {
    /// For sources that know nothing of JSON lines.
    package func lines(
        path: String,
        parameters: [(String, String)]
    ) throws(APIError) -> [[UInt8]] {
        throw .malformed("\(path) answers no lines here")
    }
}

/// Why there is no answer.
package enum APIError: Error, Hashable, Sendable {
    case unreachable(url: String, reason: String)
    case timedOut(url: String, seconds: Double)
    /// The server said no: Prometheus's `errorType` and `error`, or Weir's `error` and `reason`.
    case refused(status: Int, kind: String, message: String)
    /// The answer is not what the API promises; says what is wrong.
    case malformed(String)

    /// One line for people.
    package var text: String {
        switch self {
        case .unreachable(let url, let reason): "cannot reach \(url): \(reason)"
        case .timedOut(let url, let seconds):
            "no answer from \(url) within \(Units.text(nanoseconds: Int64(min(seconds, 1e6) * 1e9)))"
        case .refused(_, let kind, let message):
            kind.isEmpty || message.hasPrefix(kind) ? message : "\(kind): \(message)"
        case .malformed(let what): "the server's answer is not understood: \(what)"
        }
    }

    /// Whether asking again may help: nothing is wrong with the question.
    package var isOutage: Bool {
        switch self {
        case .unreachable, .timedOut: true
        case .refused(let status, _, _): status == 502 || status == 503 || status == 504
        case .malformed: false
        }
    }
}

extension QueryAPI {
    /// The `data` of a Prometheus answer.
    func data(
        _ path: String,
        _ parameters: [(String, String)] = []
    ) throws(APIError) -> JSONValue {
        let body = try get(path: path, parameters: parameters)
        guard body["status"]?.string != "error" else {
            throw .refused(
                status: 200,
                kind: body["errorType"]?.string ?? "",
                message: body["error"]?.string ?? "unknown error"
            )
        }
        guard let data = body["data"] else { throw .malformed("no data in \(path)") }
        return data
    }

    /// The values of a label on what `match` selects (everything when nil).
    package func labelValues(
        _ label: String,
        match: String?,
        from: Int64,
        to: Int64
    ) throws(APIError) -> [String] {
        var parameters = [("start", TimeText.seconds(from)), ("end", TimeText.seconds(to))]
        if let match { parameters.append(("match[]", match)) }
        let data = try data(
            "/api/v1/label/\(PercentEncoding.encode(label))/values",
            parameters
        )
        guard let items = data.array else { throw .malformed("label values are no list") }
        return items.compactMap { $0.string }
    }
}

/// Times as the API takes them.
enum TimeText {
    /// Nanoseconds since 1970, as the log paths take them.
    static func nanoseconds(_ milliseconds: Int64) -> String { "\(milliseconds)000000" }

    /// Seconds with three digits after the point.
    static func seconds(_ milliseconds: Int64) -> String {
        let rest = milliseconds.magnitude % 1000
        let sign = milliseconds < 0 ? "-" : ""
        let fraction = rest == 0 ? "" : "." + String("00\(rest)".suffix(3))
        return "\(sign)\(milliseconds.magnitude / 1000)\(fraction)"
    }
}

/// RFC 3986 percent-encoding of one component.
enum PercentEncoding {
    private static let digits = Array("0123456789ABCDEF".utf8)

    static func encode(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."), UInt8(ascii: "~"):
                bytes.append(byte)
            default:
                bytes.append(UInt8(ascii: "%"))
                bytes.append(digits[Int(byte >> 4)])
                bytes.append(digits[Int(byte & 15)])
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func form(_ parameters: [(String, String)]) -> String {
        parameters.map { "\(encode($0.0))=\(encode($0.1))" }.joined(separator: "&")
    }
}
