internal import WeirCore

/// The times an expression is evaluated at: `start`, `start + interval`, …; milliseconds.
package struct StepGrid: Hashable, Sendable {
    package let start: Int64
    /// Zero when every step looks at the same time.
    package let interval: Int64
    /// At least one.
    package let count: Int

    package init(start: Int64, interval: Int64, count: Int) {
        precondition(count >= 1 && interval >= 0)
        self.start = start
        self.interval = interval
        self.count = count
    }

    @inline(__always)
    package func time(_ step: Int) -> Int64 { start + Int64(step) * interval }

    package var end: Int64 { time(count - 1) }

    /// The same steps, earlier by `milliseconds`.
    package func shifted(back milliseconds: Int64) -> StepGrid {
        StepGrid(start: start - milliseconds, interval: interval, count: count)
    }
}

extension Double {
    /// Stands for "no sample here" on a grid.
    ///
    /// It is Prometheus's staleness marker, which never is a result, so storing one and storing
    /// nothing mean the same.
    package static let absent = Double.staleMarker

    @inline(__always)
    package var isAbsent: Bool { bitPattern == 0x7FF0_0000_0000_0002 }
}
