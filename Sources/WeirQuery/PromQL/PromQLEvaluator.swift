internal import WeirCore
internal import WeirPattern

/// Computes an expression at every step of a grid at once.
///
/// Each node turns the grids of its operands into its own; the grid of an operand belongs to the
/// node alone and may be changed in place. Samples are only ever seen inside `scan`, one series at
/// a time, and reduced to one number per step there.
struct PromQLEvaluator {
    /// What a node yields: a scalar has a value at each step.
    enum Value {
        case scalar([Double])
        case vector(SeriesGrid)
        case string(String)
    }

    let source: any SampleSource
    let context: QueryContext
    let options: PromQLOptions
    /// What `start()` and `end()` mean: the bounds of the whole query.
    let queryStart: Int64
    let queryEnd: Int64

    /// Computes a node and all below it.
    ///
    /// With `mayRepeat` series may come out with equal labels, as they do when metric names are
    /// dropped, because an aggregation takes them together anyway.
    func evaluate(
        _ expression: PromQLExpression,
        on grid: StepGrid,
        mayRepeat: Bool = false
    ) throws(QueryError) -> Value {
        switch expression {
        case .number(let number):
            return .scalar(try constant(number.value, on: grid))
        case .string(let text): return .string(text)
        case .parenthesized(let inner), .affirmed(let inner):
            return try evaluate(inner, on: grid, mayRepeat: mayRepeat)
        case .selector(let selector):
            return .vector(try instantVector(selector, on: grid).collected())
        case .range, .subquery:
            throw .invalid(reason: "a range vector is no result of its own here")
        case .negated(let inner):
            switch try evaluate(inner, on: grid, mayRepeat: mayRepeat) {
            case .scalar(let numbers): return .scalar(numbers.map { -$0 })
            case .vector(var vector):
                vector.update { value, _ in -value }
                vector.histograms = try vector.histograms?.mapped { histogram, _, _ in
                    histogram.multiplied(by: -1)
                }
                vector.dropMetricNames()
                return .vector(mayRepeat ? vector : try vector.unique(context: context))
            case .string: throw .invalid(reason: "a string has no sign")
            }
        case .binary(let binary): return try evaluate(binary, on: grid)
        case .aggregation(let aggregation):
            return .vector(try evaluate(aggregation, on: grid))
        case .call(let call): return try evaluate(call, on: grid, mayRepeat: mayRepeat)
        }
    }

    /// The same number at every step.
    ///
    /// What scalars hold is paid for until the query ends.
    func constant(_ number: Double, on grid: StepGrid) throws(QueryError) -> [Double] {
        try context.reserve(bytes: grid.count * 16)
        return [Double](repeating: number, count: grid.count)
    }

    func vector(
        _ expression: PromQLExpression,
        on grid: StepGrid,
        mayRepeat: Bool = false
    ) throws(QueryError) -> SeriesGrid {
        let value = try evaluate(expression, on: grid, mayRepeat: mayRepeat)
        guard case .vector(let vector) = value else {
            throw .invalid(reason: "expected an instant vector")
        }
        return vector
    }

    func scalar(
        _ expression: PromQLExpression,
        on grid: StepGrid
    ) throws(QueryError) -> [Double] {
        guard case .scalar(let numbers) = try evaluate(expression, on: grid) else {
            throw .invalid(reason: "expected a scalar")
        }
        return numbers
    }

    func string(_ expression: PromQLExpression) throws(QueryError) -> String {
        guard case .string(let text) = expression.unwrapped else {
            throw .invalid(reason: "expected a string")
        }
        return text
    }

    private func evaluate(
        _ binary: PromQLBinary,
        on grid: StepGrid
    ) throws(QueryError) -> Value {
        let left = try evaluate(binary.left, on: grid)
        let right = try evaluate(binary.right, on: grid)
        let operation = GridBinary(
            binary.operation,
            returnsBool: binary.returnsBool,
            at: binary.place,
            context: context
        )
        switch (left, right) {
        case (.scalar(let left), .scalar(let right)):
            return .scalar(operation.scalars(left, right))
        case (.vector(let vector), .scalar(let scalar)):
            return .vector(try operation.vector(vector, scalar: scalar, isScalarLeft: false))
        case (.scalar(let scalar), .vector(let vector)):
            return .vector(try operation.vector(vector, scalar: scalar, isScalarLeft: true))
        case (.vector(let left), .vector(let right)):
            let matching = binary.matching ?? VectorMatching()
            if binary.operation.isSet { return .vector(try operation.set(left, right, matching)) }
            return .vector(try operation.vectors(left, right, matching))
        default: throw .invalid(reason: "strings have no operators")
        }
    }

