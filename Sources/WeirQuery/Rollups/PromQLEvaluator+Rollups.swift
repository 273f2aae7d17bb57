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
        let resolutions = options.rollups == .off ? [] : slide.resolutions
        let rolledUp = RollupFunction(call.function, isRolledUp: !resolutions.isEmpty)
        guard !slide.isClosed, let function = rolledUp else { return nil }
        try context.check()
        let series = try source.selectRollups(
            range.selector.matchers,
            fromMilliseconds: slide.earliest,
            throughMilliseconds: slide.ends.end,
            resolutions: resolutions,
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
            needsBuckets: range.selector.needsBuckets,
            notePlace: call.place
        )
    }
}
