import Glibc
import WeirSystem

/// Standard output and error, and what the process was given.
enum Console {
    static func print(_ text: String, terminator: String = "\n") {
        write(text + terminator, to: STDOUT_FILENO)
    }

    /// Notes and errors, so that output stays clean for pipes.
    static func note(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// For a line that is written again.
    static func noteWithoutEnd(_ text: String) { write(text, to: STDERR_FILENO) }

    /// Writes bytes to standard output; false when nobody reads them any more.
    static func write(_ bytes: [UInt8]) -> Bool {
        var written = 0
        while written < bytes.count {
            // SAFETY: `written` stays below the array's count.
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(
                    STDOUT_FILENO,
                    buffer.baseAddress?.advanced(by: written),
                    buffer.count - written
                )
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            written += count
        }
        return true
    }

    private static func write(_ text: String, to descriptor: CInt) {
        var text = text
        text.withUTF8 { bytes in
            var written = 0
            while written < bytes.count {
                // SAFETY: `written` stays below the buffer's count.
                let count = unsafe Glibc.write(
                    descriptor,
                    bytes.baseAddress?.advanced(by: written),
                    bytes.count - written
                )
                if count < 0, errno == EINTR { continue }
                // A reader that left ends the output, not the program.
                if count <= 0 { return }
                written += count
            }
        }
    }

    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
    static var isErrorTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// `NO_COLOR` and pipes turn colours off.
    static var usesColor: Bool { isTerminal && environment["NO_COLOR"] == nil }

    /// Columns of the terminal, or 120.
    static var width: Int {
        var size = winsize()
        guard isTerminal, unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 else {
            return 120
        }
        return max(40, Int(size.ws_col))
    }

    static let environment: [String: String] = {
        var found: [String: String] = [:]
        var index = 0
        while let entry = unsafe environ[index] {
            let pair = unsafe String(cString: entry).split(separator: "=", maxSplits: 1)
            if pair.count == 2 { found[String(pair[0])] = String(pair[1]) }
            index += 1
        }
        return found
    }()

    /// Where the server is: `--base`, else `WEIR_URL`, else the usual place.
    static func base(_ flag: String?) -> String {
        flag ?? environment["WEIR_URL"] ?? "http://127.0.0.1:4040"
    }
}
