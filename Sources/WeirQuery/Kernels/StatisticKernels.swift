internal import WeirColumns
internal import WeirCore

/// The smallest or largest; NaN only when there is nothing else.
package struct ExtremeKernel: WindowKernel {
    private static let block = 32
    private let isMax: Bool
    private var blocks: [Double] = []

    package init(isMax: Bool) { self.isMax = isMax }

    @inline(__always)
    package mutating func prepare(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        isOverlapping: Bool
    ) {
        guard isOverlapping, values.count > 4 * Self.block else { return }
        let count = values.count / Self.block
        blocks.reserveCapacity(count)
        for index in 0..<count {
            blocks.append(scan(values, (index * Self.block)..<((index + 1) * Self.block)))
        }
    }

    /// The worst value there is: what no sample can fail to beat, but for NaN and itself.
    @inline(__always)
    private var neutral: Double { isMax ? -.infinity : .infinity }

    @inline(__always)
    private func better(_ left: Double, _ right: Double) -> Double {
        if isMax { return right > left ? right : left }
        return right < left ? right : left
    }

    @inline(__always)
    private func scan(_ values: Span<Double>, _ range: Range<Int>) -> Double {
        precondition(range.lowerBound >= 0 && range.upperBound <= values.count)
        var first = neutral
        var second = neutral
        var index = range.lowerBound
        while index &+ 1 < range.upperBound {
            // SAFETY: `index + 1` is inside `range`, which was checked.
            first = better(first, unsafe values[unchecked: index])
            second = better(second, unsafe values[unchecked: index &+ 1])
            index &+= 2
        }
        if index < range.upperBound { first = better(first, values[index]) }
        return better(first, second)
    }

    @inline(__always)
    package func value(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        _ range: Range<Int>,
        _ window: Window
    ) -> Double {
        var best: Double
        let first = (range.lowerBound + Self.block - 1) / Self.block
        let last = range.upperBound / Self.block
        if !blocks.isEmpty, first < last {
            best = scan(values, range.lowerBound..<(first * Self.block))
            for part in blocks[first..<last] { best = better(best, part) }
            best = better(best, scan(values, (last * Self.block)..<range.upperBound))
        } else {
            best = scan(values, range)
        }
        if best == 0 {
            // Of zeros with different signs the first one counts.
            for index in range where values[index] == 0 { return values[index] }
        }
        if best == neutral {
            // All NaN, or the neutral value itself is among the samples.
            for index in range where !values[index].isNaN { return best }
            return .nan
        }
        return best
    }
}

/// What needs only the ends of the window or their number.
package struct EdgeKernel: WindowKernel {
    package enum Kind: Sendable {
        case count
        case present
        case first
        case last
        case firstTime
        case lastTime
        case minTime
        case maxTime
    }

    private let kind: Kind
    package init(_ kind: Kind) { self.kind = kind }

    @inline(__always)
    package func value(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        _ range: Range<Int>,
        _ window: Window
    ) -> Double {
        switch kind {
        case .count: return Double(range.count)
        case .present: return 1
        case .first: return values[range.lowerBound]
        case .last: return values[range.upperBound - 1]
        case .firstTime: return Double(times[range.lowerBound]) / 1000
        case .lastTime: return Double(times[range.upperBound - 1]) / 1000
        case .minTime, .maxTime:
            var best = range.lowerBound
            for index in range {
                let isBetter =
                    kind == .maxTime
                    ? values[index] >= values[best] : values[index] <= values[best]
                if isBetter || values[best].isNaN { best = index }
            }
            return Double(times[best]) / 1000
        }
    }
}

/// `stddev_over_time`, `stdvar_over_time`: Welford's method with compensated sums.
package struct DeviationKernel: WindowKernel {
    private let isSquared: Bool
    package init(isSquared: Bool) { self.isSquared = isSquared }

    @inline(__always)
    package func value(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        _ range: Range<Int>,
        _ window: Window
    ) -> Double {
        var count = 0.0
        var mean = CompensatedSum()
        var squares = CompensatedSum()
        for index in range {
            count += 1
            let delta = values[index] - (mean.sum + mean.compensation)
            mean.add(delta / count)
            squares.add(delta * (values[index] - (mean.sum + mean.compensation)))
        }
        let variance = (squares.sum + squares.compensation) / count
        return isSquared ? variance : variance.squareRoot()
    }
}

/// `quantile_over_time`, with one quantile per step, and `mad_over_time`.
package struct QuantileKernel: WindowKernel {
    private let phi: [Double]
    private let isMedianDeviation: Bool
    package var dependsOnStep: Bool { !isMedianDeviation }

    package init(phi: [Double]) {
        self.phi = phi
        self.isMedianDeviation = false
    }

    /// The median of the distances from the median.
    package init() {
        self.phi = []
        self.isMedianDeviation = true
    }

    package func value(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        _ range: Range<Int>,
        _ window: Window
    ) -> Double {
        var numbers: [Double] = []
        numbers.reserveCapacity(range.count)
        for index in range { numbers.append(values[index]) }
        guard isMedianDeviation else { return Quantile.of(&numbers, phi[window.step]) }
        let median = Quantile.of(&numbers, 0.5)
        for index in numbers.indices { numbers[index] = (numbers[index] - median).magnitude }
        return Quantile.of(&numbers, 0.5)
    }
}
