/// A whole HTTP answer of the Loki API or of Weir's own log paths.
package struct LokiAnswer: Sendable {
    package let status: Int
    package let contentType: String
    package let body: [UInt8]

    init(json: [UInt8], status: Int = 200) {
        self.status = status
        contentType = "application/json"
        body = json
    }

    init(status: Int, text: String) {
        self.status = status
        contentType = "text/plain; charset=utf-8"
        body = Array((text + "\n").utf8)
    }

    /// What a query error is to HTTP.
    static func status(of error: QueryError) -> Int {
        switch error {
        case .parse, .invalid, .unsupported: 400
        case .limit: 422
        case .timedOut: 504
        case .cancelled: 499
        case .storage: 500
        }
    }
}

/// Why a request is refused.
struct LokiError: Error {
    let status: Int
    let message: String

    init(_ message: String, status: Int = 400) {
        self.status = status
        self.message = message
    }

    init(_ error: QueryError, query: String) {
        status = LokiAnswer.status(of: error)
        message = error.logQLMessage(query: query)
    }
}
