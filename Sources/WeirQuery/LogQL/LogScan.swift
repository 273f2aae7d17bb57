internal import WeirColumns
internal import WeirCore
internal import WeirPattern

/// A log query over a source: which blocks may hold something, and which of their rows pass.
final class LogScan: Sendable {
    let pipeline: LogPipeline
    let selection: any RowSourceSelection
    let streams: LogStreams
    let context: QueryContext
    let times: ClosedRange<Int64>

    init(
        _ query: LogQLQuery,
        need: LogPipeline.Need,
        times: ClosedRange<Int64>,
        source: any RowSource,
        context: QueryContext
    ) throws(QueryError) {
        try context.check()
        pipeline = try LogPipeline(query.stages, need: need)
        let matchers = try LogSelectors.resolved(
            query.matchers,
            times: times,
            source: source,
            context: context
        )
        selection = try source.select(matchers, times: times, context: context)
        guard selection.streams.count <= context.seriesMax else {
            throw .limit(name: "query series", limit: context.seriesMax)
        }
        streams = LogStreams(selection.streams)
        self.context = context
        self.times = times
    }

    /// A pipeline that is ready already, over a source that is there in memory.
    init(
        _ pipeline: LogPipeline,
        matchers: [LabelMatcher],
        source: any RowSource,
        context: QueryContext
    ) throws(QueryError) {
        self.pipeline = pipeline
        times = .min ... .max
        let matchers = try LogSelectors.resolved(
            matchers,
            times: times,
            source: source,
            context: context
        )
        selection = try source.select(matchers, times: times, context: context)
        streams = LogStreams(selection.streams)
        self.context = context
    }

    /// Rows of a block that passed all that can be asked of columns, and what is left to do.
    struct Part {
        let rows: [UInt32]
        let rest: [LogStep]
    }

    /// The indexes of the blocks that overlap `range`.
    func blocks(overlapping range: ClosedRange<Int64>) -> [Int] {
        selection.blocks.indices.filter { selection.blocks[$0].times.overlaps(range) }
    }

    /// What is left of a block's rows.
    ///
    /// `narrow`: Takes rows away before any column is asked.
    func parts(
        _ view: LogBlockView,
        narrow: ((_ rows: [UInt32]) throws(QueryError) -> [UInt32])? = nil
    ) throws(QueryError) -> [Part] {
        try context.check()
        guard try mayPass(view) else { return [] }
        var rows = try view.block.rows()
        if let narrow {
            // What templates and dictionaries decide costs less than the times it saves.
            if !pipeline.hasParsers, isLeadCheap {
                guard let part = try part(rows, pipeline.plan, view) else { return [] }
                let narrowed = try narrow(part.rows)
                return narrowed.isEmpty ? [] : [Part(rows: narrowed, rest: part.rest)]
            }
            rows = try narrow(rows)
        }
        guard !rows.isEmpty else { return [] }
        var parts: [Part] = []
        if pipeline.hasParsers, let split = try splitByForm(rows, view) {
            for (rows, plan) in [
                (split.parsed, pipeline.plan), (split.plain, pipeline.planWithoutParsers),
            ] where !rows.isEmpty {
                if let part = try part(rows, plan, view) { parts.append(part) }
            }
        } else if let part = try part(rows, pipeline.plan, view) {
            parts.append(part)
        }
        try pipeline.failure.check()
        return parts
    }

    /// Whether the steps over whole columns are there, and none of them looks at texts one by one.
    private var isLeadCheap: Bool {
        !pipeline.plan.lead.isEmpty
            && pipeline.plan.lead.allSatisfy { step in
                switch step {
                case .line(let test), .filter(.test(_, let test)): test.form != .other
                default: false
                }
            }
    }

    private func part(
        _ rows: [UInt32],
        _ plan: LogPipeline.Plan,
        _ view: LogBlockView
    ) throws(QueryError) -> Part? {
        var rows = rows
        for (index, step) in plan.lead.enumerated() {
            guard !rows.isEmpty else { return nil }
            guard let passed = try apply(step, rows, view) else {
                // A value that cannot be compared: what follows is done row by row.
                return Part(rows: rows, rest: plan.lead[index...] + plan.rest)
            }
            rows = passed
        }
        return rows.isEmpty ? nil : Part(rows: rows, rest: plan.rest)
    }

    /// Rows whose line a parser may take something from, and the others; nil when all must be
    /// looked at one by one.
    private func splitByForm(
        _ rows: [UInt32],
        _ view: LogBlockView
    ) throws(QueryError) -> (parsed: [UInt32], plain: [UInt32])? {
        guard let body = try view.body(), body.presentCount == view.rowCount else { return nil }
        // Only rows that were taken apart when they came in may fail to be JSON without an error.
        if pipeline.takesJSON, try !view.isTakenApart() { return nil }
        let test = pipeline.takesJSON ? Self.startsAsObject : TextTest.contains([0x3D])
        if try !view.block.mayPass(test, field: FieldTable.bodyName) { return ([], rows) }
        let parsed = body.filter(rows, test)
        if parsed.isEmpty { return ([], rows) }
        if parsed.count == rows.count { return (rows, []) }
        return (parsed, Self.without(parsed, rows))
    }

