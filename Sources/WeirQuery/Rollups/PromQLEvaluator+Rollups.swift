internal import WeirCore

/// Range functions over rollups.
extension PromQLEvaluator {
    /// A range function over rollups, where they are to be used.
    ///
    /// - Returns: Nil when it is to be taken over samples.
    func rolledUp(
        _ call: WindowCall,
        over range: PromQLRange
    ) throws(QueryError) -> (any GridRows)? {
        let slide = call.function.slide
        guard !slide.isClosed, let function = RollupFunction(call.function) else { return nil }
        try context.check()
        let series = try source.selectRollups(
            range.selector.matchers,
            fromMilliseconds: slide.earliest,
            throughMilliseconds: slide.ends.end,
            resolutions: options.rollups == .off ? [] : Self.resolutions(for: slide),
            context: context
        )
        guard let series else { return nil }
        guard series.labels.count <= context.seriesMax else {
            throw .limit(name: "query series", limit: context.seriesMax)
        }
        return RolledRows(
            series: series,
            function: function,
            least: options.rollups == .rounded ? .rounded : .exact,
            context: context,
            notePlace: call.place
        )
    }

    /// The resolutions whose windows the windows of `slide` are made of, the coarsest first.
    private static func resolutions(for slide: WindowSlide) -> [RollupResolution] {
        RollupResolution.allCases.reversed().filter { resolution in
            [slide.ends.start, slide.ends.interval, slide.rangeMilliseconds].allSatisfy {
                $0 % resolution.milliseconds == 0
            }
        }
    }
}
