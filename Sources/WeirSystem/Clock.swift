internal import Glibc
import Synchronization

/// Where the time comes from: the host, or a test's hand.
package protocol WallClock: Sendable {
    /// Nanoseconds since the Unix epoch.
    func nowNanoseconds() -> Int64
}

extension WallClock {
    package func nowMilliseconds() -> Int64 { nowNanoseconds() / 1_000_000 }
}

/// The host's real-time clock.
package struct HostClock: WallClock {
    package init() {}

    package func nowNanoseconds() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// A clock that stands still until it is moved.
package final class ManualClock: WallClock {
    private let now: Atomic<Int64>

    package init(nanoseconds: Int64) { now = Atomic(nanoseconds) }

    package func nowNanoseconds() -> Int64 { now.load(ordering: .acquiring) }
    package func set(nanoseconds: Int64) { now.store(nanoseconds, ordering: .releasing) }
    package func advance(nanoseconds: Int64) {
        now.add(nanoseconds, ordering: .acquiringAndReleasing)
    }
}

/// Time for measuring how long something took.
package enum Stopwatch {
    /// Nanoseconds of a clock that never goes back; its zero means nothing.
    package static func monotonicNanoseconds() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Processor time this process has used, in nanoseconds.
    package static func processorNanoseconds() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// Randomness from the kernel.
package enum RandomBytes {
    package static func make(count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}
