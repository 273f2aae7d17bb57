internal import WeirCore

/// The horizontal axis: dot columns of one step each, and ticks on round times.
package struct TimeAxis: Hashable, Sendable {
    /// The time of the first dot column, in milliseconds; a multiple of `step`.
    package let start: Int64
    /// Milliseconds from one dot column to the next.
    package let step: Int64
    /// Dot columns: two a cell.
    package let dots: Int

    package init(start: Int64, step: Int64, dots: Int) {
        self.start = start
        self.step = max(1, step)
        self.dots = max(1, dots)
    }

    /// The axis that shows the range `from...to` in so many cells, aligned to multiples of its step, so that
    /// panning does not shimmer.
    ///
    /// Its last dot column is the first at or after `to`.
    package init(from: Int64, to: Int64, cells: Int, stepMin: Int64 = 1) {
        let dots = max(1, min(cells, 5000)) * 2
        let span = max(1, to - from)
        let step = max(stepMin, (span + Int64(dots) - 1) / Int64(dots))
        let end = Self.floorDivide(to + step - 1, step) * step
        self.init(start: end - Int64(dots - 1) * step, step: step, dots: dots)
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor)
    }

    package var end: Int64 { start + Int64(dots - 1) * step }
    package var cells: Int { (dots + 1) / 2 }

    /// The dot column of a time: a sample belongs to the column whose step it ends.
    ///
    /// Nil outside.
    package func dot(of time: Int64) -> Int? {
        let offset = time - start
        guard offset > -step, offset <= Int64(dots - 1) * step else { return nil }
        return Int((offset + step - 1) / step)
    }

    package func time(ofDot dot: Int) -> Int64 { start + Int64(dot) * step }

    package struct Tick: Hashable, Sendable {
        /// Counted from the left end of the plot.
        package let cell: Int
        package let label: String
    }

    private static let steps: [Int64] =
        [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800].map { $0 * 1000 }
        + [1, 2, 3, 6, 12, 24, 48, 120, 168, 336, 720, 2160, 4320, 8760].map { $0 * 3_600_000 }

    package static let columnsApart = 12

    /// Ticks on round times, twelve columns apart at least.
    package var ticks: [Tick] {
        let wanted = Int64(Self.columnsApart) * 2 * step
        let size = Self.steps.first { $0 >= wanted } ?? Self.steps[Self.steps.count - 1]
        var ticks: [Tick] = []
        var time = Self.floorDivide(start + size - 1, size) * size
        while time <= end, ticks.count < 200 {
            if let dot = dot(of: time) {
                ticks.append(Tick(cell: dot / 2, label: Self.label(time, size: size)))
            }
            time += size
        }
        return ticks
    }

    private static func label(_ time: Int64, size: Int64) -> String {
        let civil = CivilTime(milliseconds: time)
        if size >= 86_400_000 { return civil.dayAndMonth }
        if size < 60_000 { return civil.clockSeconds }
        return civil.hour == 0 && civil.minute == 0 ? civil.dayAndMonth : civil.clock
    }
}
