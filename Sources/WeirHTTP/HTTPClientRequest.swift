/// One request to a server, for `HTTPClient`.
package struct HTTPClientRequest: Sendable {
    package var method: String
    /// `http://` or `https://`; nothing else is sent.
    package var url: String
    /// Sent as given.
    ///
    /// With an `Accept-Encoding` of the caller's own the answer's body is handed over as it came;
    /// without one, gzip and deflate are asked for and decoded.
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
