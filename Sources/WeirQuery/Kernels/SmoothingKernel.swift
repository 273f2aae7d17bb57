/// `double_exponential_smoothing`: Holt's linear method, with one pair of factors per step.
package struct SmoothingKernel: WindowKernel {
    private let smoothing: [Double]
    private let trend: [Double]
    package var dependsOnStep: Bool { true }

    /// Factors above 0 and below 1.
    package init(smoothing: [Double], trend: [Double]) {
        self.smoothing = smoothing
        self.trend = trend
    }

    package func value(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        _ range: Range<Int>,
        _ window: Window
    ) -> Double {
        guard range.count > 1 else { return .absent }
        let smoothing = smoothing[window.step]
        let trend = trend[window.step]
        let first = range.lowerBound
        var earlier = 0.0
        var level = values[first]
        var slope = values[first + 1] - values[first]
        for index in (first + 1)..<range.upperBound {
            let own = smoothing * values[index]
            if index > first + 1 { slope = trend * (level - earlier) + (1 - trend) * slope }
            let carried = (1 - smoothing) * (level + slope)
            (earlier, level) = (level, own + carried)
        }
        return level
    }
}
