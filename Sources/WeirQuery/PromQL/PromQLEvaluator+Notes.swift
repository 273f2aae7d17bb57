internal import WeirCore

/// Warnings and infos, in Prometheus's words.
extension PromQLEvaluator {
    /// Notes quantiles that are none: that one is NaN, or the largest and the smallest.
    func noteBounds(of phi: [Double], at place: PromQLPlace) {
        guard options.semantics.hasNotes else { return }
        if phi.contains(where: \.isNaN) {
            noteQuantile(.nan, at: place)
            return
        }
        if let largest = phi.max(), largest > 1 { noteQuantile(largest, at: place) }
        if let smallest = phi.min(), smallest < 0 { noteQuantile(smallest, at: place) }
    }

    /// Notes a quantile that is none.
    func noteQuantile(_ phi: Double, at place: PromQLPlace) {
        guard options.semantics.hasNotes, !(phi >= 0 && phi <= 1) else { return }
        context.note(
            .warning,
            "PromQL warning: quantile value should be between 0 and 1, got "
                + NumberText.general(phi),
            at: place
        )
    }

    /// Notes quantiles of `quantile_over_time` that are none, where there was something to take them
    /// of.
    func noteQuantiles(of call: PromQLCall, _ ready: WindowCall, _ result: SeriesGrid) {
        guard call.function == .quantile_over_time else { return }
        for (step, phi) in ready.function.parameter.enumerated()
        where !(phi >= 0 && phi <= 1) && result.hasValues(step: step) {
            noteQuantile(phi, at: call.argumentPlaces[0])
        }
    }

    /// Notes ratios of `limit_ratio` that were cut to -1…1.
    func noteRatios(_ ratios: [Double], at place: PromQLPlace) {
        guard !ratios.contains(where: \.isNaN) else { return }
        for (ratio, bound) in [(ratios.max(), 1.0), (ratios.min(), -1.0)] {
            guard let ratio, bound > 0 ? ratio > bound : ratio < bound else { continue }
            context.note(
                .warning,
                "PromQL warning: ratio value should be between -1 and 1, got "
                    + "\(NumberText.general(ratio)), capping to \(NumberText.general(bound))",
                at: place
            )
        }
    }

    /// Notes that the counts of a histogram fell from one bucket to the next.
    ///
    /// The first step alone tells the name: what is said depends on where the range begins.
    func noteForcedBuckets(of name: String, at place: PromQLPlace) {
        context.mark { $0.dependsOnRange = true }
        guard options.semantics.hasNotes else { return }
        context.note(
            .info,
            "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see "
                + "https://prometheus.io/docs/prometheus/latest/querying/functions/"
                + "#histogram_quantile) for metric name \(PromQLStringLiteral.quote(name))",
            at: place
        )
    }

    /// Notes the series of a histogram function's input whose bound is no number.
    func noteBadBounds(_ input: SeriesGrid, at place: PromQLPlace) {
        guard options.semantics.hasNotes else { return }
        for row in 0..<input.count {
            let text = input.labels[row][ClassicHistogram.boundLabel] ?? ""
            guard ClassicHistogram.parseBound(text) == nil, input.values.hasValues(row: row) else {
                continue
            }
            let name = input.labels[row][Labels.metricNameLabel] ?? ""
            context.note(
                .warning,
                "PromQL warning: bucket label \"le\" is missing or has a malformed value of "
                    + "\(PromQLStringLiteral.quote(text)) for metric name "
                    + PromQLStringLiteral.quote(name),
                at: place
            )
        }
    }
}
