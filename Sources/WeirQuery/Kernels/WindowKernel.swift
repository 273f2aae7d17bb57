/// Where a window lies, beside the samples in it.
package struct Window {
    /// The times between which samples were looked for, milliseconds.
    package let start: Int64
    package let end: Int64
    package let step: Int
}

/// A function of the samples in a window.
///
/// Specialised per kernel: no call per sample.
package protocol WindowKernel {
    /// Whether the value depends on the step, not only on the window.
    var dependsOnStep: Bool { get }

    /// Looks at all samples of a series once, before its windows.
    mutating func prepare(_ times: Span<Int64>, _ values: Span<Double>, isOverlapping: Bool)

    /// The value over the samples in `range`, which is not empty and within bounds; or
    /// `Double.absent`.
    func value(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        _ range: Range<Int>,
        _ window: Window
    ) -> Double
}

extension WindowKernel {
    @inline(__always)
    package var dependsOnStep: Bool { false }

    @inline(__always)
    package mutating func prepare(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        isOverlapping: Bool
    ) {}
}

/// Slides a window of fixed width over the samples of a series: two indices that only go forward.
package struct WindowSlide: Sendable {
    /// The ends of the windows.
    package let ends: StepGrid
    package let rangeMilliseconds: Int64
    /// Whether a sample exactly at the start of a window belongs to it.
    package let isClosed: Bool
    /// How many samples may be gone over before the clock is looked at again.
    private static let samplesBetweenChecks = 1 << 20

    package init(ends: StepGrid, rangeMilliseconds: Int64, isClosed: Bool) {
        self.ends = ends
        self.rangeMilliseconds = rangeMilliseconds
        self.isClosed = isClosed
    }

    /// The earliest time a sample in any window may have.
    package var earliest: Int64 { ends.start - rangeMilliseconds + (isClosed ? 0 : 1) }

    /// Fills `row`, one number per window; windows without samples are left alone.
    ///
    /// `times` and `values` have equal counts.
    ///
    /// - Throws: What `context.check()` throws.
    @inline(__always)
    package func run(
        _ initial: some WindowKernel,
        _ times: Span<Int64>,
        _ values: Span<Double>,
        into row: inout MutableSpan<Double>,
        context: QueryContext
    ) throws(QueryError) {
        precondition(times.count == values.count && row.count == ends.count)
        var kernel = initial
        let isOverlapping = rangeMilliseconds > 4 * max(1, ends.interval) && ends.count > 4
        kernel.prepare(times, values, isOverlapping: isOverlapping)
        var lower = 0
        var upper = 0
        var width = 0
        var work = 0
        for step in 0..<ends.count {
            let end = ends.time(step)
            let start = end - rangeMilliseconds
            if ends.interval == 0, step > 0, !kernel.dependsOnStep {
                row[step] = row[step - 1]
                continue
            }
            lower = Self.firstIndex(times, after: isClosed ? start - 1 : start, from: lower, 0)
            upper = Self.firstIndex(times, after: end, from: max(lower, upper), lower + width)
            guard upper > lower else { continue }
            width = upper - lower
            work += width
            if work > Self.samplesBetweenChecks {
                work = 0
                try context.check()
            }
            row[step] = kernel.value(
                times,
                values,
                lower..<upper,
                Window(start: start, end: end, step: step)
            )
        }
    }

    /// The first index, not before `from`, of a time later than `time`.
    ///
    /// `guess` is tried first: regular samples give windows of one width.
    @inline(__always)
    package static func firstIndex(
        _ times: Span<Int64>,
        after time: Int64,
        from: Int,
        _ guess: Int
    ) -> Int {
        let count = times.count
        if guess > from, guess < count, times[guess] > time, times[guess - 1] <= time {
            return guess
        }
        guard from < count, times[from] <= time else { return from }
        // `times[low] <= time` from here on: leap, then halve.
        var low = from
        var leap = 1
        while low + leap < count, times[low + leap] <= time {
            low += leap
            leap <<= 1
        }
        var high = min(low + leap, count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if times[middle] <= time { low = middle } else { high = middle }
        }
        return high
    }
}
