internal import WeirCore

/// One answer: a status, headers, and a body that is whole or streamed.
package struct HTTPResponse: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])
        /// Sent chunk by chunk as its producer writes.
        case stream(HTTPBodyStream)
        /// No body: the connection becomes a WebSocket. Made by `WebSocketHandshake`.
        case upgrade(WebSocketOpening)
    }

    package var status: Int
    package var headers: [(name: String, value: String)]
    package var body: Body
    /// Says that the connection ends with this answer.
    package var closesConnection = false

    package init(
        status: Int,
        headers: [(name: String, value: String)] = [],
        body: Body = .bytes([])
    ) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// No body: 204 and its kind.
    package static func empty(_ status: Int = 204) -> HTTPResponse { HTTPResponse(status: status) }

    /// `application/json`.
    package static func json(_ bytes: [UInt8], status: Int = 200) -> HTTPResponse {
        HTTPResponse(
            status: status,
            headers: [("Content-Type", "application/json")],
            body: .bytes(bytes)
        )
    }

    /// `text/plain`.
    package static func text(_ text: String, status: Int = 200) -> HTTPResponse {
        HTTPResponse(
            status: status,
            headers: [("Content-Type", "text/plain; charset=utf-8")],
            body: .bytes(Array(text.utf8))
        )
    }

    /// A streamed body of the given media type.
    package static func stream(
        _ stream: HTTPBodyStream,
        contentType: String,
        status: Int = 200
    ) -> HTTPResponse {
        HTTPResponse(
            status: status,
            headers: [("Content-Type", contentType)],
            body: .stream(stream)
        )
    }

    /// A refusal: `{"error": …, "reason": …, "hint": …}`.
    ///
    /// - `error`: A short name that programs can compare: `not_found`.
    /// - `reason`: What was wrong and where.
    /// - `hint`: What to do about it.
    package static func error(
        _ status: Int,
        error: String,
        reason: String,
        hint: String
    ) -> HTTPResponse {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("error", error)
        writer.member("reason", reason)
        writer.member("hint", hint)
        writer.endObject()
        return json(writer.bytes + [0x0A], status: status)
    }

    /// The first header called `name` (any case), or nil.
    package func header(_ name: String) -> String? {
        let name = name.lowercased()
        return headers.first { $0.name.lowercased() == name }?.value
    }

    /// With one more header.
    package func adding(_ name: String, _ value: String) -> HTTPResponse {
        var response = self
        response.headers.append((name, value))
        return response
    }

    /// With a gzip body when the client takes one and a whole body is worth it (over 1 KiB).
    package func gzipped(for head: HTTPRequestHead, level: Int = 1) -> HTTPResponse {
        guard case .bytes(let bytes) = body, bytes.count > 1024, head.acceptsGzip,
            header("content-encoding") == nil
        else { return self }
        var response = self
        response.body = .bytes(GzipEncoder.encode(bytes, level: level))
        response.headers.append(("Content-Encoding", "gzip"))
        response.headers.append(("Vary", "Accept-Encoding"))
        return response
    }
}
