internal import Synchronization
internal import WeirCore

/// PromQL, from text to answer.
package enum PromQL {
    /// The most points a series of a range answer may have, as in Prometheus.
    package static let pointsMax = 11000

    /// Parses `text` and refuses, by name, what cannot be answered.
    package static func parse(
        _ text: String,
        hasExperiments: Bool = false
    ) throws(QueryError) -> PromQLExpression {
        let expression = try PromQLParser.parse(text, hasExperiments: hasExperiments)
        if let name = unsupportedName(in: expression) { throw .unsupported(name: name) }
        return expression
    }

    /// Says what a query would yield, or why it would be refused, without running it.
    @discardableResult
    package static func check(
        _ text: String,
        hasExperiments: Bool = false
    ) throws(QueryError) -> PromQLType {
        try parse(text, hasExperiments: hasExperiments).type
    }

    package static func evaluateInstant(
        _ text: String,
        atMilliseconds time: Int64,
        source: any SampleSource,
        context: QueryContext,
        options: PromQLOptions = PromQLOptions()
    ) throws(QueryError) -> QueryValue {
        try evaluateInstant(
            parse(text, hasExperiments: options.hasExperiments),
            atMilliseconds: time,
            source: source,
            context: context,
            options: options
        )
    }

    /// The value of an expression at one time, milliseconds since the epoch.
    package static func evaluateInstant(
        _ expression: PromQLExpression,
        atMilliseconds time: Int64,
        source: any SampleSource,
        context: QueryContext,
        options: PromQLOptions = PromQLOptions()
    ) throws(QueryError) -> QueryValue {
        try checkTimes(time, time)
        let evaluator = PromQLEvaluator(
            source: source,
            context: context,
            options: options,
            queryStart: time,
            queryEnd: time
        )
        let grid = StepGrid(start: time, interval: 0, count: 1)
        let expression = expression.markingUnreadBuckets
        if expression.type == .matrix {
            return .matrix(try evaluator.rangeVector(expression.unwrapped, on: grid))
        }
        switch try evaluator.evaluate(expression, on: grid) {
        case .scalar(let numbers): return .scalar(time: time, value: numbers[0])
        case .string(let text): return .string(time: time, text: text)
        case .vector(let vector):
            let order =
                hasOwnOrder(expression)
                ? Array(vector.labels.indices) : LabelOrder.sortedIndices(vector.labels)
            var samples: [QuerySample] = []
            samples.reserveCapacity(order.count)
            for row in order where vector.isPresent(row, 0) {
                let histogram = vector.histograms?[row, 0]
                samples.append(
                    QuerySample(
                        labels: vector.labels[row],
                        value: histogram == nil ? vector.values[row, 0] : 0,
                        histogram: histogram
                    )
                )
            }
            return .vector(time: time, samples: samples)
        }
    }

    package static func evaluateRange(
        _ text: String,
        fromMilliseconds start: Int64,
        throughMilliseconds end: Int64,
        stepMilliseconds step: Int64,
        source: any SampleSource,
        context: QueryContext,
        options: PromQLOptions = PromQLOptions()
    ) throws(QueryError) -> QueryValue {
        try evaluateRange(
            parse(text, hasExperiments: options.hasExperiments),
            fromMilliseconds: start,
            throughMilliseconds: end,
            stepMilliseconds: step,
            source: source,
            context: context,
            options: options
        )
    }

    /// The value of an expression at `start`, `start + step`, … up to `end`; always a matrix.
    ///
    /// With `results` what was answered before is used again; `text` is then what was asked.
    package static func evaluateRange(
        _ expression: PromQLExpression,
        fromMilliseconds start: Int64,
        throughMilliseconds end: Int64,
        stepMilliseconds step: Int64,
        source: any SampleSource,
        context: QueryContext,
        options: PromQLOptions = PromQLOptions(),
        results: RangeResults? = nil,
        text: String = ""
    ) throws(QueryError) -> QueryValue {
        try checkTimes(start, end)
        guard step > 0, step <= PromQLDuration.millisecondsMax else {
            throw .invalid(reason: "zero, negative or too large query resolution step")
        }
        guard end >= start else {
            throw .invalid(reason: "end timestamp must not be before start time")
        }
        guard (end - start) / step <= Int64(pointsMax) else {
            throw .limit(name: "points per timeseries", limit: pointsMax)
        }
        guard expression.type == .scalar || expression.type == .vector else {
            throw .invalid(
                reason: "invalid expression type \"\(expression.type.rawValue)\" for range query, "
                    + "must be Scalar or instant Vector"
            )
        }
        let expression = expression.markingUnreadBuckets
        if let results {
            let request = RangeResults.Request(
                query: text,
                expression: expression,
                start: start,
                end: end,
                interval: step,
                source: source,
                context: context,
                options: options
            )
            if let series = try results.answer(request) { return .matrix(series) }
        }
        let evaluator = PromQLEvaluator(
            source: source,
            context: context,
            options: options,
            queryStart: start,
            queryEnd: end
        )
        let grid = StepGrid(start: start, interval: step, count: Int((end - start) / step) + 1)
        switch try evaluator.evaluate(expression, on: grid) {
        case .scalar(let numbers):
            let times = (0..<grid.count).map { grid.time($0) }
            return .matrix([QuerySeries(labels: .empty, times: times, values: numbers)])
        case .string: throw .invalid(reason: "a string is no range result")
        case .vector(let vector):
            return .matrix(try series(of: vector, on: grid, context: context))
        }
    }

    /// The rows that have a value, in order of labels.
    static func series(
        of vector: SeriesGrid,
        on grid: StepGrid,
        context: QueryContext
    ) throws(QueryError) -> [QuerySeries] {
        try context.reserve(bytes: vector.count * grid.count * 16)
        var series: [QuerySeries] = []
        for row in LabelOrder.sortedIndices(vector.labels) {
            if let one = points(of: vector, row: row, grid: grid) { series.append(one) }
        }
        return series
    }

    static func points(of vector: SeriesGrid, row: Int, grid: StepGrid) -> QuerySeries? {
        var times: [Int64] = []
        var values: [Double] = []
        for step in 0..<grid.count where !vector.values[row, step].isAbsent {
            times.append(grid.time(step))
            values.append(vector.values[row, step])
        }
        var histograms: [QueryHistogram] = []
        if let boxes = vector.histograms?.row(row) {
            for step in boxes.indices {
                guard let histogram = boxes[step]?.histogram else { continue }
                histograms.append(QueryHistogram(time: grid.time(step), histogram: histogram))
            }
        }
        guard !times.isEmpty || !histograms.isEmpty else { return nil }
        return QuerySeries(
            labels: vector.labels[row],
            times: times,
            values: values,
            histograms: histograms
        )
    }

    private static func checkTimes(_ start: Int64, _ end: Int64) throws(QueryError) {
        let bounds = PromQLParser.timeMillisecondsRange
        guard bounds.contains(Double(start)), bounds.contains(Double(end)) else {
            throw .invalid(reason: "time is not within the years 1 to 9999")
        }
    }

    /// Whether the expression itself says in which order an instant answer is.
    private static func hasOwnOrder(_ expression: PromQLExpression) -> Bool {
        switch expression.unwrapped {
        case .call(let call):
            switch call.function {
            case .sort, .sort_desc, .sort_by_label, .sort_by_label_desc: true
            default: false
            }
        case .aggregation(let aggregation):
            aggregation.operation == .topk || aggregation.operation == .bottomk
        default: false
        }
    }

    /// The first function or aggregation in the expression that is not answered.
    private static func unsupportedName(in expression: PromQLExpression) -> String? {
        switch expression {
        case .number, .string, .selector, .range: return nil
        case .subquery(let subquery): return unsupportedName(in: subquery.expression)
        case .parenthesized(let inner), .negated(let inner), .affirmed(let inner):
            return unsupportedName(in: inner)
        case .binary(let binary):
            return unsupportedName(in: binary.left) ?? unsupportedName(in: binary.right)
        case .aggregation(let aggregation):
            return aggregation.parameter.flatMap(unsupportedName)
                ?? unsupportedName(in: aggregation.expression)
        case .call(let call):
            if call.function.isUnsupported { return call.function.rawValue }
            for argument in call.arguments {
                if let name = unsupportedName(in: argument) { return name }
            }
            return nil
        }
    }
}

