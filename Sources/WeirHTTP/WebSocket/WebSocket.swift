internal import CMicroHTTPD
internal import Glibc
internal import Synchronization
internal import WeirSystem

/// One open WebSocket: a thread that reads the client's frames and writes what was sent.
///
/// `send` never blocks: a reader that is too slow fills the buffer, and is told so.
package final class WebSocket: Sendable {
    private struct State {
        var unsent: [[UInt8]] = []
        /// How much of `unsent[0]` is sent.
        var offset = 0
        var unsentBytes = 0
        /// A close frame was queued; nothing follows it.
        var isClosing = false
        var isClosed = false
        var isWoken = false
    }

    private static let pingSeconds: Int64 = 30
    private static let silenceSecondsMax: Int64 = 80
    private static let lingerNanoseconds: Int64 = 1_000_000_000

    private let descriptor: Int32
    private let wakeUp: Int32
    private let opening: WebSocketOpening
    private let state = Mutex(State())

    init(descriptor: Int32, opening: WebSocketOpening) {
        self.descriptor = descriptor
        self.opening = opening
        wakeUp = weir_eventfd_open()
    }

    deinit { if wakeUp >= 0 { Glibc.close(wakeUp) } }

    /// Whether nothing more will be sent.
    package var isClosed: Bool { state.withLock { $0.isClosing || $0.isClosed } }

    /// Bytes that wait to be sent.
    package var unsentBytes: Int { state.withLock { $0.unsentBytes } }

    /// Whether `send` would take a message now.
    package var hasRoom: Bool {
        state.withLock { state in
            !state.isClosing && !state.isClosed && state.unsentBytes < opening.unsentBytesMax
        }
    }

    /// Queues a text message, which must be UTF-8.
    ///
    /// `evenIfFull`: Takes it whatever waits already: for a message in several parts,
    ///   whose size its sender bounds.
    /// - Returns: False when it was not taken: the buffer is full, or the socket is closing.
    @discardableResult
    package func send(text: [UInt8], evenIfFull: Bool = false) -> Bool {
        queue(
            WebSocketFrame.encode(.text, text),
            limit: evenIfFull ? .max : opening.unsentBytesMax
        )
    }

    /// Queues a ping with up to 125 bytes.
    package func ping(_ payload: [UInt8] = []) {
        _ = queue(WebSocketFrame.encode(.ping, payload.prefix(125)), limit: .max)
    }

    /// Says goodbye, sends what is queued, and ends.
    package func close(code: UInt16 = 1000, reason: String = "") {
        _ = queue(WebSocketFrame.close(code: code, reason: reason), limit: .max, isLast: true)
    }

    private func queue(_ frame: [UInt8], limit: Int, isLast: Bool = false) -> Bool {
        let (isTaken, wakes) = state.withLock { state -> (Bool, Bool) in
            guard !state.isClosing, !state.isClosed, state.unsentBytes < limit else {
                return (false, false)
            }
            state.unsent.append(frame)
            state.unsentBytes += frame.count
            state.isClosing = isLast
            let wakes = !state.isWoken
            state.isWoken = true
            return (true, wakes)
        }
        if wakes {
            var one: UInt64 = 1
            _ = unsafe write(wakeUp, &one, 8)
        }
        return isTaken
    }

    // MARK: - On its thread

    /// Serves the socket until it ends; `extra` came with the handshake.
    func run(extra: [UInt8]) {
        guard wakeUp >= 0 else { return }
        opening.onOpen(self)
        var parser = WebSocketParser()
        parser.append(extra)
        var isHearing = true
        var lastHeard = Stopwatch.monotonicNanoseconds()
        var lastPing = lastHeard
        var closingSince: Int64?
        var room = [UInt8](repeating: 0, count: 16 * 1024)
        isHearing = hear(&parser)
        loop: while true {
            guard flush() else { break }
            let now = Stopwatch.monotonicNanoseconds()
            let (isClosing, hasUnsent) = state.withLock { ($0.isClosing, $0.unsentBytes > 0) }
            if isClosing {
                closingSince = closingSince ?? now
                // The client's own close has come, or came first: all is said.
                if !isHearing, !hasUnsent { break }
                if now - (closingSince ?? now) > Self.lingerNanoseconds { break }
            } else {
                if now - lastHeard > Self.silenceSecondsMax * 1_000_000_000 { break }
                if now - lastPing > Self.pingSeconds * 1_000_000_000 {
                    lastPing = now
                    ping()
                    continue
                }
            }
            switch wait(forRoom: hasUnsent, milliseconds: isClosing ? 50 : 5000) {
            case .quiet: continue
            case .broken: break loop
            case .readable: break
            }
            let capacity = room.count
            let count = unsafe recv(descriptor, &room, capacity, Int32(MSG_DONTWAIT))
            if count == 0 { break }
            if count < 0 {
                if errno == EAGAIN || errno == EINTR { continue }
                break
            }
            lastHeard = now
            // After a fault or a close the rest is read only so that the close frame arrives.
            guard isHearing else { continue }
            parser.append(room[..<count])
            isHearing = hear(&parser)
        }
        state.withLock { state in
            state.isClosed = true
            state.unsent = []
            state.unsentBytes = 0
        }
        opening.onClose(self)
    }

    /// Takes the messages that have come.
    ///
    /// - Returns: False when there is nothing more to hear: the client closed, or broke the rules.
    private func hear(_ parser: inout WebSocketParser) -> Bool {
        do throws(WebSocketError) {
            while let message = try parser.next() {
                switch message {
                case .text(let text), .binary(let text): opening.onText(self, text)
                case .ping(let payload):
                    // A client that pings faster than it reads gets no room for it.
                    _ = queue(
                        WebSocketFrame.encode(.pong, payload),
                        limit: opening.unsentBytesMax
                    )
                case .pong: continue
                case .close(let code):
                    close(code: code == 1005 ? 1000 : code)
                    return false
                }
            }
            return true
        } catch {
            close(code: error.closeCode, reason: error.reason)
            return false
        }
    }

    /// Sends what the socket takes now.
    ///
    /// - Returns: False when the connection is broken.
    private func flush() -> Bool {
        while true {
            let (piece, offset) = state.withLock { state -> ([UInt8]?, Int) in
                state.isWoken = false
                return (state.unsent.first, state.offset)
            }
            guard let piece else { return true }
            let count = unsafe piece.withUnsafeBytes { bytes in
                unsafe Glibc.send(
                    descriptor,
                    bytes.baseAddress?.advanced(by: offset),
                    bytes.count - offset,
                    Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
                )
            }
            if count < 0 { return errno == EAGAIN || errno == EINTR }
            state.withLock { state in
                state.offset += count
                state.unsentBytes -= count
                if state.offset == piece.count {
                    state.unsent.removeFirst()
                    state.offset = 0
                }
            }
        }
    }

    private enum Waking {
        case readable
        case quiet
        case broken
    }

    private func wait(forRoom: Bool, milliseconds: Int32) -> Waking {
        let found = weir_wait_socket(descriptor, forRoom ? 1 : 0, wakeUp, milliseconds)
        if found < 0 { return .broken }
        if found & 2 != 0 {
            var count: UInt64 = 0
            _ = unsafe read(wakeUp, &count, 8)
        }
        return found & 1 != 0 ? .readable : .quiet
    }
}
