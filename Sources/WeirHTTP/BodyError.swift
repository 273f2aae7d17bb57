/// Why a request's body could not be taken.
enum BodyError: Error, Hashable {
    /// More than `limit` bytes after decoding.
    case tooLarge(limit: Int)
    /// All bodies in hand together would be more than `limit` bytes.
    case busy(limit: Int)
    /// The packed bytes are damaged, `offset` packed bytes in or just before.
    case corrupt(encoding: String, offset: Int)
    /// The packed bytes end too soon.
    case truncated(encoding: String, offset: Int)

    /// The answer to give.
    var response: HTTPResponse {
        switch self {
        case .tooLarge(let limit):
            var response = HTTPResponse.error(
                413,
                error: "body_too_large",
                reason: "the body is larger than \(limit) bytes after decoding",
                hint: "send it in several smaller requests"
            )
            response.closesConnection = true
            return response
        case .busy(let limit):
            var response = HTTPResponse.error(
                503,
                error: "busy",
                reason: "request bodies in hand would pass \(limit) bytes together",
                hint: "send it again a little later"
            )
            response.headers.append(("Retry-After", "1"))
            response.closesConnection = true
            return response
        case .corrupt(let encoding, let offset):
            return .error(
                400,
                error: "bad_encoding",
                reason: "the \(encoding) body is damaged near byte \(offset)",
                hint: "pack the body again, or send it without Content-Encoding"
            )
        case .truncated(let encoding, let offset):
            return .error(
                400,
                error: "bad_encoding",
                reason: "the \(encoding) body ends too soon, after \(offset) bytes",
                hint: "send the whole packed body"
            )
        }
    }
}
