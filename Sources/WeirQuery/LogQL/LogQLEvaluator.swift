internal import WeirCore
internal import WeirPattern

/// Computes a metric expression at every step at once.
///
/// An aggregation over a range aggregation is run straight into its own groups where the result is
/// the same, so that labels it drops are never made.
struct LogQLEvaluator {
    enum Value {
        case scalar([Double])
        case vector(SeriesGrid)
    }

    /// The times of evaluation, nanoseconds.
    struct Grid {
        let start: Int64
        let interval: Int64
        let count: Int
    }

    let source: any RowSource
    let context: QueryContext
    let grid: Grid

    /// `asked`: Labels that expressions above need besides a stream's own.
    func evaluate(
        _ expression: LogQLExpression,
        asked: Set<String> = []
    ) throws(QueryError) -> Value {
        try context.check()
        switch expression {
        case .logs: throw .invalid(reason: "a log query is no metric query")
        case .parenthesized(let inner): return try evaluate(inner, asked: asked)
        case .number(let number):
            try context.reserve(bytes: grid.count * 8)
            return .scalar([Double](repeating: number.value, count: grid.count))
        case .vector(let number):
            let buffer = try GridBuffer(
                rows: 1,
                steps: grid.count,
                initial: number.value,
                context: context
            )
            return .vector(SeriesGrid(labels: [.empty], values: buffer))
        case .range(let range): return .vector(try evaluate(range, asked: asked))
        case .aggregation(let aggregation):
            return .vector(try evaluate(aggregation, asked: asked))
        case .sorted(let inner, let isDescending):
            return .vector(try sorted(try vector(inner, asked: asked), isDescending))
        case .labelReplace(let replace): return .vector(try evaluate(replace, asked: asked))
        case .binary(let binary): return try evaluate(binary, asked: asked)
        }
    }

    private func vector(
        _ expression: LogQLExpression,
        asked: Set<String>
    ) throws(QueryError) -> SeriesGrid {
        guard case .vector(let vector) = try evaluate(expression, asked: asked) else {
            throw .invalid(reason: "expected a metric query")
        }
        return vector
    }

    private func sorted(
        _ input: SeriesGrid,
        _ isDescending: Bool
    ) throws(QueryError) -> SeriesGrid {
        guard input.steps == 1 else { return input }
        let input = try input.compacted(context: context)
        let order = input.labels.indices.sorted { left, right in
            let (a, b) = (input.values[left, 0], input.values[right, 0])
            if a.isNaN || b.isNaN { return b.isNaN && !a.isNaN }
            return isDescending ? a > b : a < b
        }
        let values = try GridBuffer(rows: input.count, steps: 1, context: context)
        for (row, source) in order.enumerated() { values[row, 0] = input.values[source, 0] }
        return SeriesGrid(labels: order.map { input.labels[$0] }, values: values)
    }

    private func evaluate(
        _ replace: LogQLLabelReplace,
        asked: Set<String>
    ) throws(QueryError) -> SeriesGrid {
        var input = try vector(replace.expression, asked: asked.union([replace.source]))
        do throws(PatternError) {
            let pattern = try CapturePattern(replace.pattern)
            for row in input.labels.indices {
                if row & 255 == 0 {
                    do throws(QueryError) { try context.check() } catch { break }
                }
                let value = input.labels[row][replace.source] ?? ""
                if let text = try pattern.rewrite(value, as: replace.replacement, lengthMax: 65536)
                {
                    input.labels[row] = input.labels[row].setting(replace.target, to: text)
                }
            }
        } catch {
            throw .invalid(reason: error.reason)
        }
        try context.check()
        return try input.unique(context: context)
    }

    private func evaluate(
        _ binary: LogQLBinary,
        asked: Set<String>
    ) throws(QueryError) -> Value {
        var asked = asked
        if let matching = binary.matching {
            asked.formUnion(matching.isOn ? matching.labels : [])
            asked.formUnion(matching.included)
        }
        let left = try evaluate(binary.left, asked: asked)
        let right = try evaluate(binary.right, asked: asked)
        let operation = GridBinary(
            binary.operation,
            returnsBool: binary.returnsBool,
            context: context
        )
        switch (left, right) {
        case (.scalar(let left), .scalar(let right)):
            // Comparisons of literals are 0 or 1, as Loki reduces them.
            let numbers = GridBinary(
                binary.operation,
                returnsBool: binary.operation.isComparison,
                context: context
            )
            return .scalar(numbers.scalars(left, right))
        case (.vector(let vector), .scalar(let scalar)):
            return .vector(try operation.vector(vector, scalar: scalar, isScalarLeft: false))
        case (.scalar(let scalar), .vector(let vector)):
            return .vector(try operation.vector(vector, scalar: scalar, isScalarLeft: true))
        case (.vector(let left), .vector(let right)):
            let matching = binary.matching ?? VectorMatching()
            if binary.operation.isSet { return .vector(try operation.set(left, right, matching)) }
            return .vector(try operation.vectors(left, right, matching))
        }
    }

