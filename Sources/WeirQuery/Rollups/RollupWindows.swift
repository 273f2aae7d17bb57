/// Which rows of a series lie in which windows.
///
/// Series whose last samples have the same times, as those have that are sent together, have the
/// same: these are found once.
package struct RollupWindows: Sendable {
    /// A window that has rows.
    struct Found: Sendable {
        let rows: Range<Int>
        let window: Window
    }

    private let slide: WindowSlide
    private var times: [Int64] = []
    /// In order of the steps.
    private(set) var all: [Found] = []

    package init(_ slide: WindowSlide) { self.slide = slide }

    /// Finds the windows over rows of these times, milliseconds, ascending.
    package mutating func find(_ times: [Int64]) {
        guard times != self.times else { return }
        self.times.removeAll(keepingCapacity: true)
        self.times.append(contentsOf: times)
        all.removeAll(keepingCapacity: true)
        let span = times.span
        var lower = 0
        var upper = 0
        var width = 0
        for step in 0..<slide.ends.count {
            let end = slide.ends.time(step)
            let start = end - slide.rangeMilliseconds
            lower = WindowSlide.firstIndex(span, after: start, from: lower, 0)
            upper = WindowSlide.firstIndex(
                span,
                after: end,
                from: max(lower, upper),
                lower + width
            )
            guard upper > lower else { continue }
            width = upper - lower
            all.append(
                Found(rows: lower..<upper, window: Window(start: start, end: end, step: step))
            )
        }
    }
}
