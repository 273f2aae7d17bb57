import Glibc
import WeirCore

/// What `weir demo` was asked for, with the shipped folders found.
struct DemoOptions {
    /// Why the demo cannot begin.
    struct Failure: Error {
        let text: String
        var isMisuse = true
    }

    var isKept = false
    var listen: String?
    var dataFolder: String?
    var dashboards: String
    var rules: String
    var pastSeconds: Int64 = 6 * 3600
    /// This very program.
    var program: String

    private static let pastSecondsRange: ClosedRange<Int64> = 60...(48 * 3600)

    init(_ arguments: [String]) throws(Failure) {
        let parsed: CommandArguments
        do throws(CommandArguments.Failure) {
            parsed = try CommandArguments(
                arguments,
                flags: ["--listen", "--data", "--dashboards", "--rules", "--history"],
                switches: ["--keep"]
            )
        } catch {
            throw Failure(text: error.text)
        }
        if let stray = parsed.positional.first {
            throw Failure(text: "unexpected argument \"\(stray)\"")
        }
        isKept = parsed.has("--keep")
        listen = parsed["--listen"]
        dataFolder = parsed["--data"]
        if let text = parsed["--history"] {
            guard let nanoseconds = Units.nanoseconds(text),
                Self.pastSecondsRange.contains(nanoseconds / 1_000_000_000)
            else { throw Failure(text: "--history \(text): must be a duration of 1m to 2d") }
            pastSeconds = nanoseconds / 1_000_000_000
        }
        guard let program = Self.ownProgram() else {
            throw Failure(text: "/proc/self/exe cannot be read", isMisuse: false)
        }
        self.program = program
        dashboards = try Self.folder("dashboards", given: parsed["--dashboards"], near: program)
        rules = try Self.folder("rules", given: parsed["--rules"], near: program)
    }

    private static func ownProgram() -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        // SAFETY: no more is written than the buffer has.
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0, count < buffer.count else { return nil }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The given folder, else the one here, else the one of the package the program was built in.
    private static func folder(
        _ name: String,
        given: String?,
        near program: String
    ) throws(Failure) -> String {
        if let given {
            guard isFolder(given) || isFile(given) else {
                throw Failure(text: "--\(name) \(given): is not there", isMisuse: false)
            }
            return given
        }
        var places = [name]
        var folder = program[...]
        while let slash = folder.lastIndex(of: "/") {
            folder = folder[..<slash]
            places.append("\(folder)/\(name)")
        }
        guard let found = places.first(where: { isFolder($0) }) else {
            throw Failure(
                text: "no folder \(name) here or above \(program); name it with --\(name)",
                isMisuse: false
            )
        }
        return found
    }

    private static func mode(_ path: String) -> mode_t? {
        var status = Glibc.stat()
        return unsafe stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    private static func isFolder(_ path: String) -> Bool { mode(path) == S_IFDIR }
    private static func isFile(_ path: String) -> Bool { mode(path) == S_IFREG }
}
