internal import WeirColumns

/// `rate`, `increase` and `delta`: the change over the window, extrapolated to its edges.
package struct ExtrapolationKernel: WindowKernel {
    private let isCounter: Bool
    private let isRate: Bool
    private let rangeSeconds: Double
    private let semantics: PromQLSemantics
    /// The indices at which the counter fell, over the whole series; few or none.
    private var resets: [Int] = []

    package init(
        isCounter: Bool,
        isRate: Bool,
        rangeMilliseconds: Int64,
        semantics: PromQLSemantics
    ) {
        self.isCounter = isCounter
        self.isRate = isRate
        self.rangeSeconds = Double(rangeMilliseconds) / 1000
        self.semantics = semantics
    }

    @inline(__always)
    package mutating func prepare(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        isOverlapping: Bool
    ) {
        guard isCounter, values.count > 1 else { return }
        var previous = values[0]
        for index in 1..<values.count {
            // SAFETY: `index` is below `values.count`.
            let value = unsafe values[unchecked: index]
            if value < previous { resets.append(index) }
            previous = value
        }
    }

    /// The first of `resets` that is later than `index`.
    @inline(__always)
    private func firstReset(after index: Int) -> Int {
        var low = 0
        var high = resets.count
        while low < high {
            let middle = (low + high) / 2
            if resets[middle] <= index { low = middle + 1 } else { high = middle }
        }
        return low
    }

    @inline(__always)
    package func value(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        _ range: Range<Int>,
        _ window: Window
    ) -> Double {
        guard range.count > 1 else { return .absent }
        let first = range.lowerBound
        let last = range.upperBound - 1
        var change = values[last] - values[first]
        if !resets.isEmpty {
            var next = firstReset(after: first)
            while next < resets.count, resets[next] <= last {
                change += values[resets[next] - 1]
                next += 1
            }
        }
        return extrapolated(
            change,
            from: values[first],
            times: times[first]...max(times[first], times[last]),
            count: range.count,
            window
        )
    }

    /// The change from the first to the last of `count` samples, at least two, carried on to the edges
    /// of the window; `times` are those of the first and the last sample, milliseconds.
    @inline(__always)
    package func extrapolated(
        _ change: Double,
        from first: Double,
        times: ClosedRange<Int64>,
        count: Int,
        _ window: Window
    ) -> Double {
        var toStart = Double(times.lowerBound - window.start) / 1000
        var toEnd = Double(window.end - times.upperBound) / 1000
        let sampled = Double(times.upperBound - times.lowerBound) / 1000
        let average = sampled / Double(count - 1)
        let threshold = average * 1.1
        // A counter cannot have been below zero: extrapolate no further back than there.
        var toZero = Double.infinity
        if isCounter, change > 0, first >= 0 {
            toZero = sampled * (first / change)
        }
        if semantics.cutsAtZeroFirst { toStart = min(toStart, toZero) }
        if toStart >= threshold { toStart = average / 2 }
        if !semantics.cutsAtZeroFirst { toStart = min(toStart, toZero) }
        if toEnd >= threshold { toEnd = average / 2 }
        var factor = (sampled + toStart + toEnd) / sampled
        if isRate { factor /= rangeSeconds }
        return change * factor
    }
}

/// `irate` and `idelta`: from the last two samples.
package struct LastPairKernel: WindowKernel {
    private let isRate: Bool
    package init(isRate: Bool) { self.isRate = isRate }

    @inline(__always)
    package func value(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        _ range: Range<Int>,
        _ window: Window
    ) -> Double {
        guard range.count > 1 else { return .absent }
        let last = range.upperBound - 1
        let change = values[last] - values[last - 1]
        guard isRate else { return change }
        let milliseconds = times[last] - times[last - 1]
        guard milliseconds > 0 else { return .absent }
        // After a reset the counter started from zero.
        let increase = values[last] < values[last - 1] ? values[last] : change
        return increase / (Double(milliseconds) / 1000)
    }
}

/// `changes` and `resets`, from running counts over the whole series.
package struct TransitionKernel: WindowKernel {
    private let isResets: Bool
    /// How many transitions there are up to and with each index.
    private var counts: [Int32] = []

    package init(isResets: Bool) { self.isResets = isResets }

    @inline(__always)
    package mutating func prepare(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        isOverlapping: Bool
    ) {
        guard !values.isEmpty else { return }
        counts.reserveCapacity(values.count)
        counts.append(0)
        var running: Int32 = 0
        for index in 1..<max(1, values.count) {
            let previous = values[index - 1]
            let value = values[index]
            let isTransition =
                isResets
                ? value < previous : value != previous && !(value.isNaN && previous.isNaN)
            if isTransition { running &+= 1 }
            counts.append(running)
        }
    }

    @inline(__always)
    package func value(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        _ range: Range<Int>,
        _ window: Window
    ) -> Double {
        Double(counts[range.upperBound - 1] - counts[range.lowerBound])
    }
}

/// `deriv` and `predict_linear`: simple linear regression.
package struct RegressionKernel: WindowKernel {
    /// Evaluation times and seconds ahead, per step; nil for the slope.
    private let prediction: (times: StepGrid, seconds: [Double])?
    package var dependsOnStep: Bool { prediction != nil }

    package init() { prediction = nil }
    package init(times: StepGrid, seconds: [Double]) { prediction = (times, seconds) }

    package func value(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        _ range: Range<Int>,
        _ window: Window
    ) -> Double {
        guard range.count > 1 else { return .absent }
        let origin = prediction?.times.time(window.step) ?? times[range.lowerBound]
        let initial = values[range.lowerBound]
        var isConstant = true
        var sumX = CompensatedSum()
        var sumY = CompensatedSum()
        var sumXY = CompensatedSum()
        var sumXX = CompensatedSum()
        for index in range {
            if values[index] != initial { isConstant = false }
            let x = Double(times[index] - origin) / 1000
            sumX.add(x)
            sumY.add(values[index])
            sumXY.add(x * values[index])
            sumXX.add(x * x)
        }
        var slope = 0.0
        var intercept = initial
        if isConstant {
            if initial.isInfinite { return .nan }
        } else {
            let count = Double(range.count)
            let x = sumX.sum + sumX.compensation
            let y = sumY.sum + sumY.compensation
            let covariance = (sumXY.sum + sumXY.compensation) - x * y / count
            let variance = (sumXX.sum + sumXX.compensation) - x * x / count
            slope = covariance / variance
            intercept = y / count - slope * x / count
        }
        guard let prediction else { return slope }
        return slope * prediction.seconds[window.step] + intercept
    }
}
