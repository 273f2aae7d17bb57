/// What a client asked, before its body.
package struct HTTPRequestHead: Sendable {
    /// In the client's case, which is upper case by the RFC.
    package let method: String
    /// The request target as it came: path and query, still escaped.
    package let target: String
    /// The decoded path, without the query.
    package let path: String
    package let query: HTTPQuery
    /// Names in lower case, in their order.
    package let headers: [(name: String, value: String)]
    package let remoteAddress: RemoteAddress
    package let isTLS: Bool

    package init(
        method: String,
        target: String,
        headers: [(name: String, value: String)] = [],
        remoteAddress: RemoteAddress = .unknown,
        isTLS: Bool = false
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.remoteAddress = remoteAddress
        self.isTLS = isTLS
        let origin = Self.withoutAuthority(target)
        let path = Self.escapedPath(origin)
        self.path = PercentEncoding.decode(path, plusIsSpace: false)
        let query = origin.dropFirst(path.count + 1)
        self.query = query.isEmpty ? .empty : HTTPQuery(parsing: query)
    }

    /// The path's segments, each decoded by itself, so that `a%2Fb` is one; empty ones are left out.
    package var pathSegments: [String] {
        Self.escapedPath(Self.withoutAuthority(target))
            .split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: true)
            .map { PercentEncoding.decode($0, plusIsSpace: false) }
    }

    private static func escapedPath(_ origin: Substring.UTF8View) -> Substring.UTF8View {
        origin.prefix { $0 != UInt8(ascii: "?") }
    }

    /// `http://host/path` is as good as `/path` (RFC 9112, 3.2.2).
    private static func withoutAuthority(_ target: String) -> Substring.UTF8View {
        let whole = target.utf8[...]
        guard let start = ["http://", "https://"].first(where: { target.hasPrefix($0) }) else {
            return Substring(whole).utf8
        }
        let rest = whole.dropFirst(start.utf8.count).drop { $0 != UInt8(ascii: "/") }
        return rest.isEmpty ? "/"[...].utf8 : Substring(rest).utf8
    }

    /// The first header called `name` (any case), or nil.
    package func header(_ name: String) -> String? {
        let name = name.lowercased()
        return headers.first { $0.name == name }?.value
    }

    /// The claimed length of the body; a claim, never a size to allocate.
    package var contentLength: Int? { header("content-length").flatMap { Int($0) } }

    /// Says whether a body follows.
    package var hasBody: Bool {
        (contentLength ?? 0) > 0 || header("transfer-encoding") != nil
    }

    /// Says whether the client waits for a "100 Continue" before it sends its body.
    package var expectsContinue: Bool { header("expect")?.lowercased() == "100-continue" }

    /// The media type without its parameters, in lower case; empty when there is none.
    package var contentType: String {
        let value = header("content-type") ?? ""
        return value.prefix { $0 != ";" }.filter { !$0.isWhitespace }.lowercased()
    }

    /// Says whether the client takes a gzip body (RFC 9110, 12.5.3).
    package var acceptsGzip: Bool {
        guard let value = header("accept-encoding") else { return false }
        for part in value.lowercased().split(separator: ",") {
            let fields = part.split(separator: ";").map { $0.filter { !$0.isWhitespace } }
            guard let name = fields.first, name == "gzip" || name == "*" else { continue }
            let quality = fields.dropFirst().first { $0.hasPrefix("q=") }
            return (quality.flatMap { Double($0.dropFirst(2)) } ?? 1) > 0
        }
        return false
    }
}