extension PromQLEvaluator {
    /// The raw samples of a range vector at the only step of `grid`, in order of labels.
    func rangeVector(
        _ expression: PromQLExpression,
        on grid: StepGrid
    ) throws(QueryError) -> [QuerySeries] {
        let isClosed = options.semantics.isRangeClosed
        switch expression {
        case .subquery(let subquery):
            let slide = WindowSlide(
                ends: reference(subquery.shift, on: grid),
                rangeMilliseconds: subquery.rangeMilliseconds,
                isClosed: isClosed
            )
            let inner = try samples(of: subquery, slide: slide)
            return LabelOrder.sortedIndices(inner.labels).compactMap {
                PromQL.points(of: inner.series, row: $0, grid: inner.grid)
            }
        case .range(let range):
            let slide = WindowSlide(
                ends: reference(range.selector.shift, on: grid),
                rangeMilliseconds: range.rangeMilliseconds,
                isClosed: isClosed
            )
            return try rawSamples(range.selector, slide)
        default: throw .invalid(reason: "expected a range vector")
        }
    }

    private func rawSamples(
        _ selector: PromQLSelector,
        _ slide: WindowSlide
    ) throws(QueryError) -> [QuerySeries] {
        let from = slide.earliest
        let through = slide.ends.end
        let selection = try select(selector.matchers, from: from, through: through)
        let labels = selection.labels
        let found = Mutex<[Int: QuerySeries]>([:])
        let context = context
        try selection.scan { (series, times, values) throws(QueryError) in
            try context.check()
            try context.reserve(bytes: times.count * 16)
            var keptTimes: [Int64] = []
            var keptValues: [Double] = []
            for index in times.indices
            where times[index] >= from && times[index] <= through && !values[index].isAbsent {
                keptTimes.append(times[index])
                keptValues.append(values[index])
            }
            guard !keptTimes.isEmpty else { return }
            let one = QuerySeries(labels: labels[series], times: keptTimes, values: keptValues)
            found.withLock { $0[series] = one }
        }
        try selection.scanHistograms { (series, histograms) throws(QueryError) in
            try context.check()
            var kept: [QueryHistogram] = []
            var bytes = 0
            for (time, box) in zip(histograms.times, histograms.boxes)
            where time >= from && time <= through && !box.histogram.isStale {
                kept.append(QueryHistogram(time: time, histogram: box.histogram))
                bytes += box.histogram.byteCount
            }
            guard !kept.isEmpty else { return }
            try context.reserve(bytes: bytes)
            found.withLock { found in
                found[series] = QuerySeries(
                    labels: labels[series],
                    times: found[series]?.times ?? [],
                    values: found[series]?.values ?? [],
                    histograms: kept
                )
            }
        }
        let series = found.withLock { $0 }
        return LabelOrder.sortedIndices(labels).compactMap { series[$0] }
    }
}
