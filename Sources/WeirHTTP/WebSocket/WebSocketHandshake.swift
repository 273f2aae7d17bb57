internal import WeirCore

/// The opening handshake of RFC 6455, section 4.2, on the server's side.
package enum WebSocketHandshake {
    private static let magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// Answers a request to become a WebSocket: 101 with `opening`, or a refusal.
    ///
    /// A page of another origin is refused: a browser would send it whatever this server shows.
    package static func response(
        to head: HTTPRequestHead,
        opening: WebSocketOpening
    ) -> HTTPResponse {
        guard head.method == "GET", has(head, "upgrade", "websocket"),
            has(head, "connection", "upgrade")
        else {
            return HTTPResponse.error(
                426,
                error: "websocket_only",
                reason: "this path speaks WebSocket",
                hint: "connect with Upgrade: websocket (RFC 6455)"
            ).adding("Upgrade", "websocket")
        }
        guard head.header("sec-websocket-version") == "13" else {
            return HTTPResponse.error(
                426,
                error: "websocket_version",
                reason: "Sec-WebSocket-Version must be 13",
                hint: "use a client of RFC 6455"
            ).adding("Sec-WebSocket-Version", "13")
        }
        guard let key = head.header("sec-websocket-key"), Base64.decodedCount(key) == 16 else {
            return .error(
                400,
                error: "websocket_key",
                reason: "Sec-WebSocket-Key must be 16 bytes in base64",
                hint: "use a client of RFC 6455"
            )
        }
        if let origin = head.header("origin"), !isOwn(origin, host: head.header("host") ?? "") {
            return .error(
                403,
                error: "foreign_origin",
                reason: "a page of \(origin) may not read from this server",
                hint: "connect without Origin, or from a page of the same host and port"
            )
        }
        var response = HTTPResponse(status: 101, body: .upgrade(opening))
        response.headers = [("Upgrade", "websocket"), ("Sec-WebSocket-Accept", accept(key))]
        return response
    }

    /// What proves that the server understood `key`.
    static func accept(_ key: String) -> String {
        Base64.encode(SHA1.digest(Array((key + magic).utf8)))
    }

    private static func has(_ head: HTTPRequestHead, _ name: String, _ token: String) -> Bool {
        head.headers.contains { header in
            header.name == name
                && header.value.lowercased().split(separator: ",").contains { part in
                    part.filter { !$0.isWhitespace } == token
                }
        }
    }

    private static func isOwn(_ origin: String, host: String) -> Bool {
        for scheme in ["http://", "https://"] where origin.lowercased().hasPrefix(scheme) {
            return origin.dropFirst(scheme.count).lowercased() == host.lowercased()
        }
        return false
    }
}
