internal import Synchronization
internal import WeirCore

/// Series whose rows of numbers are made of rollups, and of samples where those do not do.
struct RolledRows: GridRows {
    let series: any RollupSeries
    let function: RollupFunction
    /// How well numbers must be known where samples are there to be looked at instead.
    let least: RollupFunction.Accuracy
    let context: QueryContext
    /// Whether of histograms more is needed than counts and sums.
    let needsBuckets: Bool
    let notePlace: PromQLPlace

    var labels: [Labels] { series.labels }

    private var steps: Int { function.function.times.count }

    /// Rollups are given up on when none of so many series could be answered.
    private static let triesMax = 64

    func collected() throws(QueryError) -> SeriesGrid {
        let buffer = try read(into: newBuffer, Self.filling)
        guard !series.histogramSeries.isEmpty else {
            return SeriesGrid(labels: labels, values: buffer)
        }
        return SeriesGrid(
            labels: labels,
            values: buffer,
            histograms: try readHistograms(into: buffer)
        )
    }

    private func newBuffer() throws(QueryError) -> GridBuffer {
        try GridBuffer(rows: labels.count, steps: steps, context: context)
    }

    private static func filling(_ buffer: GridBuffer) -> Use {
        { series, answer in
            buffer.withRow(series) { row in
                for step in answer.indices { row[step] = answer[step] }
            }
        }
    }

    func aggregated(
        _ operation: AggregationOperator,
        _ grouping: Grouping
    ) throws(QueryError) -> SeriesGrid? {
        guard series.histogramSeries.isEmpty else { return nil }
        let groups = LabelGroups(labels, grouping)
        let (groupOf, steps, context) = (groups.groupOf, steps, context)
        let totals = try read { () throws(QueryError) in
            try GroupAccumulator(
                operation,
                groups: groups.labels.count,
                steps: steps,
                context: context
            )
        } _: { totals in
            { series, answer in totals.add(answer, to: groupOf[series]) }
        }
        guard totals.finish().isEmpty else { return nil }
        return SeriesGrid(labels: groups.labels, values: totals.result)
    }

    /// What is done with the row of numbers of a series that has any.
    private typealias Use = @Sendable (_ series: Int, _ answer: Span<Double>) -> Void

    /// Reads all series but those with histograms into what `begin` makes, which is begun anew when
    /// rollups turn out to be damaged, or not to do, or samples go while they are to be read.
    private func read<Target>(
        into begin: () throws(QueryError) -> Target,
        _ using: (Target) -> Use
    ) throws(QueryError) -> Target {
        let withHistograms = Set(series.histogramSeries)
        let all = labels.indices.filter { !withHistograms.contains($0) }.map { Missed(series: $0) }
        var source: (any RollupSeries)? = series
        while let series = source {
            let target = try begin()
            let alone = function.function.slide.windows(touching: series.alone)
            let aloneSteps = alone.indices.filter { alone[$0] }
            let (reading, missed) = try scanRollups(series, alone, aloneSteps, using(target))
            defer { context.release(bytes: missed.reduce(0) { $0 + $1.byteCount }) }
            switch reading {
            case .whole:
                guard !missed.isEmpty else { return target }
                if let samples = try series.samplesBesideRows(of: missed.map(\.series)) {
                    try scan(samples, of: missed, aloneSteps, using(target))
                    return target
                }
            case .damaged: break
            case .stopped:
                if let samples = try series.samplesBesideRows(of: all.map(\.series)) {
                    let target = try begin()
                    try scan(samples, of: all, [], using(target))
                    return target
                }
            }
            source = try series.again()
        }
        let target = try begin()
        try scan(try series.samples(of: all.map(\.series)), of: all, [], using(target))
        return target
    }

    /// Calls `use` for each series that rollups answer for.
    ///
    /// `alone`: by step, whether only rollups know of it; empty when none is. `aloneSteps`: those that it
    /// names. The series that are not answered for are told, and have paid for what is known of them.
    private func scanRollups(
        _ series: any RollupSeries,
        _ alone: [Bool],
        _ aloneSteps: [Int],
        _ use: @escaping Use
    ) throws(QueryError) -> (RollupReading, [Missed]) {
        let progress = Mutex(Progress())
        let reading = try series.scan(columns: function.columns) {
            var worker = Worker(
                windows: RollupWindows(function.function.slide),
                numbers: [Double](repeating: .absent, count: steps)
            )
            return { (number, rows) throws(QueryError) in
                try answer(number, rows, alone, aloneSteps, &worker, progress, use)
            }
        }
        return (reading, progress.withLock { $0.missed.sorted { $0.series < $1.series } })
    }

