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
}
