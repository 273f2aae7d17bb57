internal import Synchronization
internal import WeirColumns
internal import WeirCore
internal import WeirPattern

/// Samples that were kept with the trace they came from.
struct Exemplar: Sendable {
    /// Nanoseconds.
    let time: Int64
    let value: Double
    /// `trace_id`, `span_id` and whatever else was sent.
    let labels: [(name: String, value: String)]

    var traceID: TraceID? {
        labels.first { $0.name == ExemplarField.traceID }.flatMap { TraceID($0.value.utf8) }
    }
}

/// The exemplars of the series that a PromQL expression selects.
struct ExemplarSearch: Sendable {
    static let exemplarsMax = 100_000

    let source: any RowSource
    let context: QueryContext

    /// Series in order of labels, each with its exemplars in order of time; nil where the expression
    /// selects none.
    func run(
        _ expression: PromQLExpression,
        times: ClosedRange<Int64>
    ) throws(QueryError) -> [(series: Labels, exemplars: [Exemplar])]? {
        var selectors: [PromQLSelector] = []
        Self.gather(expression, &selectors)
        guard !selectors.isEmpty else { return nil }
        var found: [Labels: [Exemplar]] = [:]
        for selector in selectors {
            for (series, exemplars) in try run(selector.matchers, times)
            where found[series] == nil {
                found[series] = exemplars
            }
        }
        return found.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private static func gather(_ expression: PromQLExpression, _ found: inout [PromQLSelector]) {
        switch expression {
        case .number, .string: break
        case .selector(let selector): found.append(selector)
        case .range(let range): found.append(range.selector)
        case .subquery(let subquery): gather(subquery.expression, &found)
        case .parenthesized(let inner), .negated(let inner), .affirmed(let inner):
            gather(inner, &found)
        case .binary(let binary):
            gather(binary.left, &found)
            gather(binary.right, &found)
        case .aggregation(let aggregation):
            if let parameter = aggregation.parameter { gather(parameter, &found) }
            gather(aggregation.expression, &found)
        case .call(let call): for argument in call.arguments { gather(argument, &found) }
        }
    }

    private func run(
        _ matchers: [LabelMatcher],
        _ times: ClosedRange<Int64>
    ) throws(QueryError) -> [Labels: [Exemplar]] {
        let selection = try source.select(matchers, times: times, context: context)
        let found = Mutex<[Int: [Exemplar]]>([:])
        let context = context
        try selection.scan(
            Array(selection.blocks.indices),
            isWanted: { _ in true },
            { (_, block) throws(QueryError) in
                try context.check()
                let rows = try block.rows()
                guard !rows.isEmpty, let values = try block.field(ExemplarField.value) else {
                    return
                }
                let times = try block.times()
                let streams = try block.streamNumbers()
                try context.reserve(bytes: rows.count * 192)
                let numbers = values.doubles(at: rows) { SpanView.number($0) }
                var labels: [[(name: String, value: String)]] = rows.map { _ in [] }
                for name in try block.fieldNames() where name != ExemplarField.value {
                    guard let values = try block.field(name) else { continue }
                    for (place, row) in rows.enumerated() where values.kind(at: Int(row)) != nil {
                        let text = String(decoding: values.text(at: Int(row)), as: UTF8.self)
                        labels[place].append((name, text))
                    }
                }
                let total = found.withLock { held in
                    for (place, row) in rows.enumerated() {
                        held[Int(streams[Int(row)]), default: []].append(
                            Exemplar(
                                time: times[Int(row)],
                                value: numbers[place],
                                labels: labels[place]
                            )
                        )
                    }
                    return held.values.reduce(0) { $0 + $1.count }
                }
                guard total <= Self.exemplarsMax else {
                    throw .limit(name: "exemplars in an answer", limit: Self.exemplarsMax)
                }
            }
        )
        var result: [Labels: [Exemplar]] = [:]
        for (stream, exemplars) in found.withLock({ $0 }) where stream >= 0 {
            result[selection.streams[stream]] = exemplars.sorted { $0.time < $1.time }
        }
        return result
    }
}
