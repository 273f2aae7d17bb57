internal import Glibc
internal import WeirHTTP
internal import WeirSystem

/// A real `weir serve` in a process of its own, with its data in a folder made for it.
package final class DemoServer {
    /// Its address, such as `http://127.0.0.1:41234`.
    package let base: String
    package let dataFolder: String
    private let process: SpawnedProcess
    private let folder: String
    private let isDataKept: Bool
    private let client = HTTPClient(bodyBytesMax: 64 << 20)
    private let startedAt = Stopwatch.monotonicNanoseconds()
    private var isStopped = false

    private static let readySeconds = 20.0
    private static let stopSeconds = 12.0

    /// How a demo's server is started.
    package struct Options: Sendable {
        /// The `weir` program.
        package var program: String
        /// `HOST:PORT`; a free port of the loopback address when nil.
        package var listen: String?
        /// Kept afterwards; a temporary folder that is removed when nil.
        package var dataFolder: String?
        package var rules: String
        package var selfInterval = "1s"

        package init(program: String, rules: String) {
            self.program = program
            self.rules = rules
        }
    }

    /// Starts it and waits until it is ready.
    package init(_ options: Options) throws(DemoError) {
        var template = Array("/tmp/weir-demo-XXXXXX".utf8CString)
        // SAFETY: the array is a C string and lives through the call.
        guard unsafe mkdtemp(&template) != nil else {
            throw .folder(path: "/tmp", reason: "no temporary folder can be made there")
        }
        let folder = String(
            decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
        self.folder = folder
        isDataKept = options.dataFolder != nil
        dataFolder = options.dataFolder ?? folder + "/data"
        let listen: String
        if let given = options.listen {
            listen = given
        } else if let port = Self.freePort() {
            listen = "127.0.0.1:\(port)"
        } else {
            FolderRemoval.remove(folder)
            throw .server(reason: "finds no free port", log: "")
        }
        base = "http://" + (listen.hasPrefix(":") ? "127.0.0.1" + listen : listen)
        let started = SpawnedProcess(
            options.program,
            [
                "serve", "--data", dataFolder, "--listen", listen, "--rules", options.rules,
                "--self-interval", options.selfInterval, "--external-url", base,
            ],
            .file(folder + "/server.log")
        )
        guard let started else {
            FolderRemoval.remove(folder)
            throw .server(reason: "cannot be started: \(options.program)", log: "")
        }
        process = started
        do throws(DemoError) {
            try waitUntilReady()
        } catch {
            stop()
            throw error
        }
    }

    deinit { stop() }

    /// How long ago it was started.
    package var ageNanoseconds: Int64 { Stopwatch.monotonicNanoseconds() - startedAt }

    /// Whether the process is still there.
    package var isRunning: Bool { process.isRunning }

    /// The end of what the server has said.
    package var log: String {
        let text = try? HostFileSystem().readFile(folder + "/server.log", bytesMax: 4 << 20)
        let lines = String(decoding: text ?? [], as: UTF8.self).split(separator: "\n")
        return lines.suffix(20).joined(separator: "\n")
    }

    /// Sends one request and wants a 2xx.
    package func request(
        _ method: String,
        _ path: String,
        timeoutSeconds: Double = 60
    ) throws(DemoError) -> [UInt8] {
        let answer: HTTPClientResponse
        do throws(HTTPClientError) {
            answer = try client.send(
                HTTPClientRequest(
                    method: method,
                    url: base + path,
                    timeoutSeconds: timeoutSeconds
                )
            )
        } catch {
            throw .request(path: path, reason: "\(error)")
        }
        guard (200..<300).contains(answer.status) else {
            let body = String(decoding: answer.body.prefix(400), as: UTF8.self)
            throw .request(path: path, reason: "status \(answer.status): \(body)")
        }
        return answer.body
    }

    private func waitUntilReady() throws(DemoError) {
        let deadline =
            Stopwatch.monotonicNanoseconds() + Int64(Self.readySeconds * 1_000_000_000)
        while Stopwatch.monotonicNanoseconds() < deadline {
            guard process.isRunning else {
                throw .server(reason: "ended with \(process.outcome ?? 0)", log: log)
            }
            if (try? request("GET", "/-/ready", timeoutSeconds: 2)) != nil { return }
            Thread.sleep(nanoseconds: 25_000_000)
        }
        throw .server(reason: "was not ready within \(Int(Self.readySeconds)) s", log: log)
    }

    /// Ends the process and removes the temporary folder; may be called again.
    package func stop() {
        guard !isStopped else { return }
        isStopped = true
        process.stop(timeoutSeconds: Self.stopSeconds)
        FolderRemoval.remove(folder)
    }

    /// A port nobody listens on now.
    ///
    /// Somebody may take it before the server does; then the
    /// server says so and the demo ends with its words.
    private static func freePort() -> UInt16? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // SAFETY: `sockaddr_in` is a `sockaddr` of this length.
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe bind(descriptor, generic, length) == 0
                    && getsockname(descriptor, generic, &length) == 0
            }
        }
        return isBound ? UInt16(bigEndian: address.sin_port) : nil
    }
}
