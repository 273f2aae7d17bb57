internal import Glibc

/// A value behind a lock that threads can wait on: a mutex and a condition together.
///
/// For the data plane's own threads only; it blocks.
@safe
package final class Monitor<State>: @unchecked Sendable {
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var state: State

    package init(_ state: sending State) {
        unsafe lock = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        self.state = state
        unsafe pthread_mutex_init(lock, nil)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(lock)
        unsafe condition.deallocate()
        unsafe lock.deallocate()
    }

    /// Runs `body` under the lock and wakes every waiter to look again.
    package func update<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe pthread_mutex_lock(lock)
        defer {
            unsafe pthread_cond_broadcast(condition)
            unsafe pthread_mutex_unlock(lock)
        }
        return try body(&state)
    }

    /// Runs `body` under the lock without waking anyone.
    package func read<Result>(_ body: (inout State) -> Result) -> Result {
        unsafe pthread_mutex_lock(lock)
        defer { unsafe pthread_mutex_unlock(lock) }
        return body(&state)
    }

    /// Waits until `body` returns a value, asking it again after every `update`.
    ///
    /// - Returns: That value, or nil when `timeoutNanoseconds` passed first.
    package func wait<Result>(
        timeoutNanoseconds: Int64? = nil,
        until body: (inout State) -> Result?
    ) -> Result? {
        let deadline = timeoutNanoseconds.map { Stopwatch.monotonicNanoseconds() &+ $0 }
        unsafe pthread_mutex_lock(lock)
        defer { unsafe pthread_mutex_unlock(lock) }
        while true {
            if let result = body(&state) { return result }
            guard let deadline else {
                unsafe pthread_cond_wait(condition, lock)
                continue
            }
            var time = timespec(
                tv_sec: Int(deadline / 1_000_000_000),
                tv_nsec: Int(deadline % 1_000_000_000)
            )
            if unsafe pthread_cond_timedwait(condition, lock, &time) == ETIMEDOUT {
                return body(&state)
            }
        }
    }
}
