import Glibc
import Testing
import WeirTerminal
import WeirTestSupport

/// The real binary in a pseudo-terminal: whatever ends it, the terminal is as it was.
@Suite(.serialized) struct PseudoTerminalTests {
    /// `weir` beside the tests' bundle.
    static var binary: String? {
        guard var path = readLink("/proc/self/exe") else { return nil }
        // `swift test` runs the bundle through a helper elsewhere, with the bundle among its arguments.
        if let bundle = CommandLine.arguments.first(where: { $0.contains(".xctest") }) {
            path = bundle
        }
        let parts = path.split(separator: "/")
        guard let end = parts.firstIndex(where: { $0.hasSuffix(".xctest") }) else { return nil }
        let weir = "/" + parts[..<end].joined(separator: "/") + "/weir"
        return unsafe access(weir, X_OK) == 0 ? weir : nil
    }

    private static func readLink(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = unsafe readlink(path, &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static let environment = [
        "TERM=xterm-256color", "LANG=C.UTF-8", "SWIFT_BACKTRACE=enable=no", "PATH=/usr/bin:/bin",
    ]

    private static let arguments = [
        "tui", "--base", "http://127.0.0.1:9", "--dashboards", "/nonexistent",
    ]

    private static func started(
        by launch: (PseudoTerminal, _ binary: String) throws -> Void = { terminal, binary in
            try terminal.start(binary, arguments, environment: environment)
        }
    ) throws -> PseudoTerminal {
        let binary = try #require(Self.binary, "the weir binary is built with the tests")
        let terminal = try PseudoTerminal()
        try launch(terminal, binary)
        // Answers to its questions, so that it need not wait for the time-out.
        #expect(terminal.read { $0.contains("\u{1B}[c") })
        terminal.write("\u{1B}[?2026;2$y\u{1B}[?62c")
        #expect(terminal.read { $0.contains("UNREACHABLE") })
        return terminal
    }

    @Test(arguments: [SIGSEGV, SIGABRT, SIGILL, SIGBUS, SIGFPE, SIGTRAP, SIGTERM, SIGINT, SIGHUP])
    func terminalIsRestoredAfterSignal(_ signal: Int32) throws {
        let fresh = try PseudoTerminal()
        let before = fresh.settings
        let terminal = try Self.started()
        #expect(terminal.settings != before, "raw mode is on")
        terminal.forget()
        terminal.send(signal)
        let status = terminal.wait()
        #expect(status & 0x7F == signal, "it ended by the signal itself")
        _ = terminal.read { $0.contains("\u{1B}[?1049l") }
        #expect(terminal.settings == before)
        #expect(
            String(decoding: terminal.output, as: UTF8.self).contains(TerminalSequences.leave)
        )
    }

    @Test func quittingRestoresTheTerminal() throws {
        let before = try PseudoTerminal().settings
        let terminal = try Self.started()
        terminal.write("\u{3}")
        #expect(terminal.wait() == 0)
        _ = terminal.read { $0.contains("\u{1B}[?1049l") }
        #expect(terminal.settings == before)
    }

    @Test func suspendingRestoresAndContinuingDrawsAnew() throws {
        let before = try PseudoTerminal().settings
        // A session's leader cannot be stopped: a shell with job control is between.
        let terminal = try Self.started { terminal, binary in
            let command = ([binary] + Self.arguments).joined(separator: " ")
            try terminal.start(
                "/bin/sh",
                ["-c", "set -m; \(command); echo stopped; read line; fg; echo ended"],
                environment: Self.environment
            )
        }
        let raw = terminal.settings
        terminal.forget()
        terminal.write("\u{1A}")
        #expect(terminal.read { $0.contains("\u{1B}[?1049l") && $0.contains("stopped") })
        #expect(terminal.settings == before)
        terminal.forget()
        terminal.write("\n")
        #expect(terminal.read { $0.contains("\u{1B}[?1049h") && $0.contains("UNREACHABLE") })
        #expect(terminal.settings == raw)
        terminal.forget()
        terminal.write("\u{3}")
        #expect(terminal.read { $0.contains("\u{1B}[?1049l") && $0.contains("ended") })
        #expect(terminal.settings == before)
        #expect(terminal.wait() == 0)
    }

    @Test func resizingDrawsTheWholeScreenAtItsNewSize() throws {
        let terminal = try Self.started()
        terminal.forget()
        var size = winsize(ws_row: 20, ws_col: 70, ws_xpixel: 0, ws_ypixel: 0)
        #expect(unsafe ioctl(terminal.slave, UInt(TIOCSWINSZ), &size) == 0)
        #expect(
            terminal.read {
                $0.contains("\u{1B}[2J") && $0.contains("enter run")
            }
        )
        terminal.write("\u{3}")
        #expect(terminal.wait() == 0)
    }

    @Test func framesComeInsideSynchronizedOutputWhenKnown() throws {
        let terminal = try Self.started()
        #expect(
            String(decoding: terminal.output, as: UTF8.self).contains(TerminalSequences.beginFrame)
        )
        terminal.write("\u{3}")
        #expect(terminal.wait() == 0)
    }
}
