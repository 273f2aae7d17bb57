import Synchronization
import Testing
import WeirCore
import WeirHTTP
import WeirServer
import WeirStore
import WeirSystem
import WeirTestSupport

/// A server in this process, with data of its own, and a client for it.
final class LogServer {
    let server: WeirServer
    private let folder: TemporaryDirectory
    private let http = HTTPClient()

    init(_ configure: (inout ServerConfiguration) -> Void = { _ in }) throws {
        folder = try TemporaryDirectory()
        var configuration = ServerConfiguration()
        configuration.data = "\(folder.path)/data"
        configuration.listen = "127.0.0.1:0"
        configuration.selfInterval = 0
        configuration.diskFreeBytesMin = 0
        configuration.sync = .interval(1_000_000_000)
        configure(&configuration)
        server = try WeirServer(configuration) { _ in }
    }

    var dataFolder: String { "\(folder.path)/data" }

    deinit { server.stop(drainSeconds: 0) }

    func send(
        _ method: String = "POST",
        _ path: String,
        _ body: [UInt8] = [],
        headers: [(String, String)] = []
    ) throws -> HTTPClientResponse {
        try http.send(
            HTTPClientRequest(
                method: method,
                url: "http://\(server.address)\(path)",
                headers: headers.map { (name: $0.0, value: $0.1) },
                body: body,
                timeoutSeconds: 60
            )
        )
    }

    func post(
        _ path: String,
        _ body: String,
        headers: [(String, String)] = []
    ) throws -> HTTPClientResponse {
        try send("POST", path, Array(body.utf8), headers: headers)
    }

    /// A metric of the server's own; 0 where there is none.
    func metric(_ name: String) throws -> Double {
        let text = String(decoding: try send("GET", "/metrics").body, as: UTF8.self)
        for line in text.split(separator: "\n") where line.hasPrefix(name + " ") {
            return Double(line.split(separator: " ").last ?? "") ?? 0
        }
        return 0
    }

    /// Asks again until a metric has the value; false after many seconds.
    func reaches(_ name: String, _ value: Double) throws -> Bool {
        for _ in 0..<5000 {
            if try metric(name) == value { return true }
            Thread.sleep(nanoseconds: 4_000_000)
        }
        return false
    }
}

extension HTTPClientResponse {
    var text: String { String(decoding: body, as: UTF8.self) }
    func json() throws -> JSONValue { try JSONParser.parse(body) }
}