    private func evaluate(
        _ aggregation: PromQLAggregation,
        on grid: StepGrid
    ) throws(QueryError) -> SeriesGrid {
        if let streamed = try streamed(aggregation, on: grid) { return streamed }
        guard let parameter = aggregation.parameter else {
            return try grouped(aggregation, on: grid).reduce(aggregation.operation)
        }
        if aggregation.operation == .countValues {
            let name = try string(parameter)
            guard !name.isEmpty else { throw .invalid(reason: "invalid label name \"\"") }
            return try grouped(aggregation, on: grid).countValues(name: name)
        }
        let numbers = try scalar(parameter, on: grid)
        let grouped = try grouped(aggregation, on: grid)
        switch aggregation.operation {
        case .quantile:
            noteBounds(of: numbers, at: aggregation.parameterPlace)
            return try grouped.quantile(numbers)
        case .topk, .bottomk:
            return try grouped.extremes(count: numbers, isTop: aggregation.operation == .topk)
        case .limitk: return try grouped.first(count: numbers)
        case .limitRatio:
            noteRatios(numbers, at: aggregation.parameterPlace)
            return try grouped.share(numbers)
        default: throw .unsupported(name: aggregation.operation.rawValue)
        }
    }

    /// The series that an aggregation is over, in their groups.
    private func grouped(
        _ aggregation: PromQLAggregation,
        on grid: StepGrid
    ) throws(QueryError) -> GridAggregation {
        let mayRepeat = options.semantics.aggregatesRepeats && !aggregation.operation.keepsSeries
        let input = try vector(aggregation.expression, on: grid, mayRepeat: mayRepeat)
            .compacted(context: context)
        if context.isMarking, !RowShape(aggregation.expression).isOrdered {
            context.mark { $0.addOrder(input.labels.hashValue) }
        }
        return GridAggregation(
            input,
            grouping: aggregation.grouping,
            at: aggregation.notePlace,
            context: context
        )
    }

    /// Aggregates a selector or a range function over very many series while they are read.
    ///
    /// - Returns: Nil when the aggregation needs all series at once, or they are few enough.
    private func streamed(
        _ aggregation: PromQLAggregation,
        on grid: StepGrid
    ) throws(QueryError) -> SeriesGrid? {
        guard GroupAccumulator.takes(aggregation.operation) else { return nil }
        let rows: any GridRows
        var dropsNames = false
        var noteQuantiles: (SeriesGrid) -> Void = { _ in }
        switch aggregation.expression.unwrapped {
        case .selector(let selector): rows = try instantVector(selector, on: grid)
        case .call(let call):
            guard call.function != .absent_over_time, call.function.signature.result == .vector,
                call.function.signature.arguments.contains(.matrix)
            else { return nil }
            dropsNames = call.function.dropsNames
            guard options.semantics.aggregatesRepeats || !dropsNames,
                let matrix = call.arguments.first(where: { $0.type == .matrix }),
                case .range(let range) = matrix.unwrapped
            else { return nil }
            let ready = try windowCall(call, on: grid)
            rows = try windows(ready, over: range)
            noteQuantiles = { self.noteQuantiles(of: call, ready, $0) }
        default: return nil
        }
        let (cells, overflow) = rows.labels.count.multipliedReportingOverflow(by: grid.count)
        // Which names are dropped shows in the groups alone.
        let grouping =
            dropsNames ? aggregation.grouping.ignoringMetricName : aggregation.grouping
        if overflow || cells >= options.streamedCellsMin {
            if let result = try rows.aggregated(aggregation.operation, grouping) {
                noteQuantiles(result)
                return result
            }
        }
        var collected = try rows.collected()
        noteQuantiles(collected)
        // Notes about histograms tell the names that are left.
        if dropsNames, collected.histograms != nil { collected.dropMetricNames() }
        return try GridAggregation(
            try collected.compacted(context: context),
            grouping: grouping,
            at: aggregation.notePlace,
            context: context
        ).reduce(aggregation.operation)
    }
}
