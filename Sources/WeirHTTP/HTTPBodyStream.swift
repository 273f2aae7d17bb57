internal import CMicroHTTPD
internal import WeirSystem

/// A response body that a producer writes while it is being sent.
///
/// The producer writes from a thread of its own and waits while `queuedBytesMax` are unsent; the
/// connection sleeps while nothing is queued. When the client leaves, or the server stops,
/// `write` returns false and the producer stops. The producer must end with `finish` or `fail`.
package final class HTTPBodyStream: Sendable {
    /// One connection that sleeps until there is something to send.
    @safe
    private struct Sleeper: @unchecked Sendable {
        let connection: OpaquePointer
    }

    private struct State {
        var queue: [[UInt8]] = []
        /// The first piece not yet sent whole, and how much of it is sent.
        var nextPiece = 0
        var nextOffset = 0
        var queuedBytes = 0
        var isFinished = false
        var isFailed = false
        var isClosed = false
        var sleeper: Sleeper?
        var encoder: GzipEncoder?

        mutating func wake() {
            guard let sleeper else { return }
            self.sleeper = nil
            // SAFETY: the connection was suspended under this same lock, and stays valid until it
            // is resumed.
            unsafe MHD_resume_connection(sleeper.connection)
        }

        mutating func push(_ bytes: [UInt8]) {
            guard !bytes.isEmpty else { return }
            queue.append(bytes)
            queuedBytes += bytes.count
            wake()
        }
    }

    private let state: Monitor<State>
    private let queuedBytesMax: Int
    /// Says whether what is written is packed; the answer then needs `Content-Encoding: gzip`.
    package let isGzip: Bool

    /// `isGzip`: Packs the body; each `write` can be read at once by the client.
    package init(queuedBytesMax: Int = 256 * 1024, isGzip: Bool = false) {
        self.queuedBytesMax = max(1, queuedBytesMax)
        self.isGzip = isGzip
        var state = State()
        if isGzip { state.encoder = GzipEncoder() }
        self.state = Monitor(state)
    }

    /// Says whether nothing more will be sent: the client left, or the server stops.
    package var isClosed: Bool { state.read { $0.isClosed } }

    /// Queues bytes, after waiting for room.
    ///
    /// Blocks: not for a server thread.
    ///
    /// - Returns: False when the client is gone: stop producing.
    package func write(_ bytes: [UInt8]) -> Bool {
        let hasRoom =
            state.wait { state -> Bool? in
                if state.isClosed || state.isFinished || state.isFailed { return false }
                return state.queuedBytes < queuedBytesMax ? true : nil
            } ?? false
        guard hasRoom else { return false }
        state.update { state in
            state.push(state.encoder?.append(bytes, flush: .sync) ?? bytes)
        }
        return true
    }

    /// What became of bytes that were offered.
    package enum Offer: Hashable, Sendable {
        case taken
        /// `queuedBytesMax` are unsent: the reader is slow.
        case full
        /// Nothing more will be sent.
        case closed
    }

    /// Queues bytes if there is room now.
    package func offer(_ bytes: [UInt8]) -> Offer {
        state.update { state in
            if state.isClosed || state.isFinished || state.isFailed { return .closed }
            guard state.queuedBytes < queuedBytesMax else { return .full }
            state.push(state.encoder?.append(bytes, flush: .sync) ?? bytes)
            return .taken
        }
    }

    /// Ends the body well.
    package func finish() {
        state.update { state in
            guard !state.isFinished, !state.isFailed else { return }
            state.isFinished = true
            if let encoder = state.encoder { state.push(encoder.append([], flush: .finish)) }
            state.wake()
        }
    }

    /// Ends the body by breaking the connection, so that the client knows it is not whole.
    package func fail() {
        state.update { state in
            state.isFailed = true
            state.wake()
        }
    }

    /// The client left or the server stops: nothing more is sent.
    func close() {
        state.update { state in
            state.isClosed = true
            state.queue = []
            state.queuedBytes = 0
            state.nextPiece = 0
            state.nextOffset = 0
            state.wake()
        }
    }

    /// What the connection's thread found.
    enum ReadOutcome {
        case bytes(Int)
        case suspended
        case end
        case broken
    }

    /// Called on the connection's thread: copies what is queued, or suspends the connection.
    func read(into room: UnsafeMutableRawBufferPointer, connection: OpaquePointer) -> ReadOutcome {
        state.update { state in
            if state.isClosed || state.isFailed { return .broken }
            var count = 0
            while count < room.count, state.nextPiece < state.queue.count {
                let piece = state.queue[state.nextPiece]
                let part = piece[state.nextOffset...].prefix(room.count - count)
                // SAFETY: `part` is no longer than what is left of the room.
                unsafe UnsafeMutableRawBufferPointer(rebasing: room[count...])
                    .copyBytes(from: part)
                count += part.count
                state.nextOffset += part.count
                if state.nextOffset == piece.count {
                    state.queue[state.nextPiece] = []
                    state.nextPiece += 1
                    state.nextOffset = 0
                }
            }
            if state.nextPiece == state.queue.count || state.nextPiece >= 256 {
                state.queue.removeFirst(state.nextPiece)
                state.nextPiece = 0
            }
            state.queuedBytes -= count
            if count > 0 { return .bytes(count) }
            if state.isFinished { return .end }
            state.sleeper = unsafe Sleeper(connection: connection)
            // SAFETY: called from the content reader, as MHD asks, and under the lock that every
            // resume takes, so a resume comes after it.
            unsafe MHD_suspend_connection(connection)
            return .suspended
        }
    }
}