    /// The rows of `rows` that are not in `taken`, which is a part of it.
    static func without(_ taken: [UInt32], _ rows: [UInt32]) -> [UInt32] {
        if taken.isEmpty { return rows }
        var others: [UInt32] = []
        others.reserveCapacity(rows.count - taken.count)
        var next = 0
        for row in rows {
            if next < taken.count, taken[next] == row {
                next += 1
            } else {
                others.append(row)
            }
        }
        return others
    }

    private static let startsAsObject = TextTest(required: [[UInt8(ascii: "{")]]) { text in
        for index in 0..<text.count {
            switch text[index] {
            case 0x20, 0x09, 0x0A, 0x0D: continue
            default: return text[index] == UInt8(ascii: "{")
            }
        }
        return false
    }

    private func mayHold(
        _ view: LogBlockView,
        _ names: [String],
        _ test: TextTest
    ) throws(QueryError) -> Bool {
        for name in names {
            guard streams.column(name).isAbsent else { return true }
            for field in try view.fieldNames(meaning: name)
            where try view.block.mayPass(test, field: field) { return true }
        }
        return false
    }

    // MARK: Whole columns

    /// False when it is certain, before anything is decoded, that no row of the block passes.
    private func mayPass(_ view: LogBlockView) throws(QueryError) -> Bool {
        for step in pipeline.plan.lead {
            switch step {
            case .line(let test):
                if try !view.block.mayPass(test, field: FieldTable.bodyName),
                    try view.isBodyComplete()
                {
                    return false
                }
            case .filter(.test(let name, let test)):
                guard streams.column(name).isAbsent else { continue }
                let fields = try view.fieldNames(meaning: name)
                if fields.isEmpty {
                    if !test.passesAbsent { return false }
                } else if fields.count == 1 {
                    if try !view.block.mayPass(test, field: fields[0]) { return false }
                }
            case .identifier(let names, let equals, let contains):
                guard try !mayHold(view, names, equals) else { continue }
                if try !view.block.mayPass(contains, field: FieldTable.bodyName),
                    try view.isBodyComplete()
                {
                    return false
                }
            default: break
            }
        }
        return true
    }

    /// The rows that pass; nil when this step cannot be done for the whole list.
    private func apply(
        _ step: LogStep,
        _ rows: [UInt32],
        _ view: LogBlockView
    ) throws(QueryError) -> [UInt32]? {
        switch step {
        case .line(let test): return try view.filterLines(rows, test)
        case .filter(let condition): return try apply(condition, rows, view)
        case .identifier(let fields, let equals, let contains):
            var passed: [UInt32] = []
            for name in fields {
                passed = LogBlockView.merged(
                    passed,
                    try view.filter(Self.without(passed, rows), name, equals)
                )
            }
            return LogBlockView.merged(
                passed,
                try view.filterLines(Self.without(passed, rows), contains)
            )
        default: return nil
        }
    }

    private func apply(
        _ condition: LogCondition,
        _ rows: [UInt32],
        _ view: LogBlockView
    ) throws(QueryError) -> [UInt32]? {
        switch condition {
        case .test(let name, let test): return try view.filter(rows, name, test)
        case .ip(let name, let isNegated, let range):
            // A row without the label passes in neither form, so the empty text must not.
            let test = TextTest { text in
                text.count > 0 && range.occurs(in: text) != isNegated
            }
            return try view.filter(rows, name, test)
        case .compare(let name, let operation, let threshold, let unit):
            return try compare(rows, name, operation, threshold, unit, view)
        case .and(let left, let right):
            guard let passed = try apply(left, rows, view) else { return nil }
            return try apply(right, passed, view)
        case .or(let left, let right):
            guard let passed = try apply(left, rows, view) else { return nil }
            guard let more = try apply(right, Self.without(passed, rows), view) else { return nil }
            return LogBlockView.merged(passed, more)
        }
    }

    private func compare(
        _ rows: [UInt32],
        _ name: String,
        _ operation: BinaryOperator,
        _ threshold: Double,
        _ unit: LogCondition.Unit,
        _ view: LogBlockView
    ) throws(QueryError) -> [UInt32]? {
        guard streams.column(name).isAbsent else { return nil }
        let columns = try view.columns(meaning: name)
        guard let values = columns.first else { return [] }
        guard columns.count == 1 else { return nil }
        guard let numbers = Self.numbers(values, rows, unit) else { return nil }
        var passed: [UInt32] = []
        for (index, row) in rows.enumerated() {
            let number = numbers[index]
            // NaN holds for `!=`, but here it is a row without the field.
            if !number.isNaN, operation.holds(number, threshold) { passed.append(row) }
        }
        return passed
    }

    /// One number per row, NaN where the field is missing; nil when some text is no number.
    static func numbers(
        _ values: FieldValues,
        _ rows: [UInt32],
        _ unit: LogCondition.Unit
    ) -> [Double]? {
        let numbers: [Double] =
            switch unit {
            case .number: values.decimals(at: rows)
            default: values.doubles(at: rows, parse: unit.parse)
            }
        for (index, number) in numbers.enumerated()
        where number.isNaN && values.kind(at: Int(rows[index])) != nil {
            return nil
        }
        return numbers
    }
}
