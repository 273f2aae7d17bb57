internal import Synchronization
internal import WeirColumns
package import WeirCore

/// The series that a metric comes to.
package struct TraceQLSeries: Sendable {
    package struct Series: Sendable {
        /// A text of kind nil is a value that spans lack.
        package let labels: [(name: String, kind: FieldKind?, text: [UInt8])]
        /// One per step; NaN where there is none.
        package var values: [Double]
    }

    /// When the first step begins, nanoseconds.
    package let start: Int64
    package let step: Int64
    package let count: Int
    package var series: [Series]
}

/// Turns spans into series: `rate()` and the like over steps of equal length.
///
/// A span counts in the step in which it starts; step `i` is `start + i × step` up to, and without,
/// the next.
package struct TraceQLMetricsEvaluator: Sendable {
    let query: TraceQLQuery
    let metrics: TraceQLMetrics
    let start: Int64
    let step: Int64
    let count: Int
    let source: any RowSource
    let context: QueryContext

    var times: ClosedRange<Int64> { start...(start + step * Int64(count) - 1) }

    /// - Throws: `.invalid` when the query has no metric, `.limit` for too many steps.
    package init(
        _ query: TraceQLQuery,
        start: Int64,
        step: Int64,
        count: Int,
        source: any RowSource,
        context: QueryContext
    ) throws(QueryError) {
        guard let metrics = query.metrics else {
            throw .invalid(reason: "a metric is missing, such as {} | rate()")
        }
        guard count <= PromQL.pointsMax else {
            throw .limit(name: "points per timeseries", limit: PromQL.pointsMax)
        }
        let (length, isTooLong) = step.multipliedReportingOverflow(by: Int64(count))
        guard count > 0, step > 0, !isTooLong,
            !start.addingReportingOverflow(length).overflow
        else { throw .invalid(reason: "the times or the step are out of range") }
        self.query = query
        self.metrics = metrics
        self.start = start
        self.step = step
        self.count = count
        self.source = source
        self.context = context
    }

    package func run() throws(QueryError) -> TraceQLSeries {
        if case .compare(let field, let top, let from, let through) = metrics.function {
            let comparison = try SpanComparison(
                field,
                top: top,
                times: (from ?? .min)...max(from ?? .min, through ?? .max),
                evaluator: self
            )
            return select(try comparison.run())
        }
        let shape = try SpanTally.Shape(self)
        let tallies = Tallies(shape)
        try forEachRows { (view, rows) throws(QueryError) in
            var tally = tallies.take()
            try tally.add(rows, view, context)
            tallies.put(tally)
        }
        return select(tallies.merged().series(self))
    }

    /// Tallies that are not in use: as many as threads, each with its own groups.
    private final class Tallies: Sendable {
        private let shape: SpanTally.Shape
        private let idle = Mutex<[SpanTally]>([])

        init(_ shape: SpanTally.Shape) { self.shape = shape }

        func take() -> SpanTally { idle.withLock { $0.popLast() } ?? SpanTally(shape) }
        func put(_ tally: SpanTally) { idle.withLock { $0.append(tally) } }

        func merged() -> SpanTally {
            let all = idle.withLock { $0 }
            var first = all.first ?? SpanTally(shape)
            for other in all.dropFirst() { first.merge(other) }
            return first
        }
    }

    /// Calls `body` with the rows that the query's stages leave, on several threads at once.
    func forEachRows(
        extraFields: Set<String> = [],
        _ body: @escaping @Sendable (SpanView, [UInt32]) throws(QueryError) -> Void
    ) throws(QueryError) {
        let candidates = try TraceCandidates(query)
        let selection = try source.select([], times: times, context: context)
        let needsTraces =
            !candidates.isCertain || metrics.fields.contains { $0.isOfTrace }
        guard needsTraces else {
            let filter = candidates.filter
            try selection.scan(
                Array(selection.blocks.indices),
                isWanted: { _ in true },
                { (_, block) throws(QueryError) in
                    try context.check()
                    guard try filter.mayPass(block) else { return }
                    let view = SpanView(block)
                    let rows = try filter.rows(try block.rows(), view)
                    if !rows.isEmpty { try body(view, rows) }
                }
            )
            return
        }
        let ids = try candidates.find(selection, limit: .max, context: context)
        let search = TraceSearch(
            query,
            times: times,
            limit: 1,
            source: source,
            context: context
        )
        var fields = extraFields
        for field in metrics.fields {
            field.forEachAttribute { fields.formUnion(SpanSource($0).fieldNames) }
        }
        try search.forEachTable(ids, first: 256, extraFields: fields) {
            (table, traces) throws(QueryError) in
            var rows: [UInt32] = []
            for sets in traces {
                for set in sets {
                    for row in set.rows where times.contains(table.times[Int(row)]) {
                        rows.append(row)
                    }
                }
            }
            rows.sort()
            if !rows.isEmpty { try body(table.view, rows) }
            return true
        }
    }

    // MARK: Among series

    private func select(_ found: TraceQLSeries) -> TraceQLSeries {
        var result = found
        for selection in metrics.selections {
            switch selection {
            case .compare(let operation, let literal):
                let threshold = literal.number ?? .nan
                for index in result.series.indices {
                    for step in 0..<count
                    where !operation.holds(result.series[index].values[step], threshold) {
                        result.series[index].values[step] = .nan
                    }
                }
            case .topk(let limit): Self.keep(limit, greatest: true, &result)
            case .bottomk(let limit): Self.keep(limit, greatest: false, &result)
            }
            result.series.removeAll { $0.values.allSatisfy(\.isNaN) }
        }
        return result
    }

    /// Leaves `limit` values in each step; of equal ones those of the series that comes first.
    private static func keep(_ limit: Int, greatest: Bool, _ result: inout TraceQLSeries) {
        for step in 0..<result.count {
            let held = result.series.indices.filter { !result.series[$0].values[step].isNaN }
            guard held.count > limit else { continue }
            let order = held.sorted { left, right in
                let (a, b) = (result.series[left].values[step], result.series[right].values[step])
                return a == b ? left < right : greatest ? a > b : a < b
            }
            for index in order.dropFirst(limit) { result.series[index].values[step] = .nan }
        }
    }
}
