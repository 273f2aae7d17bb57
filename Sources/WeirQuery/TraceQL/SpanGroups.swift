internal import WeirColumns
internal import WeirCore

/// What a group of spans has in common: one value for each expression that spans are grouped by.
struct SpanGroupKey: Hashable, Sendable {
    struct Value: Hashable, Sendable {
        /// Nil where spans lack it.
        let kind: FieldKind?
        let text: [UInt8]
    }

    let values: [Value]
}

/// Tells spans apart by codes of columns, never by making a value for each row.
struct SpanGrouping: Sendable {
    let names: [String]
    private let expressions: [SpanExpression]

    init(_ fields: [TraceQLField]) throws(QueryError) {
        let tests = LogTests()
        names = fields.map { TraceQLPrinter.print($0) }
        var expressions: [SpanExpression] = []
        for field in fields { expressions.append(try SpanExpression(field, tests)) }
        self.expressions = expressions
    }

    /// A code per row, and what each stands for.
    private struct Dimension {
        var codes: [UInt32]
        var values: [SpanGroupKey.Value]
    }

    /// A number per row of `rows`, and the key of each number; not every key need occur.
    func groups(
        of rows: [UInt32],
        _ view: SpanView
    ) throws(QueryError) -> (numbers: [UInt32], keys: [SpanGroupKey]) {
        guard let first = expressions.first else {
            return ([UInt32](repeating: 0, count: rows.count), [SpanGroupKey(values: [])])
        }
        let dimension = try dimension(first, rows, view)
        var numbers = dimension.codes
        var keys = dimension.values.map { SpanGroupKey(values: [$0]) }
        for expression in expressions.dropFirst() {
            let next = try self.dimension(expression, rows, view)
            var known: [UInt64: UInt32] = [:]
            var combined: [SpanGroupKey] = []
            for index in 0..<numbers.count {
                let pair = UInt64(numbers[index]) << 32 | UInt64(next.codes[index])
                if let number = known[pair] {
                    numbers[index] = number
                    continue
                }
                let values =
                    keys[Int(numbers[index])].values + [next.values[Int(next.codes[index])]]
                known[pair] = UInt32(combined.count)
                numbers[index] = UInt32(combined.count)
                combined.append(SpanGroupKey(values: values))
            }
            keys = combined
        }
        return (numbers, keys)
    }

    private func dimension(
        _ expression: SpanExpression,
        _ rows: [UInt32],
        _ view: SpanView
    ) throws(QueryError) -> Dimension {
        if case .source(let source) = expression {
            switch source {
            case .attribute(let names) where names.count == 1:
                return try Self.column(names[0], nil, rows, view)
            case .intrinsic(let intrinsic) where !intrinsic.isInList:
                let absent: String? =
                    switch intrinsic.type {
                    case .status: "unset"
                    case .kind: "unspecified"
                    case .text: intrinsic.isOfTrace ? nil : ""
                    case .number: nil
                    }
                return try Self.column(intrinsic.field, absent, rows, view)
            default: break
            }
        }
        var known: [SpanGroupKey.Value: UInt32] = [:]
        var dimension = Dimension(codes: [], values: [])
        for row in rows {
            let shown: (kind: FieldKind, text: [UInt8])?
            if case .source(let source) = expression {
                shown = try view.shown(source, row: Int(row))
            } else {
                shown = SpanView.shown(try expression.value(view, row: Int(row)))
            }
            let value = SpanGroupKey.Value(kind: shown?.kind, text: shown?.text ?? [])
            if let code = known[value] {
                dimension.codes.append(code)
            } else {
                known[value] = UInt32(dimension.values.count)
                dimension.codes.append(UInt32(dimension.values.count))
                dimension.values.append(value)
            }
        }
        return dimension
    }

    /// `absent`: What a row without the field has; nil for nothing.
    private static func column(
        _ name: String,
        _ absent: String?,
        _ rows: [UInt32],
        _ view: SpanView
    ) throws(QueryError) -> Dimension {
        let missing = SpanGroupKey.Value(
            kind: absent == nil ? nil : .text,
            text: Array((absent ?? "").utf8)
        )
        guard let values = try view.field(name) else {
            return Dimension(codes: [UInt32](repeating: 0, count: rows.count), values: [missing])
        }
        let coded = values.codes(at: rows)
        var kinds = [FieldKind?](repeating: nil, count: coded.texts.count)
        var isKnown = [Bool](repeating: false, count: coded.texts.count)
        for (index, code) in coded.codes.enumerated() where !isKnown[Int(code)] {
            isKnown[Int(code)] = true
            kinds[Int(code)] = values.kind(at: Int(rows[index]))
        }
        return Dimension(
            codes: coded.codes,
            values: zip(coded.texts, kinds).map { text, kind in
                kind == nil ? missing : SpanGroupKey.Value(kind: kind, text: text)
            }
        )
    }
}
