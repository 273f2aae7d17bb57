/// A host and a port to listen on.
struct ListenAddress: Hashable, Sendable {
    /// Without brackets; empty for every address.
    let host: String
    let port: UInt16

    /// Reads `127.0.0.1:4040`, `[::1]:0`, `:4040`, `localhost:4040`, `*:4040`.
    init(parsing text: String) throws(HTTPServerError) {
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...]),
            text[text.index(after: colon)...].allSatisfy({ $0.isASCII && $0.isNumber })
        else { throw .badAddress(text) }
        var host = String(text[..<colon])
        if host.hasPrefix("[") && host.hasSuffix("]") && host.count > 2 {
            host = String(host.dropFirst().dropLast())
        } else if host.contains(where: { ":[]/ ".contains($0) }) {
            throw .badAddress(text)
        }
        self.host = host == "*" ? "" : host
        self.port = port
    }
}
