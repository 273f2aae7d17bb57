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
        guard step > 0, end > start else {
            throw .invalid(reason: "the step and the span of time must be above zero")
        }
        // Buckets lie on whole multiples of the step, so that they stay where they are.
        let (rest, remainder) = (start / step, start % step)
        let first = (remainder < 0 ? rest - 1 : rest) * step
        let (span, overflow) = (end - 1).subtractingReportingOverflow(first)
        guard !overflow, span / step < Int64(PromQL.pointsMax) else {
            throw .limit(name: "points per timeseries", limit: PromQL.pointsMax)
        }
        let count = Int(span / step) + 1
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
}
