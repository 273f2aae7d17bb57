import Glibc
import WeirCore
import WeirHTTP
import WeirSystem

/// A running server with its folder, and a connection to it for everything but the load.
final class Server {
    let kind: ServerKind
    let folder: String
    let port: Int
    let child: Child
    /// From before the program was started until it said it was ready.
    let readyMilliseconds: Double
    private let client = HTTPClient()

    var base: String { "http://127.0.0.1:\(port)" }

    /// Starts it and waits until it is ready, asking every millisecond.
    init(
        _ kind: ServerKind,
        program: String,
        folder: String,
        _ arguments: [String] = []
    ) throws(BenchError) {
        self.kind = kind
        self.folder = folder
        port = try Self.freePort()
        let log = folder + ".log"
        let begin = Stopwatch.monotonicNanoseconds()
        child = try Child(
            program,
            kind.arguments(folder: folder, port: port) + arguments,
            output: log
        )
        let secondsMax: Int64 = 120
        let url = "http://127.0.0.1:\(port)\(kind.readyPath)"
        while true {
            let response = try? client.send(HTTPClientRequest(url: url, timeoutSeconds: 5))
            let passed = Stopwatch.monotonicNanoseconds() - begin
            if response?.status == 200 {
                readyMilliseconds = Double(passed) / 1e6
                return
            }
            guard passed < secondsMax * 1_000_000_000 else {
                throw .notReady(
                    program: program,
                    seconds: Double(secondsMax),
                    log: SmallFile.text(log)
                )
            }
            Thread.sleep(nanoseconds: 1_000_000)
        }
    }

    /// Ends it in order, and waits.
    func stop() {
        child.send(signal: SIGTERM)
        child.wait()
    }

    /// Ends it at once, as a power cut would.
    func kill() {
        child.send(signal: SIGKILL)
        child.wait()
    }

    /// Sends one request.
    ///
    /// - Throws: `.request`, and `.answer` for anything but a 2xx, or a 404 if `isAbsent`.
    @discardableResult
    func send(
        _ method: String = "GET",
        _ path: String,
        timeoutSeconds: Double = 300,
        isAbsent: Bool = false
    ) throws(BenchError) -> [UInt8] {
        let response: HTTPClientResponse
        do throws(HTTPClientError) {
            // Asking for no compression: the bench measures answers, not gzip.
            response = try client.send(
                HTTPClientRequest(
                    method: method,
                    url: base + path,
                    headers: [("Accept-Encoding", "identity")],
                    timeoutSeconds: timeoutSeconds
                )
            )
        } catch {
            throw .request(path: path, reason: "\(error)")
        }
        guard isAbsent ? response.status == 404 : (200..<300).contains(response.status) else {
            let body = String(decoding: response.body.prefix(500), as: UTF8.self)
            throw .answer(path: path, status: response.status, body: body)
        }
        return response.body
    }

    func json(_ path: String) throws(BenchError) -> JSONValue {
        let body = try send("GET", path)
        do throws(JSONError) {
            return try JSONParser.parse(body)
        } catch {
            throw .request(path: path, reason: "\(error)")
        }
    }

    /// Puts everything on disk in its final shape, and returns when that is done.
    func settle() throws(BenchError) {
        switch kind {
        case .weir:
            try send("POST", "/api/v1/admin/flush")
            try send("POST", "/api/v1/admin/merge")
        case .victoriaMetrics:
            try send("GET", "/internal/force_flush")
            try send("GET", "/internal/force_merge")
            // The answer comes before the merge is done.
            while try metric("vm_active_force_merges") ?? 0 > 0 {
                Thread.sleep(nanoseconds: 5_000_000)
            }
        }
    }

    /// A number of the server's own `/metrics`.
    func metric(_ name: String) throws(BenchError) -> Double? {
        let text = String(decoding: try send("GET", "/metrics"), as: UTF8.self)
        for line in text.split(separator: "\n") where line.hasPrefix(name + " ") {
            return Double(line.dropFirst(name.utf8.count + 1))
        }
        return nil
    }

    /// A port nobody listens on just now.
    private static func freePort() throws(BenchError) -> Int {
        let (descriptor, port) = try LoopbackSocket.bindAnywhere()
        close(descriptor)
        return port
    }
}
