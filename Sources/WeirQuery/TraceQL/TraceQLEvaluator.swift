internal import WeirColumns
internal import WeirCore

/// Some spans of one trace that belong together, with what stages found out about them.
struct Spanset {
    let trace: Int
    /// Rows of the table, ascending.
    var rows: [UInt32]
    /// What `by()` grouped by and what aggregates came to, named as they are written.
    var attributes: [(name: String, kind: FieldKind, text: [UInt8])] = []
}

/// A query's stages over whole traces.
struct TraceQLEvaluator {
    private let stages: [TraceQLStage]
    private let context: QueryContext
    private var filters: [TraceQLField: SpanFilter] = [:]
    private var expressions: [TraceQLField: SpanExpression] = [:]

    init(_ stages: [TraceQLStage], context: QueryContext) {
        self.stages = stages
        self.context = context
    }

    /// The sets of spans that are left, those of a trace together.
    mutating func evaluate(_ table: TraceTable) throws(QueryError) -> [Spanset] {
        var relations = SpanRelations { table.parents }
        let all = Self.split((0..<UInt32(table.rowCount)).map { $0 }, table)
        return try run(stages, all, table, &relations)
    }

    private mutating func run(
        _ stages: [TraceQLStage],
        _ sets: [Spanset],
        _ table: TraceTable,
        _ relations: inout SpanRelations
    ) throws(QueryError) -> [Spanset] {
        var sets = sets
        for (place, stage) in stages.enumerated() {
            try context.check()
            switch stage {
            case .select: break
            case .coalesce: sets = Self.coalesced(sets)
            case .spanset(let spanset):
                if place == 0 {
                    // All traces at once: a set each still.
                    let rows = try rows(spanset, Self.union(sets), table, &relations)
                    sets = Self.split(rows, table)
                } else {
                    for index in sets.indices {
                        sets[index].rows = try rows(spanset, sets[index].rows, table, &relations)
                    }
                    sets.removeAll { $0.rows.isEmpty }
                }
            case .by(let field): sets = try grouped(sets, field, table)
            case .scalar(let filter):
                var kept: [Spanset] = []
                for var set in sets where try passes(filter, &set, table) { kept.append(set) }
                sets = kept
            }
        }
        return sets
    }

    private static func union(_ sets: [Spanset]) -> [UInt32] {
        var rows = sets.flatMap(\.rows)
        if sets.count > 1 {
            rows.sort()
            var kept: [UInt32] = []
            for row in rows where kept.last != row { kept.append(row) }
            rows = kept
        }
        return rows
    }

    private static func split(_ rows: [UInt32], _ table: TraceTable) -> [Spanset] {
        var sets: [Spanset] = []
        for row in rows {
            let trace = Int(table.traceOfRow[Int(row)])
            if sets.last?.trace != trace { sets.append(Spanset(trace: trace, rows: [])) }
            sets[sets.count - 1].rows.append(row)
        }
        return sets
    }

    private static func coalesced(_ sets: [Spanset]) -> [Spanset] {
        var merged: [Spanset] = []
        var start = 0
        while start < sets.count {
            var end = start
            while end < sets.count, sets[end].trace == sets[start].trace { end += 1 }
            merged.append(Spanset(trace: sets[start].trace, rows: union(Array(sets[start..<end]))))
            start = end
        }
        return merged
    }

    // MARK: Sets of spans

    private mutating func rows(
        _ spanset: TraceQLSpanset,
        _ domain: [UInt32],
        _ table: TraceTable,
        _ relations: inout SpanRelations
    ) throws(QueryError) -> [UInt32] {
        switch spanset {
        case .filter(let field):
            let filter: SpanFilter
            if let known = filters[field] {
                filter = known
            } else {
                filter = try SpanFilter(field)
                filters[field] = filter
            }
            return try filter.rows(domain, table.view)
        case .pipeline(let stages):
            let sets = Self.split(domain, table)
            return Self.union(try run(stages, sets, table, &relations))
        case .operation(let operation, let left, let right):
            let a = try rows(left, domain, table, &relations)
            let b = try rows(right, domain, table, &relations)
            guard let relation = operation.relation else {
                if operation == .or {
                    return LogBlockView.merged(a, LogScan.without(Self.common(a, b), b))
                }
                let traces = Set(a.map { table.traceOfRow[Int($0)] })
                    .intersection(b.map { table.traceOfRow[Int($0)] })
                let either = LogBlockView.merged(a, LogScan.without(Self.common(a, b), b))
                return either.filter { traces.contains(table.traceOfRow[Int($0)]) }
            }
            let related = relations.related(relation, a, b)
            if operation.isNegated { return LogScan.without(related, b) }
            guard operation.isUnion else { return related }
            let others = relations.related(SpanRelations.inverse(relation), b, a)
            return LogBlockView.merged(
                related,
                LogScan.without(Self.common(related, others), others)
            )
        }
    }

