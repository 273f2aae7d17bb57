import Testing
import WeirCore
import WeirHTTP

/// Asks a server, on one thread.
final class WeirClient {
    let base: String
    private let http: HTTPClient

    init(_ base: String, certificateAuthorityFile: String? = nil) {
        self.base = base
        http = HTTPClient(certificateAuthorityFile: certificateAuthorityFile)
    }

    convenience init(_ server: WeirProcess) { self.init(server.base) }

    func get(
        _ path: String,
        headers: [(String, String)] = [],
        method: String = "GET"
    ) throws -> HTTPClientResponse {
        try http.send(
            HTTPClientRequest(
                method: method,
                url: base + path,
                headers: headers.map { (name: $0.0, value: $0.1) },
                timeoutSeconds: 120
            )
        )
    }

    func post(
        _ path: String,
        _ body: [UInt8] = [],
        headers: [(String, String)] = []
    ) throws -> HTTPClientResponse {
        try http.send(
            HTTPClientRequest(
                method: "POST",
                url: base + path,
                headers: headers.map { (name: $0.0, value: $0.1) },
                body: body,
                timeoutSeconds: 120
            )
        )
    }

    /// Writes line protocol with times in milliseconds.
    @discardableResult
    func write(
        _ lines: String,
        precision: String = "ms",
        headers: [(String, String)] = []
    ) throws -> HTTPClientResponse {
        try post("/write?precision=\(precision)", Array(lines.utf8), headers: headers)
    }

    func json(_ path: String) throws -> JSONValue {
        let response = try get(path)
        #expect(
            response.status == 200,
            "\(path): \(String(decoding: response.body, as: UTF8.self))"
        )
        return try JSONParser.parse(response.body)
    }

    /// The `result` of an instant query.
    func query(_ expression: String, atMilliseconds: Int64? = nil) throws -> [JSONValue] {
        var path = "/api/v1/query?query=\(PercentEncoding.encode(expression))"
        if let atMilliseconds { path += "&time=\(Double(atMilliseconds) / 1000)" }
        return try json(path)["data"]?["result"]?.array ?? []
    }

    /// The value of a query with one result.
    func value(_ expression: String, atMilliseconds: Int64? = nil) throws -> Double? {
        let result = try query(expression, atMilliseconds: atMilliseconds)
        guard result.count == 1 else { return nil }
        return result[0]["value"]?.array?.last?.string.flatMap(Double.init)
    }

    /// Each `[time, "value"]` pair of the `values` in a query's answer: milliseconds and value.
    ///
    /// Faster than reading the whole as JSON, since answers here are long.
    func samples(
        _ expression: String,
        atMilliseconds: Int64
    ) throws -> [(time: Int64, value: Double)] {
        let response = try get(
            "/api/v1/query?query=\(PercentEncoding.encode(expression))"
                + "&time=\(Double(atMilliseconds) / 1000)"
        )
        try #require(
            response.status == 200,
            "\(expression): \(String(decoding: response.body.prefix(500), as: UTF8.self))"
        )
        let body = response.body
        let key = Array("\"values\":[".utf8)
        var samples: [(time: Int64, value: Double)] = []
        var index = 0
        while index + key.count < body.count {
            guard body[index] == key[0], Array(body[index..<(index + key.count)]) == key else {
                index += 1
                continue
            }
            index += key.count
            while index < body.count, body[index] != UInt8(ascii: "]") {
                guard let pair = Self.pair(body, &index) else {
                    throw EndToEnd.Failure(description: "no pair at byte \(index)")
                }
                samples.append(pair)
            }
        }
        return samples
    }

    /// Reads `[1790000000.123,"16.25"]` and a comma behind it.
    private static func pair(_ body: [UInt8], _ index: inout Int) -> (time: Int64, value: Double)? {
        let start = index + 1
        var comma = start
        while comma < body.count, body[comma] != UInt8(ascii: ",") { comma += 1 }
        var end = comma
        while end < body.count, body[end] != UInt8(ascii: "]") { end += 1 }
        guard end < body.count, comma + 2 < end - 1,
            let seconds = Double(String(decoding: body[start..<comma], as: UTF8.self)),
            let value = Double(String(decoding: body[(comma + 2)..<(end - 1)], as: UTF8.self))
        else { return nil }
        index = end + 1
        if index < body.count, body[index] == UInt8(ascii: ",") { index += 1 }
        return (Int64((seconds * 1000).rounded()), value)
    }
}
