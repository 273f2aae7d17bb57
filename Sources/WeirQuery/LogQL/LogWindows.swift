/// The windows of a range aggregation: `count` of them, the `i`-th after `end(i) - range` and up
/// to `end(i)`; nanoseconds.
///
/// Where it pays, time is cut into bins so that every window is a whole number of them.
struct LogWindows: Hashable, Sendable {
    let start: Int64
    let interval: Int64
    let count: Int
    let range: Int64
    /// Nil: rows are added to every window they lie in.
    let binWidth: Int64?
    /// Bins, or windows where there are no bins.
    let cells: Int

    init(start: Int64, interval: Int64, count: Int, range: Int64) {
        self.start = start
        self.interval = interval
        self.count = count
        self.range = range
        guard count > 1, interval > 0 else {
            binWidth = nil
            cells = count
            return
        }
        var (a, b) = (interval, range)
        while b != 0 { (a, b) = (b, a % b) }
        let bins = (Int64(count - 1) * interval + range) / a
        // Bins pay where windows overlap; else each row lies in one window anyway.
        if range > interval, bins <= Int64(max(4 * count, 1 << 16)) {
            binWidth = a
            cells = Int(bins)
        } else {
            binWidth = nil
            cells = count
        }
    }

    func end(_ window: Int) -> Int64 { start + Int64(window) * interval }

    /// All times that lie in some window.
    var times: ClosedRange<Int64> {
        let (first, overflow) = start.subtractingReportingOverflow(range - 1)
        let last = end(count - 1)
        return (overflow ? .min : min(first, last))...last
    }

    /// The cells a time belongs to; empty between windows.
    @inline(__always)
    func cells(of time: Int64) -> Range<Int> {
        if let binWidth {
            let bin = (time &- (start &- range) &- 1) / binWidth
            return Int(bin)..<Int(bin + 1)
        }
        guard interval > 0 else { return 0..<count }
        // The first window that ends at or after the time, and those that still reach back.
        let distance = time &- start
        let first = distance <= 0 ? 0 : Int((distance &+ interval &- 1) / interval)
        let reach = time &+ range &- start
        let last = reach <= 0 ? 0 : Int((reach &+ interval &- 1) / interval)
        return min(first, count)..<max(min(first, count), min(last, count))
    }

    /// The times of a cell that shares none with another; nil where cells overlap.
    func times(ofCell cell: Int) -> ClosedRange<Int64>? {
        if let binWidth {
            let before = start &- range &+ Int64(cell) &* binWidth
            return (before &+ 1)...(before &+ binWidth)
        }
        guard range <= interval || count == 1 else { return nil }
        let last = end(cell)
        return (last &- range &+ 1)...last
    }

    /// The cells that make up a window.
    func cells(ofWindow window: Int) -> Range<Int> {
        guard let binWidth else { return window..<(window + 1) }
        let first = Int(Int64(window) * interval / binWidth)
        return first..<(first + Int(range / binWidth))
    }
}
