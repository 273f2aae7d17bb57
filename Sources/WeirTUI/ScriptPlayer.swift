internal import Glibc
package import WeirTerminal

/// Plays keys against the program without a terminal: for tests, and for `weir tui --script`.
package enum ScriptPlayer {
    /// Asks all that the program wants to know, until it wants no more.
    ///
    /// One after the other, so the outcome is the same each time; how long each took is told by
    /// `clock`, or is nothing.
    package static func settle(
        _ app: App,
        _ api: any QueryAPI,
        clock: (@Sendable () -> Int64)? = nil
    ) {
        // An answer may lead to a question, but not for ever.
        for _ in 0..<64 {
            let requests = app.takeRequests()
            if requests.isEmpty { return }
            for request in requests {
                let now = app.now
                app.receive(
                    FetchResult(
                        generation: request.generation,
                        answer: request.work.run(api, clock: clock ?? { now })
                    )
                )
            }
        }
    }

    /// Plays all steps; calls `dump` with the screen at each `<dump>`, and at the end when asked.
    package static func play(
        _ steps: [KeyScript.Step],
        _ app: App,
        _ api: any QueryAPI,
        dumpsLast: Bool,
        dump: (CellBuffer) -> Void
    ) {
        settle(app, api)
        var buffer = CellBuffer(size: app.size)
        _ = app.draw(into: &buffer)
        for step in steps where !app.isDone {
            switch step {
            case .event(let event): app.handle(event)
            case .resize(let size): app.resize(size)
            case .tick(let milliseconds): app.tick(now: app.now + milliseconds)
            case .dump: break
            }
            settle(app, api)
            if buffer.size != app.size { buffer = CellBuffer(size: app.size) }
            _ = app.draw(into: &buffer)
            if step == .dump { dump(buffer) }
        }
        if dumpsLast { dump(buffer) }
    }

    static func run(
        _ options: TUIOptions,
        _ library: DashboardLibrary,
        _ api: any QueryAPI
    ) -> Int32 {
        let steps: [KeyScript.Step]
        do {
            let text = try options.script.map { try DashboardLibrary.text($0) } ?? ""
            steps = try KeyScript.parse(text)
        } catch {
            TUI.complain("script: \(error)")
            return 1
        }
        let capabilities = TerminalCapabilities(environment: options.environment)
        let app = TUI.app(
            options,
            library,
            theme: Theme(capabilities: capabilities),
            size: options.size,
            now: options.clock ?? TUI.systemClock()
        )
        var output = ""
        play(steps, app, api, dumpsLast: options.isDumped) { buffer in
            output += FrameText.plain(buffer, glyphs: capabilities.glyphs)
        }
        let bytes = Array(output.utf8)
        var offset = 0
        while offset < bytes.count {
            // SAFETY: `write` reads at most the slice's count of bytes.
            let count = unsafe bytes[offset...].withUnsafeBytes {
                unsafe write(STDOUT_FILENO, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return 1 }
            offset += count
        }
        return 0
    }
}
