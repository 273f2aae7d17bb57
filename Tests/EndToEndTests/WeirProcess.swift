import Glibc
import Testing
import WeirCore
import WeirHTTP
import WeirSystem
import WeirTestSupport

/// A running `weir serve`, killed with the value at the latest.
final class WeirProcess {
    let address: String
    private let process: ChildProcess
    private let logPath: String

    var base: String { "http://\(address)" }
    var identifier: Int32 { process.identifier }
    var isRunning: Bool { process.isRunning }
    var log: String { Self.text(logPath) }

    /// Settings that tests want: nothing that goes on by itself.
    static let quiet = ["--self-interval", "0s", "--disk-free-min", "0"]

    /// Starts a server on `data` and returns when it serves.
    init(data: String, _ arguments: [String] = []) throws {
        let logPath = "\(data).log"
        let process = try Self.start(data: data, arguments, logPath: logPath)
        var found: String?
        try EndToEnd.eventually("the server serves", seconds: 60) {
            found = Self.servingAddress(Self.text(logPath))
            return found != nil || !process.isRunning
        }
        self.logPath = logPath
        self.process = process
        address = try #require(found, "the server ended: \(Self.text(logPath))")
    }

    deinit { process.stop() }

    /// Starts a server without waiting for it.
    static func start(
        data: String,
        _ arguments: [String] = [],
        logPath: String
    ) throws -> ChildProcess {
        try? HostFileSystem().removeFile(logPath)
        return try #require(
            ChildProcess(
                EndToEnd.binary(),
                ["serve", "--data", data, "--listen", "127.0.0.1:0"] + quiet + arguments,
                environment: ["PATH=/usr/bin:/bin", "LC_ALL=C", "SWIFT_BACKTRACE=enable=no"],
                outputPath: logPath
            )
        )
    }

    /// Ends it at once, as a power cut would, but for what the kernel holds.
    func kill() { process.stop() }

    /// Asks it to stop, and waits.
    ///
    /// - Returns: The exit code and the seconds it took.
    func terminate() -> (code: Int32, seconds: Double) {
        let start = Stopwatch.monotonicNanoseconds()
        process.send(signal: SIGTERM)
        let code = process.wait()
        return (code, Double(Stopwatch.monotonicNanoseconds() - start) / 1e9)
    }

    func send(signal: Int32) { process.send(signal: signal) }

    private static func text(_ path: String) -> String {
        let bytes = (try? HostFileSystem().readFile(path, bytesMax: 64 << 20)) ?? []
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The address in the line that says the server serves, once the line is whole.
    private static func servingAddress(_ log: String) -> String? {
        let lines = log.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        guard let line = lines.first(where: { $0.contains(" serves ") }) else { return nil }
        let words = line.split(separator: " ")
        guard let at = words.lastIndex(of: "at"), at + 1 < words.count else { return nil }
        return String(words[at + 1].prefix { $0 != "," })
    }
}

extension EndToEnd {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Asks again until `isTrue`, and throws after `seconds`.
    static func eventually(
        _ claim: String,
        seconds: Double = 60,
        _ isTrue: () throws -> Bool
    ) throws {
        let deadline = Stopwatch.monotonicNanoseconds() + Int64(seconds * 1e9)
        while try !isTrue() {
            guard Stopwatch.monotonicNanoseconds() < deadline else {
                throw Failure(description: "after \(seconds) s it is still not so: \(claim)")
            }
            Thread.sleep(nanoseconds: 2_000_000)
        }
    }

    /// An environment variable of the test run.
    static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// The `weir` program that was built with these tests.
    static func binary() throws -> String {
        if let path = environment("WEIR_BINARY") { return path }
        var buffer = [CChar](repeating: 0, count: 4096)
        // SAFETY: readlink writes at most the count given.
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
        let bytes = buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }
        let places = [String(decoding: bytes, as: UTF8.self)] + CommandLine.arguments
        for place in places {
            guard let slash = place.lastIndex(of: "/") else { continue }
            let path = "\(place[..<slash])/weir"
            if unsafe access(path, X_OK) == 0 { return path }
        }
        throw Failure(description: "there is no weir beside \(places); set WEIR_BINARY")
    }

    /// Runs `weir` with `arguments` to its end.
    static func run(
        _ arguments: [String],
        outputPath: String
    ) throws -> (code: Int32, output: String) {
        let process = try #require(
            ChildProcess(
                binary(),
                arguments,
                environment: ["PATH=/usr/bin:/bin", "LC_ALL=C", "SWIFT_BACKTRACE=enable=no"],
                outputPath: outputPath
            )
        )
        let code = process.wait()
        let bytes = try HostFileSystem().readFile(outputPath, bytesMax: 64 << 20)
        return (code, String(decoding: bytes, as: UTF8.self))
    }
}