    /// The rows in both lists, which ascend.
    private static func common(_ left: [UInt32], _ right: [UInt32]) -> [UInt32] {
        var found: [UInt32] = []
        var (a, b) = (0, 0)
        while a < left.count, b < right.count {
            if left[a] == right[b] {
                found.append(left[a])
                a += 1
                b += 1
            } else if left[a] < right[b] {
                a += 1
            } else {
                b += 1
            }
        }
        return found
    }

    // MARK: Groups and numbers

    private mutating func expression(_ field: TraceQLField) throws(QueryError) -> SpanExpression {
        if let known = expressions[field] { return known }
        let made = try SpanExpression(field, LogTests())
        expressions[field] = made
        return made
    }

    /// What groups are told apart by: type and text.
    private struct Key: Hashable {
        let kind: UInt8
        let text: [UInt8]
    }

    private mutating func grouped(
        _ sets: [Spanset],
        _ field: TraceQLField,
        _ table: TraceTable
    ) throws(QueryError) -> [Spanset] {
        let expression = try expression(field)
        let name = "by(\(TraceQLPrinter.print(field)))"
        var groups: [Spanset] = []
        for set in sets {
            var place: [Key: Int] = [:]
            for row in set.rows {
                let shown: (kind: FieldKind, text: [UInt8])?
                if case .source(let source) = expression {
                    shown = try table.view.shown(source, row: Int(row))
                } else {
                    shown = SpanView.shown(try expression.value(table.view, row: Int(row)))
                }
                let key = Key(kind: shown?.kind.rawValue ?? 0, text: shown?.text ?? [])
                if let known = place[key] {
                    groups[known].rows.append(row)
                    continue
                }
                place[key] = groups.count
                let value = (name, shown?.kind ?? .text, shown?.text ?? Array("nil".utf8))
                groups.append(
                    Spanset(
                        trace: set.trace,
                        rows: [row],
                        attributes: set.attributes.filter { $0.name != name } + [value]
                    )
                )
            }
        }
        return groups
    }

    private mutating func passes(
        _ filter: TraceQLScalarFilter,
        _ set: inout Spanset,
        _ table: TraceTable
    ) throws(QueryError) -> Bool {
        let left = try number(filter.left, &set, table)
        let right = try number(filter.right, &set, table)
        return filter.operation.holds(left, right)
    }

    /// What a set comes to; NaN when there is nothing to make a number of.
    private mutating func number(
        _ scalar: TraceQLScalar,
        _ set: inout Spanset,
        _ table: TraceTable
    ) throws(QueryError) -> Double {
        switch scalar {
        case .literal(let literal): return literal.number ?? .nan
        case .arithmetic(let operation, let left, let right):
            let a = try number(left, &set, table)
            let b = try number(right, &set, table)
            return TraceQLValue.arithmetic(operation, a, b)
        case .aggregate(let aggregate, let field):
            let value: Double
            if let field {
                let numbers = try table.view.numbers(try expression(field), set.rows)
                    .filter { !$0.isNaN }
                switch aggregate {
                case .count: value = Double(numbers.count)
                case .min: value = numbers.min() ?? .nan
                case .max: value = numbers.max() ?? .nan
                case .sum: value = numbers.isEmpty ? .nan : numbers.reduce(0, +)
                case .avg:
                    value =
                        numbers.isEmpty ? .nan : numbers.reduce(0, +) / Double(numbers.count)
                }
            } else {
                value = Double(set.rows.count)
            }
            let name = TraceQLPrinter.print(scalar)
            set.attributes.removeAll { $0.name == name }
            if !value.isNaN {
                set.attributes.append((name, .number, Array(NumberText.plain(value).utf8)))
            }
            return value
        }
    }
}