    /// Answers for one series, if its rows say enough.
    ///
    /// - Returns: False when rollups are to be given up on.
    private func answer(
        _ number: Int,
        _ rows: RollupRows,
        _ alone: [Bool],
        _ aloneSteps: [Int],
        _ worker: inout Worker,
        _ progress: borrowing Mutex<Progress>,
        _ use: Use
    ) throws(QueryError) -> Bool {
        if worker.answered & 15 == 0 { try context.check() }
        worker.windows.find(rows.times)
        let windows = worker.windows
        var row = worker.numbers.mutableSpan
        for step in row.indices { row[step] = .absent }
        let isKnown = function.apply(
            rows,
            windows,
            atLeast: least,
            alone: alone,
            into: &row
        )
        guard isKnown else {
            let missed = Missed(series: number, row.span, at: aloneSteps)
            try context.reserve(bytes: missed.byteCount)
            return progress.withLock { progress in
                progress.missed.append(missed)
                return !alone.isEmpty || progress.hasAnswered
                    || progress.missed.count < Self.triesMax
            }
        }
        function.function.note(labels[number], row.span, at: notePlace)
        use(number, row.span)
        if worker.answered == 0 { progress.withLock { $0.hasAnswered = true } }
        worker.answered += 1
        return true
    }

    /// Calls `use` for each of some series, ascending, with what its samples give, and at the steps of
    /// `aloneSteps` with what is known of it.
    private func scan(
        _ samples: any SeriesSelection,
        of missed: [Missed],
        _ aloneSteps: [Int],
        _ use: @escaping Use
    ) throws(QueryError) {
        let (function, context, labels, place) = (function, context, labels, notePlace)
        let steps = steps
        let seen = Mutex<Set<Int>>([])
        try samples.scan {
            (index, times, values) throws(QueryError) in
            try context.check()
            let one = missed[index]
            if !one.known.isEmpty { seen.withLock { _ = $0.insert(index) } }
            var numbers = [Double](repeating: .absent, count: steps)
            var row = numbers.mutableSpan
            try function.function.apply(times, values, into: &row)
            one.fill(&row, at: aloneSteps)
            function.function.note(labels[one.series], row.span, at: place)
            use(one.series, row.span)
        }
        // Those that have rows, but no samples.
        let all = seen.withLock { $0 }
        for (index, one) in missed.enumerated() where !one.known.isEmpty && !all.contains(index) {
            var numbers = [Double](repeating: .absent, count: steps)
            var row = numbers.mutableSpan
            one.fill(&row, at: aloneSteps)
            function.function.note(labels[one.series], row.span, at: place)
            use(one.series, row.span)
        }
    }

    /// Reads the series with histograms from their samples of both kinds.
    private func readHistograms(into buffer: GridBuffer) throws(QueryError) -> HistogramCells? {
        let own = series.histogramSeries
        let rows = SelectedRows(
            try series.samples(of: own),
            .windows(function.function),
            steps: steps,
            context: context,
            needsBuckets: needsBuckets,
            notePlace: notePlace
        )
        let grid = try rows.collected()
        let cells = HistogramCells(steps: steps, context: context)
        for (row, number) in own.enumerated() {
            for step in 0..<steps { buffer[number, step] = grid.values[row, step] }
            if let found = grid.histograms?.row(row) { try cells.set(number, found) }
        }
        return cells.isEmpty ? nil : cells
    }

    /// What one thread answers with: one value, to which access is checked once a series.
    private struct Worker {
        var windows: RollupWindows
        var numbers: [Double]
        var answered = 0
    }

    private struct Progress {
        var hasAnswered = false
        var missed: [Missed] = []
    }

    /// A series that rollups could not answer for.
    private struct Missed {
        let series: Int
        /// Its numbers at the steps that only rollups know of, in order.
        private(set) var known: [Double] = []

        init(series: Int) { self.series = series }

        /// Keeps of a row of numbers those at `steps`.
        init(series: Int, _ row: Span<Double>, at steps: [Int]) {
            self.series = series
            known.reserveCapacity(steps.count)
            for step in steps { known.append(row[step]) }
        }

        var byteCount: Int { known.count * 8 }

        func fill(_ row: inout MutableSpan<Double>, at steps: [Int]) {
            for (place, step) in zip(known.indices, steps) { row[step] = known[place] }
        }
    }
}
