/// Where one request stands between its handler and the connection: a pure state machine.
///
/// libmicrohttpd asks that a connection is resumed only after it was suspended, and touched by
/// nobody once its request has completed. Each event returns the action that the caller takes
/// while it still holds the lock around this value, so that no other event can come between.
///
///     handling ─ respond ─> answered ─ handlerReturned / polled ─> sent ─ complete ─> completed
///         └ handlerReturned ─> waiting ─ respond ─> answered
struct ExchangeState: Hashable {
    enum Phase: Hashable {
        /// The handler runs on the connection's thread.
        case handling
        /// The handler has returned without an answer; the connection is suspended.
        case waiting
        /// There is an answer that the connection does not have yet.
        case answered
        /// The connection has the answer.
        case sent
        /// The request is over; the connection must not be touched.
        case completed
    }

    enum Action: Hashable {
        case none
        case suspend
        case resume
        /// Give the answer to the connection.
        case queue
    }

    private(set) var phase = Phase.handling

    /// Says whether an answer would still be taken.
    var isOpen: Bool { phase == .handling || phase == .waiting }

    /// An answer was given, on any thread.
    ///
    /// Heed it only when `isOpen` was true before.
    mutating func respond() -> Action {
        switch phase {
        case .handling:
            phase = .answered
            return .none
        case .waiting:
            phase = .answered
            return .resume
        case .answered, .sent, .completed: return .none
        }
    }

    /// The handler gave back the connection's thread.
    mutating func handlerReturned() -> Action {
        switch phase {
        case .handling:
            phase = .waiting
            return .suspend
        case .answered:
            phase = .sent
            return .queue
        case .waiting, .sent, .completed: return .none
        }
    }

    /// The connection asks again after it was resumed.
    mutating func polled() -> Action {
        switch phase {
        case .answered:
            phase = .sent
            return .queue
        // Woken without cause: back to sleep.
        case .waiting: return .suspend
        case .handling, .sent, .completed: return .none
        }
    }

    /// The request is over, answered or not.
    mutating func complete() { phase = .completed }
}
