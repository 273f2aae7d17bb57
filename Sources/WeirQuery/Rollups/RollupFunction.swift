internal import WeirColumns
package import WeirCore

/// A range function over rows of rollups.
///
/// Windows whose ends are whole multiples of a rollup's resolution hold whole rows.
package struct RollupFunction: Sendable {
    /// How well a number is known.
    package enum Accuracy: Int, Comparable, Sendable {
        /// It may be another one.
        case poor
        /// It is another sum of the same terms, or the other zero.
        case rounded
        /// It is the one that the samples give, to the last bit.
        case exact

        package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// The same over samples.
    package let function: RangeFunction
    private let extrapolation: ExtrapolationKernel
    /// Whether rows are of the windows that sums of samples are made of.
    private let hasWindowsOfSums: Bool

    /// `isRolledUp`: Whether rows are of the windows of rollups that `function`'s are made of; else of
    /// single milliseconds, where there are samples.
    ///
    /// - Returns: Nil when the function asks more of samples than rollups keep.
    package init?(_ function: RangeFunction, isRolledUp: Bool) {
        guard !Self.columns(of: function.function).isEmpty else { return nil }
        self.function = function
        hasWindowsOfSums = isRolledUp
        extrapolation = ExtrapolationKernel(
            isCounter: function.function != .delta,
            isRate: function.function == .rate,
            rangeMilliseconds: function.slide.rangeMilliseconds,
            semantics: function.semantics
        )
    }

    /// The columns that the function looks at.
    package var columns: Set<Int> { Set(Self.columns(of: function.function).map(\.rawValue)) }

    private static func columns(of function: PromQLFunction) -> [RollupColumn] {
        switch function {
        case .count_over_time, .present_over_time, .absent_over_time, .ts_of_last_over_time:
            [.count]
        case .sum_over_time, .avg_over_time: [.count, .sum, .residue, .exactness]
        case .min_over_time: [.min, .exactness]
        case .max_over_time: [.max, .exactness]
        case .first_over_time: [.first]
        case .last_over_time: [.last]
        case .ts_of_first_over_time: [.span]
        case .delta: [.count, .span, .first, .last]
        case .rate, .increase: [.count, .span, .first, .last, .drops, .resets, .exactness]
        case .changes: [.first, .last, .changes]
        case .resets: [.first, .last, .resets]
        default: []
        }
    }

    /// Fills `row` with the function's value at each step; steps without rows are left alone.
    ///
    /// `least` is how well each number must be known, but those of the steps that `alone` names, one by
    /// one: nothing else knows of them. It is empty when there are none.
    ///
    /// - Returns: False when one is not; what the row then has at other steps than those is of no use.
    package func apply(
        _ rows: RollupRows,
        atLeast least: Accuracy,
        alone: [Bool] = [],
        into row: inout MutableSpan<Double>
    ) throws(QueryError) -> Bool {
        let slide = function.slide
        precondition(row.count == slide.ends.count && (alone.isEmpty || alone.count == row.count))
        var isKnown = true
        let view = RollupView(rows)
        let rowTimes = view.times
        let times = rowTimes.span
        var lower = 0
        var upper = 0
        var width = 0
        for step in 0..<slide.ends.count {
            let end = slide.ends.time(step)
            let start = end - slide.rangeMilliseconds
            lower = WindowSlide.firstIndex(times, after: start, from: lower, 0)
            upper = WindowSlide.firstIndex(
                times,
                after: end,
                from: max(lower, upper),
                lower + width
            )
            guard upper > lower else { continue }
            width = upper - lower
            let (value, accuracy) = value(
                view,
                lower..<upper,
                Window(start: start, end: end, step: step)
            )
            if accuracy < least, alone.isEmpty || !alone[step] {
                guard !alone.isEmpty else { return false }
                isKnown = false
            }
            row[step] = value
        }
        return isKnown
    }

    private func value(
        _ rows: RollupView,
        _ range: Range<Int>,
        _ window: Window
    ) -> (Double, Accuracy) {
        let (first, last) = (range.lowerBound, range.upperBound - 1)
        return switch function.function {
        case .count_over_time: (Double(rows.count(range)), .exact)
        case .sum_over_time, .avg_over_time: sum(rows, range)
        case .min_over_time: extreme(rows, isMax: false, range)
        case .max_over_time: extreme(rows, isMax: true, range)
        case .first_over_time: (rows.firsts[first], .exact)
        case .last_over_time: (rows.lasts[last], .exact)
        case .ts_of_first_over_time:
            (Double(rows.times[first] - rows.spans[first]) / 1000, .exact)
        case .ts_of_last_over_time: (Double(rows.times[last]) / 1000, .exact)
        case .rate, .increase, .delta: change(rows, range, window)
        case .changes, .resets: (transitions(rows, range), .exact)
        default: (1, .exact)
        }
    }

    /// `sum_over_time` and `avg_over_time`.
    private func sum(_ rows: RollupView, _ range: Range<Int>) -> (Double, Accuracy) {
        var total = CompensatedSum()
        if range.count == 1 {
            total.sum = rows.sums[range.lowerBound]
            total.compensation = rows.residues[range.lowerBound]
        } else {
            for row in range {
                total.add(rows.sums[row])
                total.compensation += rows.residues[row]
            }
        }
        // `SumKernel` adds the same parts up in the same order.
        let isSame =
            (hasWindowsOfSums && rows.areWhole(range)) || rows.areSumsExact(range)
        let isFinite = (total.sum + total.compensation).isFinite
        guard function.function == .avg_over_time else {
            let isOne = range.count == 1
            return (total.value, isOne || (isSame && isFinite) ? .exact : .rounded)
        }
        // The mean of finite samples may be finite all the same.
        guard isFinite else { return (total.value, .poor) }
        let count = Double(rows.count(range))
        return (
            total.sum / count + total.compensation / count,
            isSame ? .exact : .rounded
        )
    }

    private func extreme(
        _ rows: RollupView,
        isMax: Bool,
        _ range: Range<Int>
    ) -> (Double, Accuracy) {
        let column = isMax ? rows.maxima : rows.minima
        var best = Double.nan
        for row in range {
            let value = column[row]
            if best.isNaN || (isMax ? value > best : value < best) { best = value }
        }
        // Which of the two zeros comes out depends on the order of all samples.
        let isZeroKnown = best != 0 || !rows.haveNegativeZero(range)
        return (best.isNaN ? .nan : best, isZeroKnown ? .exact : .rounded)
    }

    /// `rate`, `increase` and `delta`.
    private func change(
        _ rows: RollupView,
        _ range: Range<Int>,
        _ window: Window
    ) -> (Double, Accuracy) {
        let (first, last) = (range.lowerBound, range.upperBound - 1)
        let count = rows.count(range)
        guard count > 1 else { return (.absent, .exact) }
        var change = rows.lasts[last] - rows.firsts[first]
        var isInOrder = true
        if function.function != .delta {
            for row in range {
                if row > first, rows.firsts[row] < rows.lasts[row - 1] {
                    change += rows.lasts[row - 1]
                }
                let resets = rows.resets[row]
                if resets > 0 { change += rows.drops[row] }
                // More than one and they were added up by themselves.
                if resets > 1 { isInOrder = false }
            }
        }
        let firstTime = rows.times[first] - rows.spans[first]
        let value = extrapolation.extrapolated(
            change,
            from: rows.firsts[first],
            times: firstTime...max(firstTime, rows.times[last]),
            count: Int(count),
            window
        )
        return (value, isInOrder || rows.areSumsExact(range) ? .exact : .rounded)
    }

    /// `changes` and `resets`.
    private func transitions(_ rows: RollupView, _ range: Range<Int>) -> Double {
        let isResets = function.function == .resets
        let column = isResets ? rows.resets : rows.changes
        var total: Int64 = 0
        for row in range { total &+= column[row] }
        for row in range.dropFirst() {
            let previous = rows.lasts[row - 1]
            let value = rows.firsts[row]
            let isTransition =
                isResets
                ? value < previous : value != previous && !(value.isNaN && previous.isNaN)
            if isTransition { total &+= 1 }
        }
        return Double(total)
    }
}

/// The columns of a series' rows, each in an array of its own.
private struct RollupView {
    let times: [Int64]
    let counts: [Int64]
    let spans: [Int64]
    let sums: [Double]
    let residues: [Double]
    let minima: [Double]
    let maxima: [Double]
    let firsts: [Double]
    let lasts: [Double]
    let drops: [Double]
    let resets: [Int64]
    let changes: [Int64]
    let exactness: [Int64]

    init(_ rows: RollupRows) {
        func ints(_ column: RollupColumn) -> [Int64] { rows.columns[column.rawValue].ints }
        func floats(_ column: RollupColumn) -> [Double] { rows.columns[column.rawValue].floats }
        times = rows.times
        counts = ints(.count)
        spans = ints(.span)
        sums = floats(.sum)
        residues = floats(.residue)
        minima = floats(.min)
        maxima = floats(.max)
        firsts = floats(.first)
        lasts = floats(.last)
        drops = floats(.drops)
        resets = ints(.resets)
        changes = ints(.changes)
        exactness = ints(.exactness)
    }

    func count(_ range: Range<Int>) -> Int64 {
        var total: Int64 = 0
        for row in range { total &+= counts[row] }
        return total
    }

    func haveNegativeZero(_ range: Range<Int>) -> Bool {
        range.contains { exactness[$0] & RollupColumn.Exactness.hasNegativeZero != 0 }
    }

    func areWhole(_ range: Range<Int>) -> Bool {
        range.allSatisfy { exactness[$0] & RollupColumn.Exactness.isWhole != 0 }
    }

    /// Whether all samples are whole numbers so small that any sum of theirs is exact.
    func areSumsExact(_ range: Range<Int>) -> Bool {
        var total: Int64 = 0
        for row in range {
            let size = exactness[row] & RollupColumn.Exactness.sizeMask
            guard size <= RollupColumn.Exactness.sizeMax else { return false }
            total &+= 1 << size
            guard total <= 1 << RollupColumn.Exactness.sizeMax else { return false }
        }
        return true
    }
}
