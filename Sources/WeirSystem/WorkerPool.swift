/// A fixed set of threads that take jobs in the order they came.
package final class WorkerPool: Sendable {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var isStopped = false
    }

    private let state = Monitor(State())
    private let threads: [Thread]
    package let threadCount: Int

    package init(name: String, threadCount: Int) {
        let state = state
        self.threadCount = threadCount
        threads = (0..<threadCount).map { _ in
            Thread(name: name) {
                while let job = Self.next(state) { job() }
            }
        }
    }

    private static func next(_ state: Monitor<State>) -> (@Sendable () -> Void)? {
        let step: (@Sendable () -> Void)?? = state.wait { state in
            if !state.jobs.isEmpty { return .some(state.jobs.removeFirst()) }
            return state.isStopped ? .some(nil) : nil
        }
        return step ?? nil
    }

    /// The jobs that wait for a thread.
    package var waitingCount: Int { state.read { $0.jobs.count } }

    package func submit(_ job: @escaping @Sendable () -> Void) {
        state.update { $0.jobs.append(job) }
    }

    /// Runs `body` for every index below `count`, on the pool's threads and the caller's, and
    /// returns when all are done.
    ///
    /// Indices are taken one by one, so uneven work evens out.
    package func forEach(count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        guard count > 1, threadCount > 0 else {
            for index in 0..<count { body(index) }
            return
        }
        let round = Round(count: count)
        for _ in 0..<min(threadCount, count - 1) {
            submit { round.work(body) }
        }
        round.work(body)
        round.waitForAll()
    }

    /// Lets the jobs that wait finish, and joins the threads.
    package func stop() {
        state.update { $0.isStopped = true }
        for thread in threads { thread.join() }
    }

    /// One `forEach`: hands out indices and counts those that are done.
    private final class Round: Sendable {
        private let progress: Monitor<(next: Int, done: Int)>
        private let count: Int

        init(count: Int) {
            self.count = count
            self.progress = Monitor((next: 0, done: 0))
        }

        func work(_ body: (Int) -> Void) {
            while let index = take() {
                body(index)
                finish()
            }
        }

        private func take() -> Int? {
            progress.read { progress in
                guard progress.next < count else { return nil }
                progress.next += 1
                return progress.next - 1
            }
        }

        private func finish() {
            let isLast = progress.read { progress in
                progress.done += 1
                return progress.done == count
            }
            if isLast { progress.update { _ in } }
        }

        func waitForAll() {
            _ = progress.wait { $0.done == count ? true : nil }
        }
    }
}
