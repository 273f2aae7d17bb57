/// One request to a server, for `HTTPClient`.
package struct HTTPClientRequest: Sendable {
    package var method: String
    package var url: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// The whole exchange must end within this time.
    package var timeoutSeconds: Double

    package init(
        method: String = "GET",
        url: String,
        headers: [(name: String, value: String)] = [],
        body: [UInt8] = [],
        timeoutSeconds: Double = 30
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeoutSeconds = timeoutSeconds
    }
}

/// A server's whole answer. Any status is an answer, not an error.
package struct HTTPClientResponse: Sendable {
    package let status: Int
    /// Names in lower case.
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]

    package init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// Why there was no answer.
package enum HTTPClientError: Error, Hashable {
    case badURL(String)
    case unreachable(url: String, reason: String)
    case timedOut(url: String, seconds: Double)
    case bodyTooLarge(url: String, limit: Int)
    case cancelled(url: String)
}

/// A blocking HTTP client over libcurl. Keeps connections alive. Not for Swift's cooperative pool.
///
/// Use one per thread.
package final class HTTPClient {
    package init() {}

    /// Sends one request and waits for the whole answer.
    package func send(
        _ request: HTTPClientRequest
    ) throws(HTTPClientError) -> HTTPClientResponse {
        // The HTTP module's author replaces this file; the signature is what others rely on.
        throw .unreachable(url: request.url, reason: "not connected yet")
    }
}
