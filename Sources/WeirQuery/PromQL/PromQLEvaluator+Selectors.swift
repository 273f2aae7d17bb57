internal import WeirCore
internal import WeirPattern

/// Reading series: instant vectors, range functions, subqueries.
extension PromQLEvaluator {
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
        content: LatestSample.Content = .values
    ) throws(QueryError) -> SelectedRows {
        let latest = LatestSample(
            references: reference(selector.shift, on: grid),
            horizon: options.lookbackMilliseconds + (options.semantics.isRangeClosed ? 1 : 0),
            content: content
        )
        let selection = try select(
            selector.matchers,
            from: latest.earliest,
            through: latest.references.end
        )
        return SelectedRows(
            selection,
            .latest(latest),
            steps: grid.count,
            context: context,
            needsBuckets: selector.needsBuckets
        )
    }

    /// A call of a range function, taken apart.
    struct WindowCall {
        let function: RangeFunction
        /// The range selector or subquery, without parentheses.
        let argument: PromQLExpression
        /// Where the first argument was written, to which messages point.
        let place: PromQLPlace
    }

    func windowCall(_ call: PromQLCall, on grid: StepGrid) throws(QueryError) -> WindowCall {
        var parameter: [Double] = []
        var second: [Double] = []
        var argument = call.arguments[0]
        for one in call.arguments {
            if one.type == .matrix {
                argument = one.unwrapped
            } else if parameter.isEmpty {
                parameter = try scalar(one, on: grid)
            } else {
                second = try scalar(one, on: grid)
            }
        }
        let shift: PromQLTimeShift
        let range: Int64
        switch argument {
        case .range(let inner): (shift, range) = (inner.selector.shift, inner.rangeMilliseconds)
        case .subquery(let inner): (shift, range) = (inner.shift, inner.rangeMilliseconds)
        default: throw .invalid(reason: "expected a range vector")
        }
        let slide = WindowSlide(
            ends: reference(shift, on: grid),
            rangeMilliseconds: range,
            isClosed: options.semantics.isRangeClosed
        )
        let function = RangeFunction(
            function: call.function,
            slide: slide,
            parameter: parameter,
            secondParameter: second,
            times: grid,
            semantics: options.semantics,
            context: context
        )
        return WindowCall(function: function, argument: argument, place: call.argumentPlaces[0])
    }

    /// A range function over the windows of a range selector.
    func windows(
        _ call: WindowCall,
        over range: PromQLRange
    ) throws(QueryError) -> any GridRows {
        if let rows = try rolledUp(call, over: range) { return rows }
        let function = call.function
        let selection = try select(
            range.selector.matchers,
            from: function.slide.earliest,
            through: function.slide.ends.end
        )
        return SelectedRows(
            selection,
            .windows(function),
            steps: function.times.count,
            context: context,
            needsBuckets: range.selector.needsBuckets,
            notePlace: call.place
        )
    }

    /// A range function over the windows of a range selector or subquery, one row per series;
    /// labels are those of the input.
    func windows(_ call: WindowCall) throws(QueryError) -> SeriesGrid {
        if case .range(let range) = call.argument {
            return try windows(call, over: range).collected()
        }
        guard case .subquery(let subquery) = call.argument else {
            throw .invalid(reason: "expected a range vector")
        }
        let inner = try samples(of: subquery, slide: call.function.slide)
        let buffer = try GridBuffer(
            rows: inner.count,
            steps: call.function.times.count,
            context: context
        )
        try inner.forEach(context: context) { (series, times, values) throws(QueryError) in
            if inner.series.histograms?.hasValues(row: series) ?? false { return }
            try buffer.withRow(series) { (row) throws(QueryError) in
                try call.function.apply(times, values, into: &row)
                // As Prometheus does, which forgets where a subquery stood.
                call.function.note(inner.labels[series], row.span, at: PromQLPlace())
            }
        }
        let cells = try histogramWindows(call, over: inner, into: buffer)
        return SeriesGrid(labels: inner.labels, values: buffer, histograms: cells)
    }

    /// A range function over a subquery's series with histograms; nil when it has none.
    private func histogramWindows(
        _ call: WindowCall,
        over inner: SubquerySamples,
        into buffer: GridBuffer
    ) throws(QueryError) -> HistogramCells? {
        guard let source = inner.series.histograms else { return nil }
        let function = call.function
        // A first argument that is no subquery is where it was.
        let isFirst = function.function != .quantile_over_time
        let place = isFirst ? PromQLPlace() : call.place
        let cells = HistogramCells(steps: function.times.count, context: context)
        for row in source.rowIndexes {
            try context.check()
            let (floats, histograms) = inner.samples(row: row)
            let windows = HistogramWindows(
                function,
                floats,
                histograms,
                metric: inner.labels[row][Labels.metricNameLabel] ?? "",
                needsBuckets: true,
                at: place
            )
            var found: [HistogramCells.Box?] = []
            try buffer.withRow(row) { (numbers) throws(QueryError) in
                found = try windows.apply(into: &numbers)
                function.note(inner.labels[row], numbers.span, at: PromQLPlace())
            }
            try cells.set(row, found)
        }
        return cells.isEmpty ? nil : cells
    }

    /// The subquery's expression at all steps that any of the windows needs.
    ///
    /// Steps lie on whole multiples of the step since the epoch, whatever the query's own times.
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

    /// A series' samples of both kinds.
    func samples(row: Int) -> (FloatSamples, HistogramSamples) {
        var floats = FloatSamples()
        var histograms = HistogramSamples()
        let boxes = series.histograms?.row(row)
        for step in 0..<grid.count {
            if let box = boxes?[step] {
                histograms.times.append(grid.time(step))
                histograms.boxes.append(box)
            } else if !series.values[row, step].isAbsent {
                floats.times.append(grid.time(step))
                floats.values.append(series.values[row, step])
            }
        }
        return (floats, histograms)
    }

    /// Calls `body` for each series that has plain samples.
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
