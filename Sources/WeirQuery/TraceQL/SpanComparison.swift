internal import Synchronization
internal import WeirColumns
internal import WeirCore

/// `compare()`: how often each attribute's values occur among some spans and among all others.
struct SpanComparison: Sendable {
    private struct Key: Hashable {
        let name: String
        let value: SpanGroupKey.Value
        let isSelected: Bool
    }

    private let filter: SpanFilter
    private let top: Int
    private let times: ClosedRange<Int64>
    private let evaluator: TraceQLMetricsEvaluator

    init(
        _ field: TraceQLField,
        top: Int,
        times: ClosedRange<Int64>,
        evaluator: TraceQLMetricsEvaluator
    ) throws(QueryError) {
        filter = try SpanFilter(field)
        self.top = top
        self.times = times
        self.evaluator = evaluator
    }

    private static let intrinsics: [TraceQLIntrinsic] = [.name, .kind, .status, .statusMessage]

    func run() throws(QueryError) -> TraceQLSeries {
        let counts = Mutex<[Key: [Double]]>([:])
        let context = evaluator.context
        let names = try attributeNames()
        let fields = Set(names.flatMap { $0.source.fieldNames })
        try evaluator.forEachRows(extraFields: fields) { (view, rows) throws(QueryError) in
            var selected = try filter.rows(rows, view)
            let starts = try view.times()
            selected = selected.filter { times.contains(starts[Int($0)]) }
            let others = LogScan.without(selected, rows)
            var found: [Key: [Double]] = [:]
            for (part, isSelected) in [(selected, true), (others, false)] where !part.isEmpty {
                for name in names {
                    let grouping = name.grouping
                    let (numbers, keys) = try grouping.groups(of: part, view)
                    var cells = [[Double]?](repeating: nil, count: keys.count)
                    for (index, row) in part.enumerated() {
                        let offset = (starts[Int(row)] - evaluator.start) / evaluator.step
                        let step = min(max(0, Int(offset)), evaluator.count - 1)
                        let number = Int(numbers[index])
                        if cells[number] == nil {
                            cells[number] = [Double](repeating: 0, count: evaluator.count)
                        }
                        cells[number]?[step] += 1
                    }
                    for (number, values) in cells.enumerated() {
                        guard let values, let value = keys[number].values.first else { continue }
                        let key = Key(name: name.name, value: value, isSelected: isSelected)
                        found[key] = Self.sum(found[key], values)
                    }
                }
            }
            let added = try counts.withLock { held throws(QueryError) in
                var added = 0
                for (key, values) in found {
                    if held[key] == nil { added += 1 }
                    held[key] = Self.sum(held[key], values)
                }
                return added
            }
            try context.reserve(bytes: added * (evaluator.count * 8 + 128))
        }
        return series(counts.withLock { $0 })
    }

    private static func sum(_ left: [Double]?, _ right: [Double]) -> [Double] {
        guard let left else { return right }
        return zip(left, right).map { $0 + $1 }
    }

    private struct Name: Sendable {
        let name: String
        let source: SpanSource
        let grouping: SpanGrouping
    }

    /// Every attribute that a span in range may have.
    private func attributeNames() throws(QueryError) -> [Name] {
        let found = Mutex<Set<String>>([])
        let selection = try evaluator.source.select(
            [],
            times: evaluator.times,
            context: evaluator.context
        )
        try selection.scan(
            Array(selection.blocks.indices),
            isWanted: { _ in true },
            { (_, block) throws(QueryError) in
                let names = try block.fieldNames()
                found.withLock { $0.formUnion(names) }
            }
        )
        var names: [Name] = []
        func add(_ attribute: TraceQLAttribute) throws(QueryError) {
            names.append(
                Name(
                    name: TraceQLPrinter.print(attribute),
                    source: SpanSource(attribute),
                    grouping: try SpanGrouping([.attribute(attribute)])
                )
            )
        }
        for intrinsic in Self.intrinsics { try add(.intrinsic(intrinsic)) }
        for field in found.withLock({ $0 }).sorted() {
            for (prefix, scope) in [
                (SpanField.spanPrefix, TraceQLAttribute.Scope.span),
                (SpanField.resourcePrefix, .resource),
            ] where field.utf8.starts(with: prefix.utf8) {
                let name = String(
                    decoding: field.utf8.dropFirst(prefix.utf8.count),
                    as: UTF8.self
                )
                try add(.attribute(scope, name))
            }
        }
        return names
    }

    /// Series of the commonest values, and of all that have the attribute.
    private func series(_ counts: [Key: [Double]]) -> TraceQLSeries {
        var series: [TraceQLSeries.Series] = []
        let groups = Dictionary(grouping: counts.filter { $0.key.value.kind != nil }) {
            [$0.key.name, $0.key.isSelected ? "selection" : "baseline"]
        }
        for (group, entries) in groups.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            let order = entries.sorted { left, right in
                let (a, b) = (left.value.reduce(0, +), right.value.reduce(0, +))
                return a == b
                    ? left.key.value.text.lexicographicallyPrecedes(right.key.value.text) : a > b
            }
            for (key, values) in order.prefix(top) {
                series.append(one(group[1], group[0], key.value.kind, key.value.text, values))
            }
            let total = entries.reduce(nil as [Double]?) { Self.sum($0, $1.value) } ?? []
            series.append(one(group[1] + "_total", group[0], nil, [], total))
        }
        return TraceQLSeries(
            start: evaluator.start,
            step: evaluator.step,
            count: evaluator.count,
            series: series
        )
    }

    private func one(
        _ type: String,
        _ name: String,
        _ kind: FieldKind?,
        _ text: [UInt8],
        _ values: [Double]
    ) -> TraceQLSeries.Series {
        TraceQLSeries.Series(
            labels: [("__meta_type", .text, Array(type.utf8)), (name, kind, text)],
            values: values
        )
    }
}
