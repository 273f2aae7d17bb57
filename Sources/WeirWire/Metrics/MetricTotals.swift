internal import WeirCore

/// Makes running totals of points that say only what was added: delta into cumulative, per series.
///
/// Bounded: past `seriesMax` those that were quiet longest begin anew, which readers see as the
/// reset of a counter. Nothing is kept on disk: after a restart totals begin anew too.
package struct MetricTotals: Sendable {
    fileprivate struct Total: Sendable {
        var shape: MetricPoint.Shape
        var start: Int64
        var time: Int64
        /// Told apart from what was undone meanwhile.
        var version: UInt64
    }

    /// What a call of `accumulate` changed, to take back if it is not stored.
    package struct Undo: Sendable {
        fileprivate var before: [Labels: Total?] = [:]
        fileprivate var version: UInt64
    }

    private let seriesMax: Int
    private var totals: [Labels: Total] = [:]
    private var version: UInt64 = 0

    package init(seriesMax: Int = 100_000) { self.seriesMax = seriesMax }

    package var count: Int { totals.count }

    /// Replaces the delta points among `points` by their series' totals.
    ///
    /// A new series is preceded by a zero just after its start, so that its first points count: at the
    /// start itself may stand the last total from before a restart. A point that
    /// has been seen (same start, same time) adds nothing; one that comes late is added to the total
    /// at the latest time.
    package mutating func accumulate(_ points: inout [MetricPoint]) -> Undo {
        version += 1
        var undo = Undo(version: version)
        guard points.contains(where: \.isDelta) else { return undo }
        var output: [MetricPoint] = []
        output.reserveCapacity(points.count)
        for point in points {
            guard point.isDelta, !point.isStale else {
                output.append(point)
                continue
            }
            let key = Labels(point.labels + [(Labels.metricNameLabel, point.name)])
            var point = point
            let known = totals[key]
            if undo.before[key] == nil { undo.before[key] = .some(known) }
            if let known {
                let isSeen = point.time == known.time && point.start == known.start
                point.shape =
                    isSeen ? known.shape : Self.sum(known.shape, point.shape) ?? point.shape
                point.time = max(point.time, known.time)
                if isSeen { point.start = known.start }
            } else if point.start > 0, point.start < point.time - 1 {
                var zero = point
                zero.time = point.start + 1
                zero.shape = Self.zero(point.shape)
                zero.exemplars = []
                output.append(zero)
            }
            totals[key] = Total(
                shape: point.shape,
                start: point.start,
                time: point.time,
                version: version
            )
            output.append(point)
        }
        points = output
        if totals.count > seriesMax { forget() }
        return undo
    }

    /// Takes back what `accumulate` did, where nothing was added since.
    package mutating func restore(_ undo: Undo) {
        for (key, before) in undo.before where totals[key]?.version == undo.version {
            totals[key] = before
        }
    }

    private mutating func forget() {
        let times = totals.values.map(\.version).sorted()
        let limit = times[times.count - seriesMax * 9 / 10]
        totals = totals.filter { $0.value.version >= limit }
    }

    private static func zero(_ shape: MetricPoint.Shape) -> MetricPoint.Shape {
        switch shape {
        case .number: return .number(0)
        case .histogram(var histogram):
            histogram.count = 0
            histogram.sum = histogram.sum.map { _ in 0 }
            histogram.buckets = histogram.buckets.map { _ in 0 }
            return .histogram(histogram)
        case .exponential(var histogram):
            histogram.count = 0
            histogram.sum = histogram.sum.map { _ in 0 }
            histogram.zeroCount = 0
            histogram.positive = histogram.positive.mapValues { _ in 0 }
            histogram.negative = histogram.negative.mapValues { _ in 0 }
            return .exponential(histogram)
        case .summary: return shape
        }
    }

    /// Nil when the two cannot be added: bounds have changed, and the series begins anew.
    private static func sum(
        _ left: MetricPoint.Shape,
        _ right: MetricPoint.Shape
    ) -> MetricPoint.Shape? {
        func add(_ left: Double?, _ right: Double?) -> Double? {
            guard let left, let right else { return nil }
            return left + right
        }
        switch (left, right) {
        case (.number(let left), .number(let right)): return .number(left + right)
        case (.histogram(let left), .histogram(let right)):
            guard left.bounds == right.bounds, left.buckets.count == right.buckets.count else {
                return nil
            }
            var sum = left
            sum.count &+= right.count
            sum.sum = add(left.sum, right.sum)
            for index in sum.buckets.indices { sum.buckets[index] &+= right.buckets[index] }
            return .histogram(sum)
        case (.exponential(let left), .exponential(let right)):
            let scale = min(left.scale, right.scale, ExponentialHistogram.scaleMax)
            var sum = left.coarsened(to: scale)
            let other = right.coarsened(to: scale)
            sum.count &+= other.count
            sum.sum = add(left.sum, right.sum)
            sum.zeroCount &+= other.zeroCount
            sum.zeroThreshold = max(left.zeroThreshold, right.zeroThreshold)
            sum.positive.merge(other.positive) { $0 &+ $1 }
            sum.negative.merge(other.negative) { $0 &+ $1 }
            return .exponential(sum.bounded)
        default: return nil
        }
    }
}
