/// What an instant vector selector does with a series: the latest sample at each step, unless it
/// is too old or a staleness marker.
package struct LatestSample: Sendable {
    /// What of the sample is put on the grid.
    package enum Content: Sendable {
        case values
        /// The sample's time in seconds, as `timestamp` wants it.
        case times
    }

    package let references: StepGrid
    /// A sample this old or older is not current any more, milliseconds.
    package let horizon: Int64
    package let content: Content

    package init(references: StepGrid, horizon: Int64, content: Content) {
        self.references = references
        self.horizon = horizon
        self.content = content
    }

    /// The earliest time a sample that counts may have.
    package var earliest: Int64 { references.start - horizon + 1 }

    /// Fills `row`, one number per step; steps without a sample are left alone.
    package func apply(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        into row: inout MutableSpan<Double>
    ) {
        precondition(times.count == values.count && row.count == references.count)
        var after = 0
        for step in 0..<references.count {
            let time = references.time(step)
            after = WindowSlide.firstIndex(times, after: time, from: after, after + 1)
            guard after > 0, times[after - 1] > time - horizon else { continue }
            let value = values[after - 1]
            guard !value.isAbsent else { continue }
            row[step] = content == .values ? value : Double(times[after - 1]) / 1000
        }
    }
}
