internal import WeirCore

/// LogQL, from text to answer.
package enum LogQL {
    package static func parse(_ text: String) throws(QueryError) -> LogQLExpression {
        try LogQLParser.parse(text)
    }

    /// The value of a metric expression at one time, nanoseconds since the epoch.
    package static func evaluateInstant(
        _ expression: LogQLExpression,
        atNanoseconds time: Int64,
        source: any RowSource,
        context: QueryContext
    ) throws(QueryError) -> QueryValue {
        let evaluator = LogQLEvaluator(
            source: source,
            context: context,
            grid: LogQLEvaluator.Grid(start: time, interval: 0, count: 1)
        )
        let milliseconds = time / 1_000_000
        switch try evaluator.evaluate(expression) {
        case .scalar(let numbers): return .scalar(time: milliseconds, value: numbers[0])
        case .vector(let vector):
            let order =
                hasOwnOrder(expression)
                ? Array(vector.labels.indices) : LabelOrder.sortedIndices(vector.labels)
            var samples: [QuerySample] = []
            for row in order where !vector.values[row, 0].isAbsent {
                samples.append(
                    QuerySample(labels: vector.labels[row], value: vector.values[row, 0])
                )
            }
            return .vector(time: milliseconds, samples: samples)
        }
    }

    /// The value of a metric expression at `start`, `start + step`, … up to `end`, nanoseconds;
    /// always a matrix.
    package static func evaluateRange(
        _ expression: LogQLExpression,
        fromNanoseconds start: Int64,
        throughNanoseconds end: Int64,
        stepNanoseconds step: Int64,
        source: any RowSource,
        context: QueryContext
    ) throws(QueryError) -> QueryValue {
        guard step > 0 else {
            throw .invalid(reason: "zero or negative query resolution step widths are not accepted")
        }
        let (span, overflow) = end.subtractingReportingOverflow(start)
        guard !overflow, span >= 0 else {
            throw .invalid(reason: "end timestamp must not be before start time")
        }
        guard span / step < Int64(PromQL.pointsMax) else {
            throw .limit(name: "points per timeseries", limit: PromQL.pointsMax)
        }
        let grid = LogQLEvaluator.Grid(start: start, interval: step, count: Int(span / step) + 1)
        let evaluator = LogQLEvaluator(source: source, context: context, grid: grid)
        let times = (0..<grid.count).map { (start + Int64($0) * step) / 1_000_000 }
        switch try evaluator.evaluate(expression) {
        case .scalar(let numbers):
            return .matrix([QuerySeries(labels: .empty, times: times, values: numbers)])
        case .vector(let vector):
            try context.reserve(bytes: vector.count * grid.count * 16)
            var series: [QuerySeries] = []
            for row in LabelOrder.sortedIndices(vector.labels) {
                var ownTimes: [Int64] = []
                var values: [Double] = []
                for step in 0..<grid.count where !vector.values[row, step].isAbsent {
                    ownTimes.append(times[step])
                    values.append(vector.values[row, step])
                }
                guard !values.isEmpty else { continue }
                series.append(
                    QuerySeries(labels: vector.labels[row], times: ownTimes, values: values)
                )
            }
            return .matrix(series)
        }
    }

    /// Whether the expression itself says in which order an instant answer is.
    private static func hasOwnOrder(_ expression: LogQLExpression) -> Bool {
        switch expression.unwrapped {
        case .sorted: true
        case .aggregation(let aggregation): aggregation.operation.hasParameter
        default: false
        }
    }
}

extension QueryError {
    /// The error as Loki words it; `query` is the text it happened in, for line and column.
    package func logQLMessage(query: String) -> String {
        guard case .parse(let offset, let reason) = self else { return message(query: query) }
        let (line, column) = Self.position(of: offset, in: query)
        return "parse error at line \(line), col \(column): \(reason)"
    }
}
