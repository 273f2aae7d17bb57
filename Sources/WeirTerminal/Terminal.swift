internal import CTerminalGuard
internal import Glibc

/// The terminal in raw mode: events in, frames out, everything from one thread.
///
/// Opening it arms the guard, which restores it whatever ends the process. Frames are never queued: while
/// the terminal has not taken the last one, `draw` does nothing and says so.
package final class Terminal {
    private let descriptor: Int32
    private var parser = InputParser()
    private var encoder: FrameEncoder
    /// Bytes that the terminal has not taken yet.
    private var unsent: ArraySlice<UInt8> = []
    private var early: [InputEvent] = []
    private var environment: [String: String]
    package private(set) var capabilities: TerminalCapabilities
    package private(set) var size: ScreenSize

    /// What a wait ended with.
    package enum Event {
        case input(InputEvent)
        case resized(ScreenSize)
        /// Back from being stopped: the screen is lost, the next frame is whole.
        case continued
        case mail
        /// The terminal is gone.
        case closed
    }

    package static let escapeTimeoutMilliseconds: Int32 = 40
    package static let queryTimeoutMilliseconds = 150

    /// Opens the process's controlling terminal.
    package init(environment: [String: String]) throws(TerminalError) {
        // A description of its own, so that not blocking does not spill over to the shell.
        let opened = unsafe open("/dev/tty", O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        guard opened >= 0, isatty(opened) == 1, isatty(STDOUT_FILENO) == 1 else {
            if opened >= 0 { close(opened) }
            throw .notATerminal
        }
        descriptor = opened
        self.environment = environment
        capabilities = TerminalCapabilities(environment: environment)
        encoder = FrameEncoder(capabilities: capabilities)
        size = Self.size(of: opened)
        let enter = TerminalSequences.enter
        let leave = TerminalSequences.leave
        let code = unsafe weir_guard_arm(
            opened,
            enter,
            enter.utf8.count,
            leave,
            leave.utf8.count
        )
        guard code == 0 else {
            close(opened)
            throw code == EBUSY ? .inUse : .system(call: "arm", errno: code)
        }
        detect()
    }

    deinit {
        weir_guard_disarm()
        close(descriptor)
    }

    /// Restores the terminal.
    ///
    /// Nothing else may be called after it.
    package func restore() { weir_guard_disarm() }

    /// Stops the process, as Ctrl-Z does.
    package func suspend() { weir_guard_suspend() }

    private static func size(of descriptor: Int32) -> ScreenSize {
        var columns: Int32 = 0
        var rows: Int32 = 0
        let code = unsafe weir_guard_size(descriptor, &columns, &rows)
        guard code == 0, columns > 0, rows > 0 else { return ScreenSize(width: 80, height: 24) }
        return ScreenSize(width: Int(columns), height: Int(rows))
    }

    private func detect() {
        send(Array(TerminalSequences.queries.utf8))
        let start = Self.milliseconds()
        waiting: while true {
            let left = Self.queryTimeoutMilliseconds - Int(Self.milliseconds() - start)
            guard left > 0 else { break }
            var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&polled, 1, Int32(left)) > 0 else { break }
            guard let bytes = readAvailable() else { break }
            var isComplete = false
            for event in parser.feed(bytes) {
                if case .answer(let answer) = event {
                    capabilities.learn(from: answer, environment: environment)
                    if answer == .deviceAttributes { isComplete = true }
                } else {
                    early.append(event)
                }
            }
            if isComplete { break waiting }
        }
        if capabilities.hasKittyKeyboard {
            let enter = TerminalSequences.enterKittyKeyboard
            let leave = TerminalSequences.leaveKittyKeyboard
            _ = unsafe weir_guard_extend(enter, enter.utf8.count, leave, leave.utf8.count)
        }
        encoder = FrameEncoder(capabilities: capabilities)
    }

    private static func milliseconds() -> Int64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }

    /// What can be read now; nil when the terminal is gone.
    private func readAvailable() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        // SAFETY: `read` writes at most the buffer's count of bytes.
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe read(descriptor, bytes.baseAddress, bytes.count)
        }
        if count > 0 { return Array(buffer.prefix(count)) }
        // In raw mode with VMIN 0 nothing to read is 0 as well; a hung-up terminal shows in `poll`.
        return count == 0 || errno == EAGAIN || errno == EINTR ? [] : nil
    }

    /// Waits for the terminal, a signal, mail, or `timeoutMilliseconds` (nil: for ever).
    ///
    /// An empty answer means that the time is over.
    package func wait(mailDescriptor: Int32, timeoutMilliseconds: Int?) -> [Event] {
        var events: [Event] = early.map { .input($0) }
        early = []
        if !events.isEmpty { return events }
        let escapeWait = parser.isWaiting ? Self.escapeTimeoutMilliseconds : Int32.max
        let wanted = timeoutMilliseconds.map { Int32(clamping: max(0, $0)) } ?? Int32.max
        let timeout = min(escapeWait, wanted)
        var polled = [
            pollfd(
                fd: descriptor,
                events: Int16(unsent.isEmpty ? POLLIN : POLLIN | POLLOUT),
                revents: 0
            ),
            pollfd(fd: mailDescriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: weir_guard_signal_fd(), events: Int16(POLLIN), revents: 0),
        ]
        let count = unsafe poll(&polled, 3, timeout == Int32.max ? -1 : timeout)
        if count == 0, parser.isWaiting { return parser.flush().map { .input($0) } }
        guard count > 0 else { return [] }
        if polled[2].revents != 0 { events.append(contentsOf: takeSignals()) }
        if polled[0].revents & Int16(POLLOUT) != 0 { sendRest() }
        if polled[0].revents & Int16(POLLIN) != 0 {
            guard let bytes = readAvailable() else { return events + [.closed] }
            // Gone terminals stay readable, with nothing to read.
            if bytes.isEmpty, polled[0].revents & Int16(POLLHUP) != 0 { return events + [.closed] }
            events.append(contentsOf: parser.feed(bytes).map { .input($0) })
        } else if polled[0].revents & Int16(POLLHUP | POLLERR | POLLNVAL) != 0 {
            events.append(.closed)
        }
        if polled[1].revents != 0 { events.append(.mail) }
        return events
    }

    private func takeSignals() -> [Event] {
        var letters = [UInt8](repeating: 0, count: 64)
        // SAFETY: `read` writes at most the buffer's count of bytes.
        let count = unsafe letters.withUnsafeMutableBytes { bytes in
            unsafe read(weir_guard_signal_fd(), bytes.baseAddress, bytes.count)
        }
        var events: [Event] = []
        if letters.prefix(max(0, count)).contains(UInt8(ascii: "C")) {
            unsent = []
            encoder.invalidate()
            events.append(.continued)
        }
        let now = Self.size(of: descriptor)
        if now != size {
            size = now
            encoder.invalidate()
            events.append(.resized(now))
        }
        return events
    }

    /// Shows a frame.
    ///
    /// Returns false when the terminal still has the last one to take: then nothing was sent, and
    /// the next `wait` ends when it has.
    @discardableResult
    package func draw(_ frame: CellBuffer, cursor: CursorPlace? = nil) -> Bool {
        guard unsent.isEmpty else { return false }
        send(encoder.encode(frame, cursor: cursor))
        return true
    }

    /// Sends the next frame whole.
    package func redraw() { encoder.invalidate() }

    /// Sends a sequence beside the frames, such as one for the mouse or the clipboard.
    package func sendSequence(_ text: String) {
        unsent.append(contentsOf: text.utf8)
        sendRest()
    }

    private func send(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        unsent = bytes[...]
        sendRest()
    }

    private func sendRest() {
        while !unsent.isEmpty {
            // SAFETY: `write` reads at most the slice's count of bytes.
            let count = unsafe unsent.withUnsafeBytes { bytes in
                unsafe write(descriptor, bytes.baseAddress, bytes.count)
            }
            if count > 0 {
                unsent = unsent.dropFirst(count)
            } else if errno != EINTR {
                // Full for now, or gone: `poll` will say.
                return
            }
        }
    }
}
