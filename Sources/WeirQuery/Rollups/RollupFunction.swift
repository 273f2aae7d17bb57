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
    /// `windows` are those of the rows' times. `least` is how well each number must be known, but those of
    /// the steps that `alone` names, one by one: nothing else knows of them. It is empty when there are
    /// none.
    ///
    /// - Returns: False when one is not; what the row then has at other steps than those is of no use.
    package func apply(
        _ rows: RollupRows,
        _ windows: RollupWindows,
        atLeast least: Accuracy,
        alone: [Bool] = [],
        into row: inout MutableSpan<Double>
    ) -> Bool {
        precondition(row.count == function.slide.ends.count)
        precondition(alone.isEmpty || alone.count == row.count)
        var demand = Demand(least: least, alone: alone)
        switch function.function {
        case .sum_over_time, .avg_over_time: sums(rows, windows, &demand, &row)
        case .min_over_time: extremes(rows, windows, isMax: false, &demand, &row)
        case .max_over_time: extremes(rows, windows, isMax: true, &demand, &row)
        case .rate, .increase: increases(rows, windows, &demand, &row)
        default: fill(rows, windows, &row)
        }
        return demand.isMet
    }

    /// How well numbers must be known, and whether all were.
    private struct Demand {
        let least: Accuracy
        /// By step, whether nothing else knows of it; empty when there are none.
        let alone: [Bool]
        private(set) var isMet = true

        init(least: Accuracy, alone: [Bool]) {
            self.least = least
            self.alone = alone
        }

        /// Says that the number at a step is not known well enough.
        ///
        /// - Returns: Whether that leaves numbers that are of use.
        mutating func goesOn(after step: Int) -> Bool {
            if !alone.isEmpty, alone[step] { return true }
            isMet = false
            return !alone.isEmpty
        }
    }

    /// The functions whose numbers are always exact.
    private func fill(
        _ rows: RollupRows,
        _ windows: RollupWindows,
        _ row: inout MutableSpan<Double>
    ) {
        let (times, firsts, lasts) = (rows.times, rows.floats(.first), rows.floats(.last))
        let (counts, spans) = (rows.ints(.count), rows.ints(.span))
        let isResets = function.function == .resets
        let transitions = rows.ints(isResets ? .resets : .changes)
        for found in windows.all {
            let (range, first, last) = (
                found.rows, found.rows.lowerBound, found.rows.upperBound - 1
            )
            row[found.window.step] =
                switch function.function {
                case .count_over_time: Double(Self.sum(counts, range))
                case .first_over_time: firsts[first]
                case .last_over_time: lasts[last]
                case .ts_of_first_over_time: Double(times[first] - spans[first]) / 1000
                case .ts_of_last_over_time: Double(times[last]) / 1000
                case .changes, .resets:
                    Double(
                        Self.sum(transitions, range)
                            &+ Self.transitions(firsts, lasts, range, isResets: isResets)
                    )
                case .delta: delta(rows, found)
                default: 1
                }
        }
    }

    @inline(__always)
    private static func sum(_ column: [Int64], _ range: Range<Int>) -> Int64 {
        var total: Int64 = 0
        for row in range { total &+= column[row] }
        return total
    }

    /// The changes or resets from a row's last sample to the next one's first.
    private static func transitions(
        _ firsts: [Double],
        _ lasts: [Double],
        _ range: Range<Int>,
        isResets: Bool
    ) -> Int64 {
        var total: Int64 = 0
        for row in range.dropFirst() {
            let previous = lasts[row - 1]
            let value = firsts[row]
            let isTransition =
                isResets
                ? value < previous : value != previous && !(value.isNaN && previous.isNaN)
            if isTransition { total &+= 1 }
        }
        return total
    }

    /// `sum_over_time` and `avg_over_time`.
    private func sums(
        _ rows: RollupRows,
        _ windows: RollupWindows,
        _ demand: inout Demand,
        _ row: inout MutableSpan<Double>
    ) {
        let (sums, residues) = (rows.floats(.sum), rows.floats(.residue))
        let (counts, exactness) = (rows.ints(.count), rows.ints(.exactness))
        let isMean = function.function == .avg_over_time
        for found in windows.all {
            let range = found.rows
            var total = CompensatedSum()
            if range.count == 1 {
                total.sum = sums[range.lowerBound]
                total.compensation = residues[range.lowerBound]
            } else {
                for row in range {
                    total.add(sums[row])
                    total.compensation += residues[row]
                }
            }
            let isFinite = (total.sum + total.compensation).isFinite
            // `SumKernel` adds the same parts up in the same order.
            let isSame =
                (hasWindowsOfSums && Self.areWhole(exactness, range))
                || Self.areSumsExact(exactness, range)
            var accuracy = Accuracy.rounded
            if isMean {
                // The mean of finite samples may be finite all the same.
                if isSame || !isFinite { accuracy = isFinite ? .exact : .poor }
            } else if range.count == 1 || (isSame && isFinite) {
                accuracy = .exact
            }
            if accuracy < demand.least, !demand.goesOn(after: found.window.step) { return }
            if isMean, isFinite {
                let count = Double(Self.sum(counts, range))
                row[found.window.step] = total.sum / count + total.compensation / count
            } else {
                row[found.window.step] = total.value
            }
        }
    }

    @inline(__always)
    private static func areWhole(_ exactness: [Int64], _ range: Range<Int>) -> Bool {
        for row in range where exactness[row] & RollupColumn.Exactness.isWhole == 0 {
            return false
        }
        return true
    }

    /// Whether all samples are whole numbers so small that any sum of theirs is exact.
    private static func areSumsExact(_ exactness: [Int64], _ range: Range<Int>) -> Bool {
        var total: Int64 = 0
        for row in range {
            let size = exactness[row] & RollupColumn.Exactness.sizeMask
            guard size <= RollupColumn.Exactness.sizeMax else { return false }
            total &+= 1 << size
            guard total <= 1 << RollupColumn.Exactness.sizeMax else { return false }
        }
        return true
    }

    private func extremes(
        _ rows: RollupRows,
        _ windows: RollupWindows,
        isMax: Bool,
        _ demand: inout Demand,
        _ row: inout MutableSpan<Double>
    ) {
        let column = rows.floats(isMax ? .max : .min)
        let exactness = rows.ints(.exactness)
        for found in windows.all {
            var best = Double.nan
            for row in found.rows {
                let value = column[row]
                if best.isNaN || (isMax ? value > best : value < best) { best = value }
            }
            // Which of the two zeros comes out depends on the order of all samples.
            if best == 0, demand.least > .rounded, Self.haveNegativeZero(exactness, found.rows),
                !demand.goesOn(after: found.window.step)
            {
                return
            }
            row[found.window.step] = best.isNaN ? .nan : best
        }
    }

    private static func haveNegativeZero(_ exactness: [Int64], _ range: Range<Int>) -> Bool {
        for row in range where exactness[row] & RollupColumn.Exactness.hasNegativeZero != 0 {
            return true
        }
        return false
    }

    private func delta(_ rows: RollupRows, _ found: RollupWindows.Found) -> Double {
        let (firsts, lasts) = (rows.floats(.first), rows.floats(.last))
        let change = lasts[found.rows.upperBound - 1] - firsts[found.rows.lowerBound]
        return extrapolated(change, rows.times, rows.ints(.count), rows.ints(.span), firsts, found)
    }

    /// `rate` and `increase`.
    private func increases(
        _ rows: RollupRows,
        _ windows: RollupWindows,
        _ demand: inout Demand,
        _ row: inout MutableSpan<Double>
    ) {
        let (times, counts, spans) = (rows.times, rows.ints(.count), rows.ints(.span))
        let (firsts, lasts) = (rows.floats(.first), rows.floats(.last))
        let (resets, drops) = (rows.ints(.resets), rows.floats(.drops))
        // Rows are in several windows: most counters are reset in none of them.
        var mayReset = false
        for row in times.indices where resets[row] > 0 { mayReset = true }
        for row in times.indices.dropFirst() where firsts[row] < lasts[row - 1] { mayReset = true }
        for found in windows.all {
            let range = found.rows
            var change = lasts[range.upperBound - 1] - firsts[range.lowerBound]
            var isInOrder = true
            for row in mayReset ? range : range.prefix(0) {
                if row > range.lowerBound, firsts[row] < lasts[row - 1] {
                    change += lasts[row - 1]
                }
                let count = resets[row]
                if count > 0 { change += drops[row] }
                // More than one and they were added up by themselves.
                if count > 1 { isInOrder = false }
            }
            if !isInOrder, demand.least > .rounded, Self.sum(counts, range) > 1,
                !Self.areSumsExact(rows.ints(.exactness), range),
                !demand.goesOn(after: found.window.step)
            {
                return
            }
            row[found.window.step] = extrapolated(change, times, counts, spans, firsts, found)
        }
    }

    @inline(__always)
    private func extrapolated(
        _ change: Double,
        _ times: [Int64],
        _ counts: [Int64],
        _ spans: [Int64],
        _ firsts: [Double],
        _ found: RollupWindows.Found
    ) -> Double {
        let count = Self.sum(counts, found.rows)
        guard count > 1 else { return .absent }
        let (first, last) = (found.rows.lowerBound, found.rows.upperBound - 1)
        let firstTime = times[first] - spans[first]
        return extrapolation.extrapolated(
            change,
            from: firsts[first],
            times: firstTime...max(firstTime, times[last]),
            count: Int(count),
            found.window
        )
    }
}

extension RollupRows {
    /// A column of floats; empty when it was not asked for.
    @inline(__always)
    fileprivate func floats(_ column: RollupColumn) -> [Double] {
        columns[column.rawValue].floats
    }

    /// A column of integers; empty when it was not asked for.
    @inline(__always)
    fileprivate func ints(_ column: RollupColumn) -> [Int64] { columns[column.rawValue].ints }
}
