/// A whole HTTP answer of the Prometheus API: the status and a JSON body.
package struct PrometheusAnswer: Sendable {
    package let status: Int
    package let body: [UInt8]

    package init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }
}

/// Why a request is refused, in the API's own classes.
struct PrometheusError: Error, Hashable {
    enum Kind: String {
        case badData = "bad_data"
        case execution
        case timeout
        case canceled
        case unavailable
        case internalError = "internal"

        var status: Int {
            switch self {
            case .badData: 400
            case .execution: 422
            case .timeout: 503
            case .canceled: 499
            case .unavailable: 503
            case .internalError: 500
            }
        }
    }

    let kind: Kind
    let message: String

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    init(parameter: String, _ message: String) {
        self.init(.badData, "invalid parameter \"\(parameter)\": \(message)")
    }

    /// An error met while the query ran.
    init(_ error: QueryError) {
        let kind: Kind =
            switch error {
            case .parse, .unsupported: .badData
            case .invalid, .limit: .execution
            case .timedOut: .timeout
            case .cancelled: .canceled
            case .storage: .internalError
            }
        self.init(kind, error.message(query: ""))
    }
}

extension QueryError {
    /// The error as Prometheus words it; `query` is the text it happened in, for line and column.
    package func message(query: String) -> String {
        switch self {
        case .parse(let offset, let reason):
            if query.isEmpty { return "unknown position: parse error: \(reason)" }
            let (line, column) = Self.position(of: offset, in: query)
            return "\(line):\(column): parse error: \(reason)"
        case .invalid(let reason): return reason
        case .unsupported(let name): return "\(name) is not supported"
        case .limit(let name, let limit):
            if name == "points per timeseries" {
                return "exceeded maximum resolution of 11,000 points per timeseries. Try "
                    + "decreasing the query resolution (?step=XX)"
            }
            return "limit reached: \(name) may be at most \(limit)"
        case .timedOut(let milliseconds):
            return "query timed out in expression evaluation after \(milliseconds) ms"
        case .cancelled: return "query was canceled in expression evaluation"
        case .storage(let reason): return "storage: \(reason)"
        }
    }

    /// Line and column, both from 1, of a byte offset.
    static func position(of offset: Int, in text: String) -> (line: Int, column: Int) {
        var line = 1
        var column = 1
        for (index, byte) in text.utf8.enumerated() {
            if index >= offset { break }
            column += 1
            if byte == 0x0A {
                line += 1
                column = 1
            }
        }
        let missing = max(0, offset - text.utf8.count)
        return (line, text.isEmpty ? missing + 1 : column)
    }
}
