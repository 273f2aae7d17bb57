internal import Synchronization
internal import WeirColumns

/// The running totals of groups of series, one number per group and step, for the aggregations
/// that need to see each series only once.
///
/// Rows may be added from several threads; which comes first may change the last bit of a sum.
package final class GroupAccumulator: Sendable {
    private let operation: AggregationOperator
    /// Absent where a group has no value yet; after `finish` the answer.
    package let result: GridBuffer
    private let compensation: GridBuffer?
    private let counts: GridBuffer?
    private let lock = Mutex(())

    package static func takes(_ operation: AggregationOperator) -> Bool {
        switch operation {
        case .sum, .avg, .min, .max, .count, .group: true
        default: false
        }
    }

    package init(
        _ operation: AggregationOperator,
        groups: Int,
        steps: Int,
        context: QueryContext
    ) throws(QueryError) {
        precondition(Self.takes(operation))
        self.operation = operation
        func buffer(_ initial: Double) throws(QueryError) -> GridBuffer {
            try GridBuffer(rows: groups, steps: steps, initial: initial, context: context)
        }
        let isSum = operation == .sum || operation == .avg
        result = try buffer(.absent)
        compensation = isSum ? try buffer(0) : nil
        counts = operation == .avg ? try buffer(0) : nil
    }

    /// Adds one series' row to a group.
    package func add(_ row: Span<Double>, to group: Int) {
        precondition(row.count == result.steps)
        lock.withLock { _ in
            switch operation {
            case .sum, .avg: addTerms(row, group)
            case .min:
                fold(row, group) { held, value in
                    value < held || held.isNaN ? value : held
                }
            case .max:
                fold(row, group) { held, value in
                    value > held || held.isNaN ? value : held
                }
            case .count:
                for step in row.indices where !row[step].isAbsent {
                    let held = result[group, step]
                    result[group, step] = held.isAbsent ? 1 : held + 1
                }
            default:
                for step in row.indices where !row[step].isAbsent { result[group, step] = 1 }
            }
        }
    }

    @inline(__always)
    private func fold(
        _ row: Span<Double>,
        _ group: Int,
        _ combine: (_ held: Double, _ value: Double) -> Double
    ) {
        for step in row.indices where !row[step].isAbsent {
            let held = result[group, step]
            result[group, step] = held.isAbsent ? row[step] : combine(held, row[step])
        }
    }

    private func addTerms(_ row: Span<Double>, _ group: Int) {
        guard let compensation else { return }
        if let counts {
            counts.withRow(group) { counts in
                for step in row.indices where !row[step].isAbsent { counts[step] += 1 }
            }
        }
        result.withRow(group) { sums in
            compensation.withRow(group) { lost in
                for step in row.indices where !row[step].isAbsent {
                    if sums[step].isAbsent {
                        sums[step] = row[step]
                        continue
                    }
                    var sum = CompensatedSum(sum: sums[step], compensation: lost[step])
                    sum.add(row[step])
                    sums[step] = sum.sum
                    lost[step] = sum.compensation
                }
            }
        }
    }

    /// Turns totals into answers, once, after the last row.
    ///
    /// - Returns: The groups and steps whose mean is not known this way, because the sum is not
    ///   finite.
    package func finish() -> [(group: Int, step: Int)] {
        guard let compensation else { return [] }
        var open: [(group: Int, step: Int)] = []
        for group in 0..<result.rows {
            for step in 0..<result.steps where !result[group, step].isAbsent {
                let total = result[group, step]
                guard let counts else {
                    result[group, step] = total + compensation[group, step]
                    continue
                }
                if total.isFinite {
                    let count = counts[group, step]
                    result[group, step] = total / count + compensation[group, step] / count
                } else {
                    open.append((group, step))
                }
            }
        }
        return open
    }
}
