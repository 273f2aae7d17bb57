package import WeirCore

/// One range function ready to run over series: the choice of kernel is made once per series.
package struct RangeFunction: Sendable {
    package let function: PromQLFunction
    package let slide: WindowSlide
    /// The scalar argument, per step, of the functions that have one.
    package let parameter: [Double]
    /// The one after it, of `double_exponential_smoothing`.
    package let secondParameter: [Double]
    /// The times of evaluation, without offset.
    package let times: StepGrid
    package let semantics: PromQLSemantics
    package let context: QueryContext
    /// The windows of rollups that sums are made of, where windows are made of such.
    private let pieceMilliseconds: Int64?

    package init(
        function: PromQLFunction,
        slide: WindowSlide,
        parameter: [Double],
        secondParameter: [Double] = [],
        times: StepGrid,
        semantics: PromQLSemantics,
        context: QueryContext
    ) {
        self.function = function
        self.slide = slide
        self.parameter = parameter
        self.secondParameter = secondParameter
        self.times = times
        self.semantics = semantics
        self.context = context
        pieceMilliseconds = slide.resolutions.first?.milliseconds
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

    /// Refuses factors of smoothing that are not between 0 and 1, where there is something to smooth.
    private func checkFactors(
        _ times: Span<Int64>,
        _ values: Span<Double>
    ) throws(QueryError) {
        let all = zip(parameter, secondParameter)
        guard all.contains(where: { !(0 < $0 && $0 < 1 && 0 < $1 && $1 < 1) }) else { return }
        var present = [Double](repeating: .absent, count: self.times.count)
        var row = present.mutableSpan
        try slide.run(EdgeKernel(.present), times, values, into: &row, context: context)
        for (step, factors) in all.enumerated() where !present[step].isAbsent {
            for (factor, name, sign) in [
                (factors.0, "smoothing", "sf"), (factors.1, "trend", "tf"),
            ] where factor <= 0 || factor >= 1 {
                throw .invalid(
                    reason: "invalid \(name) factor. Expected: 0 < \(sign) < 1, got: "
                        + NumberText.fixed(factor)
                )
            }
        }
    }

    private static let counterEndings = ["_total", "_sum", "_count", "_bucket"].map {
        Array($0.utf8)
    }

    private static func isCounter(_ name: ArraySlice<UInt8>) -> Bool {
        counterEndings.contains { name.count >= $0.count && name.suffix($0.count) == $0[...] }
    }

    /// Notes what is odd about using this function on a series of this name.
    ///
    /// `row` is what came of it.
    package func note(_ labels: Labels, _ row: Span<Double>, at place: PromQLPlace) {
        guard function == .rate || function == .increase, semantics.hasNotes,
            let range = labels.valueRange(of: Labels.metricNameLabel),
            !Self.isCounter(labels.bytes[range])
        else { return }
        let name = String(decoding: labels.bytes[range], as: UTF8.self)
        for step in row.indices where !row[step].isAbsent {
            context.note(
                .info,
                "PromQL info: metric might not be a counter, name does not end in "
                    + "_total/_sum/_count/_bucket: \(PromQLStringLiteral.quote(name))",
                at: place
            )
            return
        }
    }

    private func dispatch(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        into row: inout MutableSpan<Double>
    ) throws(QueryError) {
        switch function {
        case .sum_over_time, .avg_over_time:
            let kernel = SumKernel(
                isMean: function == .avg_over_time,
                rangeMilliseconds: slide.rangeMilliseconds,
                pieceMilliseconds: pieceMilliseconds
            )
            try slide.run(kernel, times, values, into: &row, context: context)
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
        case .double_exponential_smoothing:
            try checkFactors(times, values)
            let kernel = SmoothingKernel(smoothing: parameter, trend: secondParameter)
            try slide.run(kernel, times, values, into: &row, context: context)
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
