internal import WeirCore
internal import WeirPattern

/// Reading series: instant vectors, range functions, subqueries.
extension PromQLEvaluator {
    /// What of the sample found is put on the grid.
    enum Content {
        case values
        /// The sample's time in seconds, as `timestamp` wants it.
        case times
    }

    /// The most steps a subquery may evaluate its expression at.
    static let subqueryStepsMax = 1_000_000

    /// The times a selector looks at, given the times of evaluation.
    func reference(_ shift: PromQLTimeShift, on grid: StepGrid) -> StepGrid {
        let fixed: Int64? =
            switch shift.anchor {
            case .milliseconds(let time): time
            case .start: queryStart
            case .end: queryEnd
            case nil: nil
            }
        if let fixed {
            return StepGrid(
                start: fixed - shift.offsetMilliseconds,
                interval: 0,
                count: grid.count
            )
        }
        return grid.shifted(back: shift.offsetMilliseconds)
    }

    func select(
        _ matchers: [LabelMatcher],
        from: Int64,
        through: Int64
    ) throws(QueryError) -> any SeriesSelection {
        try context.check()
        let selection = try source.select(
            matchers,
            fromMilliseconds: from,
            throughMilliseconds: through,
            context: context
        )
        guard selection.labels.count <= context.seriesMax else {
            throw .limit(name: "query series", limit: context.seriesMax)
        }
        return selection
    }

    /// The latest sample of each series within the look-back of each step.
    func instantVector(
        _ selector: PromQLSelector,
        on grid: StepGrid,
        content: Content
    ) throws(QueryError) -> SeriesGrid {
        let references = reference(selector.shift, on: grid)
        // A sample this old or older is not current any more.
        let horizon =
            options.semantics.isRangeClosed
            ? options.lookbackMilliseconds + 1 : options.lookbackMilliseconds
        let selection = try select(
            selector.matchers,
            from: references.start - horizon + 1,
            through: references.end
        )
        let labels = selection.labels
        let buffer = try GridBuffer(rows: labels.count, steps: grid.count, context: context)
        let context = context
        try selection.scan { (series, times, values) throws(QueryError) in
            try context.check()
            buffer.withRow(series) { row in
                Self.fillLatest(times, values, references, horizon, content, into: &row)
            }
        }
        return SeriesGrid(labels: labels, values: buffer)
    }

    private static func fillLatest(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        _ references: StepGrid,
        _ horizon: Int64,
        _ content: Content,
        into row: inout MutableSpan<Double>
    ) {
        precondition(times.count == values.count)
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

    /// A function over the windows of a range selector or subquery, one row per series; labels
    /// are those of the input.
    func windows(
        _ function: PromQLFunction,
        over argument: PromQLExpression,
        parameter: [Double],
        on grid: StepGrid
    ) throws(QueryError) -> SeriesGrid {
        let shift: PromQLTimeShift
        let range: Int64
        switch argument.unwrapped {
        case .range(let inner): (shift, range) = (inner.selector.shift, inner.rangeMilliseconds)
        case .subquery(let inner): (shift, range) = (inner.shift, inner.rangeMilliseconds)
        default: throw .invalid(reason: "expected a range vector")
        }
        let slide = WindowSlide(
            ends: reference(shift, on: grid),
            rangeMilliseconds: range,
            isClosed: options.semantics.isRangeClosed
        )
        let ready = RangeFunction(
            function: function,
            slide: slide,
            parameter: parameter,
            times: grid,
            semantics: options.semantics,
            context: context
        )
        if case .subquery(let subquery) = argument.unwrapped {
            let inner = try samples(of: subquery, slide: slide)
            let buffer = try GridBuffer(rows: inner.count, steps: grid.count, context: context)
            try inner.forEach(context: context) { (series, times, values) throws(QueryError) in
                try buffer.withRow(series) { (row) throws(QueryError) in
                    try ready.apply(times, values, into: &row)
                }
            }
            return SeriesGrid(labels: inner.labels, values: buffer)
        }
        guard case .range(let inner) = argument.unwrapped else {
            throw .invalid(reason: "expected a range vector")
        }
        let selection = try select(
            inner.selector.matchers,
            from: slide.earliest,
            through: slide.ends.end
        )
        let labels = selection.labels
        let buffer = try GridBuffer(rows: labels.count, steps: grid.count, context: context)
        let context = context
        try selection.scan { (series, times, values) throws(QueryError) in
            try context.check()
            try buffer.withRow(series) { (row) throws(QueryError) in
                try ready.apply(times, values, into: &row)
            }
        }
        return SeriesGrid(labels: labels, values: buffer)
    }

    /// The subquery's expression at all steps that any of the windows needs. Steps lie on whole
    /// multiples of the step since the epoch, whatever the query's own times.
    func samples(
        of subquery: PromQLSubquery,
        slide: WindowSlide
    ) throws(QueryError) -> SubquerySamples {
        let step = subquery.stepMilliseconds ?? options.subqueryStepMilliseconds
        let earliest = slide.earliest
        var start = earliest / step * step
        if start < earliest { start += step }
        let span = slide.ends.end - start
        guard span >= 0 else {
            let empty = try GridBuffer(rows: 0, steps: 1, context: context)
            return SubquerySamples(
                grid: StepGrid(start: start, interval: step, count: 1),
                series: SeriesGrid(labels: [], values: empty)
            )
        }
        let count = span / step + 1
        guard count <= Self.subqueryStepsMax else {
            throw .limit(name: "subquery steps", limit: Self.subqueryStepsMax)
        }
        let grid = StepGrid(start: start, interval: step, count: Int(count))
        return SubquerySamples(grid: grid, series: try vector(subquery.expression, on: grid))
    }
}

/// What a subquery's expression gave, as samples to slide windows over.
struct SubquerySamples {
    let grid: StepGrid
    let series: SeriesGrid

    var count: Int { series.count }
    var labels: [Labels] { series.labels }

    /// Calls `body` for each series that has samples.
    func forEach(
        context: QueryContext,
        _ body: (_ series: Int, _ times: Span<Int64>, _ values: Span<Double>)
            throws(QueryError) -> Void
    ) throws(QueryError) {
        var times: [Int64] = []
        var values: [Double] = []
        for row in 0..<series.count {
            try context.check()
            times.removeAll(keepingCapacity: true)
            values.removeAll(keepingCapacity: true)
            for step in 0..<grid.count where !series.values[row, step].isAbsent {
                times.append(grid.time(step))
                values.append(series.values[row, step])
            }
            if !times.isEmpty { try body(row, times.span, values.span) }
        }
    }
}
