internal import Glibc
internal import WeirTerminal

/// `weir tui`: the program in the terminal.
package enum TUI {
    static let frameMilliseconds: Int64 = 33

    /// Runs until it is quit.
    ///
    /// Prints to stderr what went wrong.
    ///
    /// - Returns: The exit code: 0, or 1.
    package static func run(options: TUIOptions) -> Int32 {
        run(options: options, api: HTTPQueryAPI(base: options.base, token: options.token))
    }

    /// The same over any API.
    package static func run(options: TUIOptions, api: any QueryAPI) -> Int32 {
        let library: DashboardLibrary
        do throws(DashboardError) {
            library = try DashboardLibrary(folder: options.dashboardsFolder)
        } catch {
            // Without dashboards there is still exploring.
            library = DashboardLibrary(entries: [])
        }
        if let name = options.dashboard {
            do throws(DashboardError) {
                _ = try library.dashboard(name)
            } catch {
                let line = error.line.map { "line \($0): " } ?? ""
                complain("\(name): \(line)\(error.text)")
                return 1
            }
        }
        if options.script != nil || options.isDumped {
            return ScriptPlayer.run(options, library, api)
        }
        return runInTerminal(options, library, api)
    }

    /// The system's clock in milliseconds since 1970.
    package static func systemClock() -> Int64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }

    static func app(
        _ options: TUIOptions,
        _ library: DashboardLibrary,
        theme: Theme,
        size: ScreenSize,
        now: Int64
    ) -> App {
        let app = App(
            library: library,
            dashboardName: options.dashboard,
            span: options.range.map { .last(milliseconds: $0) },
            serverName: serverName(options.base),
            theme: theme,
            size: size,
            now: now
        )
        if !options.variables.isEmpty { app.choose(options.variables) }
        return app
    }

    /// The address without its scheme; `local` for this machine at the usual port.
    static func serverName(_ base: String) -> String {
        var name = base[...]
        if let scheme = name.firstRange(of: "://") { name = name[scheme.upperBound...] }
        while name.last == "/" { name.removeLast() }
        return ["127.0.0.1:4040", "localhost:4040"].contains(String(name)) ? "local" : String(name)
    }

    private static func runInTerminal(
        _ options: TUIOptions,
        _ library: DashboardLibrary,
        _ api: any QueryAPI
    ) -> Int32 {
        let terminal: Terminal
        let mailbox: Mailbox<FetchResult>
        let pool: FetchPool
        do throws(TerminalError) {
            mailbox = try Mailbox()
            pool = try FetchPool(
                api: api,
                threads: 4,
                clock: { systemClock() },
                mailbox: mailbox
            )
            terminal = try Terminal(environment: options.environment)
        } catch {
            complain(error)
            return 1
        }
        let app = app(
            options,
            library,
            theme: Theme(capabilities: terminal.capabilities),
            size: terminal.size,
            now: systemClock()
        )
        loop(app, terminal, mailbox, pool, options)
        terminal.restore()
        return 0
    }

    /// One thread: keys, answers, signals and the clock in; frames out.
    private static func loop(
        _ app: App,
        _ terminal: Terminal,
        _ mailbox: Mailbox<FetchResult>,
        _ pool: FetchPool,
        _ options: TUIOptions
    ) {
        var tail: LogTail?
        defer { tail?.cancel() }
        var buffer = CellBuffer(size: app.size)
        var isMouseOn = false
        var needsFrame = true
        var lastFrame: Int64 = 0
        while !app.isDone {
            let requests = app.takeRequests()
            if !requests.isEmpty { pool.submit(requests, generation: app.generation) }
            let now = systemClock()
            // Keys are answered at once; answers of the server at most thirty times a second.
            let untilFrame = needsFrame ? max(0, lastFrame + frameMilliseconds - now) : .max
            if needsFrame, untilFrame == 0 {
                if buffer.size != app.size { buffer = CellBuffer(size: app.size) }
                let cursor = app.draw(into: &buffer)
                needsFrame = !terminal.draw(buffer, cursor: cursor)
                lastFrame = now
            }
            if tail?.request != app.wantedTail {
                tail?.cancel()
                tail = app.wantedTail.map {
                    LogTail($0, base: options.base, token: options.token)
                }
            }
            let timeout = min(
                needsFrame ? max(1, untilFrame) : .max,
                app.millisecondsToNextTick ?? .max,
                // A tail is looked at as often as frames are drawn: lines never wake the screen.
                tail == nil ? .max : frameMilliseconds
            )
            let events = terminal.wait(
                mailDescriptor: mailbox.descriptor,
                timeoutMilliseconds: Int(min(timeout, 60_000))
            )
            app.tick(now: systemClock())
            if let tail, let batch = tail.take() {
                app.receive(batch, of: tail.request)
                needsFrame = true
            }
            if events.isEmpty, tail == nil { needsFrame = true }
            for event in events {
                needsFrame = true
                switch event {
                case .input(let input):
                    app.handle(input)
                    lastFrame = 0
                case .resized(let size): app.resize(size)
                case .continued: terminal.redraw()
                case .mail: for result in mailbox.takeAll() { app.receive(result) }
                case .closed: return
                }
            }
            if app.isMouseOn != isMouseOn {
                isMouseOn = app.isMouseOn
                terminal.sendSequence(
                    isMouseOn ? TerminalSequences.mouseOn : TerminalSequences.mouseOff
                )
            }
            if let text = app.clipboard {
                app.clipboard = nil
                terminal.sendSequence(Clipboard.sequence(copying: text))
            }
            if app.wantsRedraw {
                app.wantsRedraw = false
                terminal.redraw()
            }
            if app.wantsSuspend {
                app.wantsSuspend = false
                terminal.suspend()
            }
        }
    }

    private static func complain(_ error: TerminalError) {
        switch error {
        case .notATerminal:
            complain("not a terminal; `weir dashboards render NAME` prints a dashboard as text")
        case .inUse: complain("the terminal is in use")
        case .system(let call, let number): complain("\(call): errno \(number)")
        }
    }

    static func complain(_ text: String) {
        let line = Array("weir tui: \(text)\n".utf8)
        // SAFETY: `write` reads at most the array's count of bytes.
        _ = unsafe line.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

/// OSC 52: the terminal's clipboard, over any number of SSH hops.
enum Clipboard {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
    )

    static func sequence(copying text: String) -> String {
        "\u{1B}]52;c;\(base64(Array(text.utf8.prefix(50_000))))\u{1B}\\"
    }

    static func base64(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let group = bytes[index..<min(index + 3, bytes.count)]
            var word: UInt32 = 0
            for place in 0..<3 {
                let byte = place < group.count ? group[group.startIndex + place] : 0
                word = word << 8 | UInt32(byte)
            }
            for place in 0..<4 {
                let isPadding = place > group.count
                text.append(
                    isPadding
                        ? UInt8(ascii: "=") : alphabet[Int(word >> UInt32(18 - 6 * place) & 63)]
                )
            }
            index += 3
        }
        return String(decoding: text, as: UTF8.self)
    }
}