    // MARK: Aggregations

    private func evaluate(
        _ aggregation: LogQLAggregation,
        asked: Set<String>
    ) throws(QueryError) -> SeriesGrid {
        if case .range(let range) = aggregation.expression.unwrapped,
            let grouping = fused(aggregation, range)
        {
            return try evaluate(range, grouping: grouping).compacted(context: context)
        }
        // What is grouped by here is all that is left for those above.
        let needed =
            aggregation.grouping.isWithout || aggregation.operation == .topk
                || aggregation.operation == .bottomk
            ? asked.union(aggregation.grouping.isWithout ? [] : aggregation.grouping.labels)
            : Set(aggregation.grouping.labels)
        let input = try vector(aggregation.expression, asked: needed).compacted(context: context)
        let grouped = GridAggregation(input, grouping: aggregation.grouping, context: context)
        guard let parameter = aggregation.parameter else {
            return try grouped.reduce(aggregation.operation)
        }
        return try grouped.extremes(
            count: [Double](repeating: parameter.value, count: grid.count),
            isTop: aggregation.operation == .topk
        )
    }

    /// The groups into which rows may go at once; nil when series must be kept apart.
    private func fused(
        _ aggregation: LogQLAggregation,
        _ range: LogQLRangeAggregation
    ) -> LogGrouping? {
        guard range.grouping == nil else { return nil }
        switch (aggregation.operation, range.operation) {
        case (.sum, .count), (.sum, .rate), (.sum, .bytes), (.sum, .bytesRate), (.sum, .sum),
            (.min, .min), (.max, .max):
            return grouping(aggregation.grouping, range, asked: [])
        default: return nil
        }
    }

    private func grouping(
        _ written: Grouping?,
        _ range: LogQLRangeAggregation,
        asked: Set<String>
    ) -> LogGrouping {
        if let written, !written.isWithout { return .by(written.labels) }
        var grouping = LogGrouping(isWhole: true, names: [])
        grouping.dropped = Set(written?.labels ?? [])
        if let label = range.unwrap?.label { grouping.dropped.insert(label) }
        grouping.names = asked.subtracting(grouping.dropped).sorted()
        return grouping
    }

    private func evaluate(
        _ range: LogQLRangeAggregation,
        asked: Set<String>
    ) throws(QueryError) -> SeriesGrid {
        if range.operation == .absent { return try absent(range) }
        return try evaluate(range, grouping: grouping(range.grouping, range, asked: asked))
    }

    private func absent(_ range: LogQLRangeAggregation) throws(QueryError) -> SeriesGrid {
        var counted = range
        counted.operation = range.unwrap == nil ? .count : .sum
        let found = try evaluate(counted, grouping: .by([]))
        var labels = Labels.empty
        for matcher in range.query.matchers where matcher.operation == .equal {
            labels = labels.setting(matcher.name, to: matcher.value)
        }
        let values = try GridBuffer(rows: 1, steps: grid.count, context: context)
        for step in 0..<grid.count where found.count == 0 || found.values[0, step].isAbsent {
            values[0, step] = 1
        }
        return SeriesGrid(labels: [labels], values: values)
    }

    private func evaluate(
        _ range: LogQLRangeAggregation,
        grouping: LogGrouping
    ) throws(QueryError) -> SeriesGrid {
        let (start, overflow) = grid.start.subtractingReportingOverflow(range.offsetNanoseconds)
        guard !overflow else { throw .invalid(reason: "offset is out of range") }
        let windows = LogWindows(
            start: start,
            interval: grid.interval,
            count: grid.count,
            range: range.rangeNanoseconds
        )
        var names: Set<String>? = grouping.isWhole ? nil : Set(grouping.names)
        if let unwrap = range.unwrap {
            names?.insert(unwrap.label)
            let tests = LogTests()
            for filter in unwrap.filters {
                names?.formUnion(try LogPipeline.condition(filter, tests).names)
            }
        }
        let isSized = range.operation == .bytes || range.operation == .bytesRate
        let scan = try LogScan(
            range.query,
            need: LogPipeline.Need(labels: names, line: isSized),
            times: windows.times,
            source: source,
            context: context
        )
        let tally = try LogTally(scan, range, windows: windows, grouping: grouping)
        let (labels, cells) = try tally.run()
        let values = try GridBuffer(rows: labels.count, steps: grid.count, context: context)
        let seconds = Double(range.rangeNanoseconds) / 1e9
        if cells.kind == .values {
            try LogWindowValues(
                operation: range.operation,
                parameter: range.parameter?.value ?? 0,
                windows: windows
            ).fill(values, cells.samples, context)
        } else {
            for row in 0..<labels.count {
                if row & 63 == 0 { try context.check() }
                LogWindowTotals(operation: range.operation, windows: windows, seconds: seconds)
                    .fill(values, row, cells)
            }
        }
        return SeriesGrid(labels: labels, values: values)
    }
}
