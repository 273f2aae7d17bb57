/// What a server does with requests.
///
/// Called on the server's threads: must never block.
package protocol HTTPHandler: Sendable {
    /// Called when the head has arrived, before the body: says how much body may come, or answers
    /// at once (404, 405, 401).
    func accept(_ head: HTTPRequestHead) -> HTTPAdmission

    /// Called with the whole decoded body. Calls `exchange.respond` now, or lets another thread do
    /// it later: the connection sleeps meanwhile and holds no thread.
    func handle(_ exchange: HTTPExchange)
}

/// What becomes of a request whose head has arrived.
package enum HTTPAdmission: Sendable {
    /// Read the body, at most this many bytes after decoding. A `Content-Encoding` named in
    /// `passingThrough` (lower case) is left for the handler to unpack.
    case read(bodyBytesMax: Int, passingThrough: [String] = [])
    /// Answer now; a body is thrown away.
    case refuse(HTTPResponse)
}
