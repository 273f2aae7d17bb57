/// One range function ready to run over series: the choice of kernel is made once per series.
package struct RangeFunction: Sendable {
    package let function: PromQLFunction
    package let slide: WindowSlide
    /// The scalar argument, per step, of the functions that have one.
    package let parameter: [Double]
    /// The times of evaluation, without offset.
    package let times: StepGrid
    package let semantics: PromQLSemantics
    package let context: QueryContext

    package init(
        function: PromQLFunction,
        slide: WindowSlide,
        parameter: [Double],
        times: StepGrid,
        semantics: PromQLSemantics,
        context: QueryContext
    ) {
        self.function = function
        self.slide = slide
        self.parameter = parameter
        self.times = times
        self.semantics = semantics
        self.context = context
    }

    /// Fills `row` with the function's value at each step.
    ///
    /// Staleness markers are no samples.
    package func apply(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        into row: inout MutableSpan<Double>
    ) throws(QueryError) {
        guard Staleness.isPresent(in: values) else {
            try dispatch(times, values, into: &row)
            return
        }
        var freshTimes: [Int64] = []
        var freshValues: [Double] = []
        freshTimes.reserveCapacity(times.count)
        freshValues.reserveCapacity(times.count)
        for index in values.indices where !values[index].isAbsent {
            freshTimes.append(times[index])
            freshValues.append(values[index])
        }
        try dispatch(freshTimes.span, freshValues.span, into: &row)
    }

    private func dispatch(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        into row: inout MutableSpan<Double>
    ) throws(QueryError) {
        switch function {
        case .sum_over_time:
            try slide.run(SumKernel(isMean: false), times, values, into: &row, context: context)
        case .avg_over_time:
            try slide.run(SumKernel(isMean: true), times, values, into: &row, context: context)
        case .min_over_time:
            try slide.run(ExtremeKernel(isMax: false), times, values, into: &row, context: context)
        case .max_over_time:
            try slide.run(ExtremeKernel(isMax: true), times, values, into: &row, context: context)
        case .count_over_time:
            try slide.run(EdgeKernel(.count), times, values, into: &row, context: context)
        case .present_over_time, .absent_over_time:
            try slide.run(EdgeKernel(.present), times, values, into: &row, context: context)
        case .first_over_time:
            try slide.run(EdgeKernel(.first), times, values, into: &row, context: context)
        case .last_over_time:
            try slide.run(EdgeKernel(.last), times, values, into: &row, context: context)
        case .ts_of_first_over_time:
            try slide.run(EdgeKernel(.firstTime), times, values, into: &row, context: context)
        case .ts_of_last_over_time:
            try slide.run(EdgeKernel(.lastTime), times, values, into: &row, context: context)
        case .ts_of_min_over_time:
            try slide.run(EdgeKernel(.minTime), times, values, into: &row, context: context)
        case .ts_of_max_over_time:
            try slide.run(EdgeKernel(.maxTime), times, values, into: &row, context: context)
        case .stddev_over_time:
            try slide.run(
                DeviationKernel(isSquared: false),
                times,
                values,
                into: &row,
                context: context
            )
        case .stdvar_over_time:
            try slide.run(
                DeviationKernel(isSquared: true),
                times,
                values,
                into: &row,
                context: context
            )
        case .quantile_over_time:
            try slide.run(
                QuantileKernel(phi: parameter),
                times,
                values,
                into: &row,
                context: context
            )
        case .mad_over_time:
            try slide.run(QuantileKernel(), times, values, into: &row, context: context)
        case .rate, .increase, .delta:
            let kernel = ExtrapolationKernel(
                isCounter: function != .delta,
                isRate: function == .rate,
                rangeMilliseconds: slide.rangeMilliseconds,
                semantics: semantics
            )
            try slide.run(kernel, times, values, into: &row, context: context)
        case .irate:
            try slide.run(LastPairKernel(isRate: true), times, values, into: &row, context: context)
        case .idelta:
            try slide.run(
                LastPairKernel(isRate: false),
                times,
                values,
                into: &row,
                context: context
            )
        case .changes:
            try slide.run(
                TransitionKernel(isResets: false),
                times,
                values,
                into: &row,
                context: context
            )
        case .resets:
            try slide.run(
                TransitionKernel(isResets: true),
                times,
                values,
                into: &row,
                context: context
            )
        case .deriv: try slide.run(RegressionKernel(), times, values, into: &row, context: context)
        case .predict_linear:
            let kernel = RegressionKernel(times: self.times, seconds: parameter)
            try slide.run(kernel, times, values, into: &row, context: context)
        default: preconditionFailure("\(function.rawValue) is no range function")
        }
    }
}

/// Staleness markers: samples that say a series ended.
package enum Staleness {
    /// Whether any of `values` is a marker.
    ///
    /// One pass, a few values at a time.
    @inline(__always)
    package static func isPresent(in values: Span<Double>) -> Bool {
        var found: UInt64 = 0
        for index in 0..<values.count {
            // SAFETY: `index` is below `values.count`.
            let bits = (unsafe values[unchecked: index]).bitPattern
            found |= bits == Double.absent.bitPattern ? 1 : 0
        }
        return found != 0
    }
}
