package import WeirCore
internal import WeirPattern

/// Rows counted in equal spans of time, by a label.
package struct LogHits: Sendable {
    package struct Series: Sendable {
        package let labels: Labels
        /// One per bucket.
        package let counts: [Double]
        package let total: Double
    }

    /// When the first bucket starts; nanoseconds.
    package let start: Int64
    package let step: Int64
    package let bucketCount: Int
    /// The most rows first.
    package let series: [Series]

    /// Counts rows from `start` up to but not including `end`.
    ///
    /// `names`: The labels to count by; empty: all together.
    package init(
        _ query: LogQLQuery,
        from start: Int64,
        to end: Int64,
        step: Int64,
        by names: [String],
        source: any RowSource,
        context: QueryContext
    ) throws(QueryError) {
        let (first, count) = try Self.buckets(from: start, to: end, step: step)
        self.start = first
        self.step = step
        bucketCount = count
        let windows = LogWindows(
            start: first + (step - 1),
            interval: step,
            count: count,
            range: step
        )
        let scan = try LogScan(
            query,
            need: LogPipeline.Need(labels: Set(names), line: false),
            times: start...(end - 1),
            source: source,
            context: context
        )
        let aggregation = LogQLRangeAggregation(
            operation: .count,
            query: query,
            rangeNanoseconds: step
        )
        let tally = try LogTally(scan, aggregation, windows: windows, grouping: .by(names))
        let (labels, cells) = try tally.run()
        var found: [Series] = []
        for (row, one) in labels.enumerated() {
            let counts = Array(cells.counts[(row * cells.width)..<((row + 1) * cells.width)])
            found.append(Series(labels: one, counts: counts, total: counts.reduce(0, +)))
        }
        found.sort { ($1.total, $0.labels) < ($0.total, $1.labels) }
        series = found
    }

    /// The buckets of a span of time: they lie on whole multiples of the step, so that they stay
    /// where they are.
    static func buckets(
        from start: Int64,
        to end: Int64,
        step: Int64
    ) throws(QueryError) -> (first: Int64, count: Int) {
        guard step > 0, end > start else {
            throw .invalid(reason: "the step and the span of time must be above zero")
        }
        let remainder = start % step
        let (first, isTooEarly) = start.subtractingReportingOverflow(
            remainder < 0 ? remainder + step : remainder
        )
        let (span, overflow) = (end - 1).subtractingReportingOverflow(first)
        guard !isTooEarly, !overflow, span / step < Int64(PromQL.pointsMax) else {
            throw .limit(name: "points per timeseries", limit: PromQL.pointsMax)
        }
        let count = span / step + 1
        let (length, isTooLong) = step.multipliedReportingOverflow(by: count)
        guard !isTooLong, !first.addingReportingOverflow(length).overflow else {
            throw .invalid(reason: "the times or the step are out of range")
        }
        return (first, Int(count))
    }
}
