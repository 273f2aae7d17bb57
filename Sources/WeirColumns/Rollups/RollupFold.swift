package import WeirCore

/// Sums the samples of a series up, window by window.
///
/// Layout: docs/format/rollups.md, version 1.
package struct RollupFold: Sendable {
    private let windowMilliseconds: Int64
    private let keepsResidue: Bool
    /// Samples without staleness markers, where there are any.
    private var freshTimes: [Int64] = []
    private var freshValues: [Double] = []

    /// - Parameters:
    ///   - windowMilliseconds: How long a window is, at least 1.
    ///   - keepsResidue: Whether sums are kept in two parts.
    package init(windowMilliseconds: Int64, keepsResidue: Bool) {
        precondition(windowMilliseconds > 0)
        self.windowMilliseconds = windowMilliseconds
        self.keepsResidue = keepsResidue
    }

    package init(_ resolution: RollupResolution) {
        self.init(
            windowMilliseconds: resolution.milliseconds,
            keepsResidue: resolution.keepsResidue
        )
    }

    /// Appends one row per window to `rowTimes` and `columns`, which are those of
    /// `StreamSchema.rollups`.
    ///
    /// `times` are nanoseconds, ascending; a row's is its last sample's. There are as many `values`.
    package mutating func append(
        _ times: [Int64],
        _ values: [Double],
        to rowTimes: inout [Int64],
        _ columns: inout [ColumnValues]
    ) {
        precondition(times.count == values.count)
        precondition(columns.count == RollupColumn.allCases.count)
        let marker = Double.staleMarker.bitPattern
        guard values.contains(where: { $0.bitPattern == marker }) else {
            fold(times.span, values.span, to: &rowTimes, &columns)
            return
        }
        freshTimes.removeAll(keepingCapacity: true)
        freshValues.removeAll(keepingCapacity: true)
        for index in values.indices where values[index].bitPattern != marker {
            freshTimes.append(times[index])
            freshValues.append(values[index])
        }
        let (times, values) = (freshTimes, freshValues)
        fold(times.span, values.span, to: &rowTimes, &columns)
    }

    private func fold(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        to rowTimes: inout [Int64],
        _ columns: inout [ColumnValues]
    ) {
        var start = 0
        while start < times.count {
            let last = lastTime(ofWindowWith: times[start])
            var end = start + 1
            while end < times.count, times[end] <= last { end += 1 }
            rowTimes.append(times[end - 1])
            append(start..<end, of: times, values, to: &columns)
            start = end
        }
    }

    private static let nanosecondsPerDay: Int64 = 86_400_000_000_000

    /// The last nanosecond of the window that holds `time`, or of its day.
    private func lastTime(ofWindowWith time: Int64) -> Int64 {
        let milliseconds = Self.milliseconds(time)
        let rest = milliseconds % windowMilliseconds
        let end = milliseconds - rest + (rest > 0 ? windowMilliseconds : 0)
        let (next, overflow) = (end + 1).multipliedReportingOverflow(by: 1_000_000)
        let inDay = time % Self.nanosecondsPerDay
        let left = Self.nanosecondsPerDay - 1 - (inDay < 0 ? inDay + Self.nanosecondsPerDay : inDay)
        let (dayEnd, isLast) = time.addingReportingOverflow(left)
        return min(overflow ? .max : next - 1, isLast ? .max : dayEnd)
    }

    /// Whole milliseconds, rounded down.
    @inlinable @inline(__always)
    package static func milliseconds(_ nanoseconds: Int64) -> Int64 {
        nanoseconds / 1_000_000 - (nanoseconds % 1_000_000 < 0 ? 1 : 0)
    }

    private func append(
        _ range: Range<Int>,
        of times: Span<Int64>,
        _ values: Span<Double>,
        to columns: inout [ColumnValues]
    ) {
        let first = range.lowerBound
        let last = range.upperBound - 1
        let tally = RollupTally(values, range)
        let sum = CompensatedSum.of(values, range)
        func put(_ column: RollupColumn, _ value: Int64) {
            columns[column.rawValue].ints.append(value)
        }
        func put(_ column: RollupColumn, _ value: Double) {
            columns[column.rawValue].floats.append(value)
        }
        put(.count, Int64(range.count))
        put(.span, Self.milliseconds(times[last]) - Self.milliseconds(times[first]))
        put(.sum, keepsResidue ? sum.sum : sum.value)
        put(.residue, keepsResidue ? sum.compensation : 0)
        put(.min, tally.min)
        put(.max, tally.max)
        put(.first, values[first])
        put(.last, values[last])
        put(.drops, tally.drops)
        put(.resets, tally.resets)
        put(.changes, tally.changes)
        let isWhole = keepsResidue ? RollupColumn.Exactness.isWhole : 0
        put(.exactness, tally.exactness | isWhole)
    }
}

/// What one pass over the samples of a window finds.
private struct RollupTally {
    var min = Double.infinity
    var max = -Double.infinity
    var drops = 0.0
    var resets: Int64 = 0
    var changes: Int64 = 0
    /// Without the bit of a whole sum.
    var exactness: Int64 = 0

    init(_ values: Span<Double>, _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= values.count)
        var magnitude = 0.0
        var isInteger = true
        var previous = values[range.lowerBound]
        for index in range {
            // SAFETY: `index` is inside `range`, which was checked.
            let value = unsafe values[unchecked: index]
            if value < min { min = value }
            if value > max { max = value }
            magnitude += value.magnitude
            if value != value.rounded(.towardZero) { isInteger = false }
            if value == 0, value.sign == .minus {
                exactness |= RollupColumn.Exactness.hasNegativeZero
            }
            if value < previous {
                resets += 1
                drops += previous
            }
            if value != previous, !(value.isNaN && previous.isNaN) { changes += 1 }
            previous = value
        }
        // Infinities are beaten by nothing, and nor is NaN, which is no extreme unless alone.
        if min == .infinity || max == -.infinity {
            let isAllNaN = !range.contains { !values[$0].isNaN }
            if isAllNaN { (min, max) = (.nan, .nan) }
        }
        exactness |= Self.size(magnitude, isInteger: isInteger)
    }

    /// The least `n` with `magnitude < 2^n`, or the mark of sums that are rounded.
    private static func size(_ magnitude: Double, isInteger: Bool) -> Int64 {
        guard isInteger, magnitude < 0x1p53 else { return RollupColumn.Exactness.sizeMask }
        return magnitude < 1 ? 0 : Int64(magnitude.exponent) + 1
    }
}
