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
        let response: HTTPClientResponse
        do throws(HTTPClientError) {
            response = try box.client.send(request)
        } catch {
            throw wrapped(error)
        }
        return try Self.body(of: response)
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
