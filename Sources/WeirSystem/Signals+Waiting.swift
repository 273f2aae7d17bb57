internal import Glibc

extension Signals {
    /// Waits for TERM, INT or HUP after `prepare`, for at most so long.
    ///
    /// - Returns: Whether one came.
    package static func waitForAny(timeoutNanoseconds: Int64) -> Bool {
        var set = taken()
        var time = timespec(
            tv_sec: Int(timeoutNanoseconds / 1_000_000_000),
            tv_nsec: Int(timeoutNanoseconds % 1_000_000_000)
        )
        return unsafe sigtimedwait(&set, nil, &time) > 0
    }

    /// Undoes `prepare` on the calling thread and those it will start, but for PIPE: for a part of
    /// the program that has handlers of its own.
    package static func unblock() {
        var set = taken()
        unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }
}
