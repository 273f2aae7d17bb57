internal import Synchronization
internal import WeirCore

/// Series whose rows of numbers are made of rollups, and of samples where those do not do.
struct RolledRows: GridRows {
    let series: any RollupSeries
    let function: RollupFunction
    /// How well numbers must be known where samples are there to be looked at instead.
    let least: RollupFunction.Accuracy
    let context: QueryContext
    let notePlace: PromQLPlace

    var labels: [Labels] { series.labels }

    /// Rollups are given up on when none of so many series could be answered.
    private static let triesMax = 64

    func collected() throws(QueryError) -> SeriesGrid {
        var buffer = try newBuffer()
        let missed = try scanRollups(Self.filling(buffer))
        if missed == nil { buffer = try newBuffer() }
        try scanSamples(of: missed ?? Array(labels.indices), Self.filling(buffer))
        return SeriesGrid(labels: labels, values: buffer)
    }

    private func newBuffer() throws(QueryError) -> GridBuffer {
        let steps = function.function.times.count
        return try GridBuffer(rows: labels.count, steps: steps, context: context)
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
        let groups = LabelGroups(labels, grouping)
        var totals = try newTotals(operation, groups)
        let missed = try scanRollups(adding(to: totals, groups))
        if missed == nil { totals = try newTotals(operation, groups) }
        try scanSamples(of: missed ?? Array(labels.indices), adding(to: totals, groups))
        guard totals.finish().isEmpty else { return nil }
        return SeriesGrid(labels: groups.labels, values: totals.result)
    }

    private func newTotals(
        _ operation: AggregationOperator,
        _ groups: LabelGroups
    ) throws(QueryError) -> GroupAccumulator {
        try GroupAccumulator(
            operation,
            groups: groups.labels.count,
            steps: function.function.times.count,
            context: context
        )
    }

    private func adding(to totals: GroupAccumulator, _ groups: LabelGroups) -> Use {
        let groupOf = groups.groupOf
        return { series, answer in totals.add(answer, to: groupOf[series]) }
    }

    /// What is done with the row of numbers of a series that has any.
    private typealias Use = @Sendable (_ series: Int, _ answer: Span<Double>) -> Void

    /// Calls `use` for each series that rollups answer for.
    ///
    /// - Returns: Those that they do not; nil when all must be done again with samples.
    private func scanRollups(_ use: @escaping Use) throws(QueryError) -> [Int]? {
        let (function, context, labels, place) = (function, context, labels, notePlace)
        let least = series.isAlone ? .poor : least
        let progress = Mutex(Progress())
        let isWhole = try series.scan(columns: function.columns) {
            var windows = RollupWindows(function.function.slide)
            var numbers: [Double] = []
            var answered = 0
            return { (number, rows) throws(QueryError) in
                if answered & 15 == 0 { try context.check() }
                windows.find(rows.times)
                numbers.removeAll(keepingCapacity: true)
                numbers.append(
                    contentsOf: repeatElement(.absent, count: function.function.times.count)
                )
                var row = numbers.mutableSpan
                guard function.apply(rows, windows, atLeast: least, into: &row) else {
                    return progress.withLock { progress in
                        progress.missed.append(number)
                        return progress.hasAnswered || progress.missed.count < Self.triesMax
                    }
                }
                function.function.note(labels[number], row.span, at: place)
                use(number, row.span)
                if answered == 0 { progress.withLock { $0.hasAnswered = true } }
                answered += 1
                return true
            }
        }
        return isWhole ? progress.withLock { $0.missed.sorted() } : nil
    }

    /// Calls `use` for each of some series, ascending, with what its samples give.
    private func scanSamples(of wanted: [Int], _ use: @escaping Use) throws(QueryError) {
        guard !wanted.isEmpty else { return }
        let (function, context, labels, place) = (function, context, labels, notePlace)
        try series.samples(of: wanted).scan { (index, times, values) throws(QueryError) in
            try context.check()
            let number = wanted[index]
            var numbers = [Double](repeating: .absent, count: function.function.times.count)
            var row = numbers.mutableSpan
            try function.function.apply(times, values, into: &row)
            function.function.note(labels[number], row.span, at: place)
            use(number, row.span)
        }
    }

    private struct Progress {
        var hasAnswered = false
        /// The series that rollups could not answer for.
        var missed: [Int] = []
    }
}
