internal import Synchronization
package import WeirCore
internal import WeirHTTP

/// The API of a running server.
///
/// Each call takes a client of its own from a pool, so connections stay alive and calls run side by
/// side.
package final class HTTPQueryAPI: QueryAPI {
    private let base: String
    private let token: String?
    private let timeoutSeconds: Double
    private let idle = Mutex<[ClientBox]>([])

    /// A client is used by one thread at a time: whoever took it out of the pool.
    private struct ClientBox: @unchecked Sendable {
        let client: HTTPClient
    }

    /// Past this length of the query string the parameters go in the body.
    private static let queryBytesMax = 2000
    private static let idleMax = 8

    /// `base`: such as `http://127.0.0.1:4040`.
    package init(base: String, token: String? = nil, timeoutSeconds: Double = 30) {
        self.base = base.hasSuffix("/") ? String(base.dropLast()) : base
        self.token = token
        self.timeoutSeconds = timeoutSeconds
    }

    package func get(
        path: String,
        parameters: [(String, String)]
    ) throws(APIError) -> JSONValue {
        try Self.body(of: try response(path, parameters))
    }

    package func lines(
        path: String,
        parameters: [(String, String)]
    ) throws(APIError) -> [[UInt8]] {
        let response = try response(path, parameters)
        guard response.status == 200 else {
            _ = try Self.body(of: response)
            throw .malformed("status \(response.status)")
        }
        var splitter = LineSplitter()
        var lines = splitter.take(response.body)
        if case .failed(let reason) = lines.last.flatMap({ TailNote(json: $0) }) {
            guard lines.count > 1 else {
                throw .refused(status: 500, kind: "", message: reason)
            }
            lines.removeLast()
        }
        return lines
    }

    private func response(
        _ path: String,
        _ parameters: [(String, String)]
    ) throws(APIError) -> HTTPClientResponse {
        let form = PercentEncoding.form(parameters)
        var request = HTTPClientRequest(
            url: base + path,
            headers: [("Accept", "application/json")],
            timeoutSeconds: timeoutSeconds
        )
        if let token { request.headers.append(("Authorization", "Bearer \(token)")) }
        if form.utf8.count > Self.queryBytesMax, path.hasPrefix("/api/v1/query") {
            request.method = "POST"
            request.headers.append(("Content-Type", "application/x-www-form-urlencoded"))
            request.body = Array(form.utf8)
        } else if !form.isEmpty {
            request.url += "?" + form
        }
        let box = idle.withLock { $0.popLast() } ?? ClientBox(client: HTTPClient())
        defer {
            idle.withLock { idle in
                if idle.count < Self.idleMax { idle.append(box) }
            }
        }
        do throws(HTTPClientError) {
            return try box.client.send(request)
        } catch {
            throw wrapped(error)
        }
    }

    private func wrapped(_ error: HTTPClientError) -> APIError {
        switch error {
        case .badURL(let url): .unreachable(url: url, reason: "not a URL")
        case .unreachable(_, let reason): .unreachable(url: base, reason: reason)
        case .timedOut(_, let seconds): .timedOut(url: base, seconds: seconds)
        case .bodyTooLarge(_, let limit): .malformed("more than \(limit) bytes")
        case .cancelled: .unreachable(url: base, reason: "cancelled")
        }
    }

    private static func body(of response: HTTPClientResponse) throws(APIError) -> JSONValue {
        let parsed: JSONValue?
        do throws(JSONError) {
            parsed = try JSONParser.parse(response.body)
        } catch {
            parsed = nil
        }
        guard (200..<300).contains(response.status) else {
            let kind = parsed?["errorType"]?.string ?? parsed?["error"]?.string ?? ""
            let message =
                parsed?["errorType"] != nil
                ? parsed?["error"]?.string : parsed?["reason"]?.string
            throw .refused(
                status: response.status,
                kind: kind,
                message: message ?? (kind.isEmpty ? "HTTP status \(response.status)" : kind)
            )
        }
        guard let parsed else { throw .malformed("no JSON") }
        return parsed
    }
}
