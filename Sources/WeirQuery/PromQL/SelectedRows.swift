internal import Synchronization
internal import WeirCore

/// Series that become rows of numbers when they are read.
protocol GridRows {
    /// One label set per series.
    var labels: [Labels] { get }

    /// All of them.
    func collected() throws(QueryError) -> SeriesGrid

    /// Aggregates while reading, by the labels that the series were found with.
    ///
    /// - Returns: Nil when some mean cannot be had this way and all must be collected.
    func aggregated(
        _ operation: AggregationOperator,
        _ grouping: Grouping
    ) throws(QueryError) -> SeriesGrid?
}

/// Series that a selector found and how each becomes a row of numbers; none is read yet.
///
/// They can be collected into a grid, or run into groups one by one without ever all being held.
struct SelectedRows: GridRows {
    enum Kernel: Sendable {
        case latest(LatestSample)
        case windows(RangeFunction)
    }

    let selection: any SeriesSelection
    let labels: [Labels]
    let kernel: Kernel
    let steps: Int
    let context: QueryContext
    /// Whether of histograms more is needed than counts and sums.
    let needsBuckets: Bool
    /// Where the range stands that a function goes over.
    let notePlace: PromQLPlace

    init(
        _ selection: any SeriesSelection,
        _ kernel: Kernel,
        steps: Int,
        context: QueryContext,
        needsBuckets: Bool,
        notePlace: PromQLPlace = PromQLPlace()
    ) {
        self.needsBuckets = needsBuckets
        self.notePlace = notePlace
        self.selection = selection
        self.labels = selection.labels
        self.kernel = kernel
        self.steps = steps
        self.context = context
    }

    private static func fill(
        _ row: inout MutableSpan<Double>,
        _ kernel: Kernel,
        _ labels: Labels,
        _ place: PromQLPlace,
        _ times: Span<Int64>,
        _ values: Span<Double>
    ) throws(QueryError) {
        switch kernel {
        case .latest(let latest): latest.apply(times, values, into: &row)
        case .windows(let function):
            try function.apply(times, values, into: &row)
            function.note(labels, row.span, at: place)
        }
    }

    func collected() throws(QueryError) -> SeriesGrid {
        let buffer = try GridBuffer(rows: labels.count, steps: steps, context: context)
        guard selection.histogramSeries.isEmpty else {
            return try collectedWithHistograms(into: buffer)
        }
        let (kernel, context, labels, place) = (kernel, context, labels, notePlace)
        try selection.scan { (series, times, values) throws(QueryError) in
            try context.check()
            try buffer.withRow(series) { (row) throws(QueryError) in
                try Self.fill(&row, kernel, labels[series], place, times, values)
            }
        }
        return SeriesGrid(labels: labels, values: buffer)
    }

    /// Series with histograms are looked at when both kinds of samples are known: their plain
    /// samples, of which there seldom are any, are kept until then.
    private func collectedWithHistograms(into buffer: GridBuffer) throws(QueryError) -> SeriesGrid {
        let cells = HistogramCells(steps: steps, context: context)
        let withHistograms = Set(selection.histogramSeries)
        let kept = Mutex<[Int: FloatSamples]>([:])
        let (kernel, context, labels, place) = (kernel, context, labels, notePlace)
        try selection.scan { (series, times, values) throws(QueryError) in
            try context.check()
            guard withHistograms.contains(series) else {
                try buffer.withRow(series) { (row) throws(QueryError) in
                    try Self.fill(&row, kernel, labels[series], place, times, values)
                }
                return
            }
            try context.reserve(bytes: times.count * 16)
            var samples = FloatSamples()
            for index in times.indices {
                samples.times.append(times[index])
                samples.values.append(values[index])
            }
            kept.withLock { $0[series] = samples }
        }
        let needsBuckets = needsBuckets
        try selection.scanHistograms { (series, histograms) throws(QueryError) in
            try context.check()
            let floats = kept.withLock { $0.removeValue(forKey: series) } ?? FloatSamples()
            var found: [HistogramCells.Box?] = []
            try buffer.withRow(series) { (row) throws(QueryError) in
                switch kernel {
                case .latest(let latest):
                    let kept = needsBuckets ? histograms : histograms.withoutBuckets
                    found = latest.apply(floats, kept, into: &row)
                case .windows(let function):
                    let windows = HistogramWindows(
                        function,
                        floats,
                        histograms,
                        metric: labels[series][Labels.metricNameLabel] ?? "",
                        needsBuckets: needsBuckets,
                        at: place
                    )
                    found = try windows.apply(into: &row)
                    function.note(labels[series], row.span, at: place)
                }
            }
            try cells.set(series, found)
        }
        for (series, samples) in kept.withLock({ $0 }) {
            try buffer.withRow(series) { (row) throws(QueryError) in
                try Self.fill(
                    &row,
                    kernel,
                    labels[series],
                    place,
                    samples.times.span,
                    samples.values.span
                )
            }
        }
        return SeriesGrid(labels: labels, values: buffer, histograms: cells.isEmpty ? nil : cells)
    }

    func aggregated(
        _ operation: AggregationOperator,
        _ grouping: Grouping
    ) throws(QueryError) -> SeriesGrid? {
        guard selection.histogramSeries.isEmpty else { return nil }
        let groups = LabelGroups(labels, grouping)
        let totals = try GroupAccumulator(
            operation,
            groups: groups.labels.count,
            steps: steps,
            context: context
        )
        let (kernel, context, steps, groupOf) = (kernel, context, steps, groups.groupOf)
        let (labels, place) = (labels, notePlace)
        try selection.scan { (series, times, values) throws(QueryError) in
            try context.check()
            var scratch = [Double](repeating: .absent, count: steps)
            var row = scratch.mutableSpan
            try Self.fill(&row, kernel, labels[series], place, times, values)
            totals.add(row.span, to: groupOf[series])
        }
        guard totals.finish().isEmpty else { return nil }
        return SeriesGrid(labels: groups.labels, values: totals.result)
    }
}
