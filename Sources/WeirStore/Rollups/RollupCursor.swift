internal import WeirColumns
internal import WeirCore

/// Walks a segment of metrics, and gives out what the samples of each stream come to.
final class RollupCursor: StreamCursor {
    private let source: SegmentCursor
    private var fold: RollupFold
    private var samples = RowRun(schema: .metrics)

    init(_ source: SegmentCursor, _ resolution: RollupResolution) {
        self.source = source
        fold = RollupFold(resolution)
    }

    var labels: Labels? { source.labels }

    func takeRows(into run: inout RowRun) throws(SegmentError) {
        samples.removeAll()
        try source.takeRows(into: &samples)
        run.append { times, columns in
            fold.append(samples.times, samples.columns[0].floats, to: &times, &columns)
        }
    }
}
