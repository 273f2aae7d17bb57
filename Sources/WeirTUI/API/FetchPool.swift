internal import Glibc
internal import Synchronization
internal import WeirTerminal

/// A few threads that ask the server, so that nothing blocks the keys.
///
/// Plain threads: a call waits for the network, which Swift's cooperative pool must never do.
final class FetchPool: Sendable {
    private struct State {
        var queue: [FetchRequest] = []
        /// Questions before this one are not asked any more.
        var generation = 0
    }

    private let api: any QueryAPI
    private let clock: @Sendable () -> Int64
    private let mailbox: Mailbox<FetchResult>
    private let state = Mutex(State())
    /// One byte for each question that waits; a worker blocks on reading it.
    private let readEnd: Int32
    private let writeEnd: Int32

    init(
        api: any QueryAPI,
        threads: Int,
        clock: @escaping @Sendable () -> Int64,
        mailbox: Mailbox<FetchResult>
    ) throws(TerminalError) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw .system(call: "pipe", errno: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        readEnd = ends[0]
        writeEnd = ends[1]
        self.api = api
        self.clock = clock
        self.mailbox = mailbox
        for _ in 0..<threads {
            guard BackgroundThread.start({ [self] in work() }) else {
                throw .system(call: "pthread_create", errno: EAGAIN)
            }
        }
    }

    /// Asks later.
    ///
    /// Requests of generations before `generation` that still wait are forgotten.
    func submit(_ requests: [FetchRequest], generation: Int) {
        let dropped = state.withLock { state in
            state.generation = generation
            let before = state.queue.count
            state.queue.removeAll { $0.generation < generation }
            let dropped = before - state.queue.count
            state.queue.append(contentsOf: requests)
            return dropped
        }
        var byte: UInt8 = 1
        // A worker that finds nothing waits again, so a byte too many for what was dropped does no harm.
        for _ in 0..<max(0, requests.count - dropped) {
            // SAFETY: `write` reads one byte.
            _ = unsafe write(writeEnd, &byte, 1)
        }
    }

    private func work() {
        var byte: UInt8 = 0
        while true {
            // SAFETY: `read` writes one byte.
            let count = unsafe read(readEnd, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1 else { return }
            let next = state.withLock { state in
                state.queue.isEmpty ? nil : state.queue.removeFirst()
            }
            guard let next else { continue }
            mailbox.post(
                FetchResult(
                    generation: next.generation,
                    answer: next.work.run(api, clock: clock)
                )
            )
        }
    }
}

/// A thread outside Swift's cooperative pool.
enum BackgroundThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a detached thread; false when the system has none to give.
    static func start(_ run: @escaping @Sendable () -> Void) -> Bool {
        let body = unsafe Unmanaged.passRetained(Body(run))
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread,
            nil,
            { argument in
                // SAFETY: the argument is the retained body, released here once.
                if let argument = unsafe argument {
                    let body = unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                    body.run()
                }
                return nil
            },
            body.toOpaque()
        )
        guard code == 0 else {
            unsafe body.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}
