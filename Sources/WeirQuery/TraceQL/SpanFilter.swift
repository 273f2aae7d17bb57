internal import WeirColumns
internal import WeirCore

/// A condition on spans, asked of whole columns where it can be.
struct SpanFilter: Sendable {
    indirect enum Node: Sendable {
        case all
        case nothing
        case and([Node])
        case or([Node])
        case not(Node)
        /// A field that every span has, missing being empty.
        case text(field: String, TextTest)
        /// Attributes that are texts.
        case attribute([String], TextTest, FieldKind)
        case number([String], TraceQLOperator, Double, isTyped: Bool)
        case present([String], Bool)
        case each(SpanExpression)
    }

    let root: Node
    let failure: LogTests.Failure

    init(_ field: TraceQLField) throws(QueryError) {
        let tests = LogTests()
        failure = tests.failure
        root = try Self.node(field, tests)
    }

    var isAll: Bool {
        if case .all = root { return true }
        return false
    }

    // MARK: Making

    private static func node(
        _ field: TraceQLField,
        _ tests: LogTests
    ) throws(QueryError) -> Node {
        switch field {
        case .literal(.boolean(let flag)): return flag ? .all : .nothing
        case .not(let inner): return .not(try node(inner, tests))
        case .binary(.and, _, _):
            var nodes: [Node] = []
            try gather(.and, field, tests, &nodes)
            // Cheap questions first; of the same cost the order stays.
            let order = nodes.indices.sorted { (cost(nodes[$0]), $0) < (cost(nodes[$1]), $1) }
            return .and(order.map { nodes[$0] })
        case .binary(.or, _, _):
            var nodes: [Node] = []
            try gather(.or, field, tests, &nodes)
            return .or(nodes)
        case .binary(let operation, .attribute(let attribute), .literal(let literal)):
            if let node = try compare(operation, attribute, literal, tests) { return node }
        case .binary(let operation, .literal(let literal), .attribute(let attribute))
        where !operation.isPattern:
            if let node = try compare(operation.flipped, attribute, literal, tests) { return node }
        case .attribute(let attribute):
            if let node = try compare(.equal, attribute, .boolean(true), tests) { return node }
        default: break
        }
        return .each(try SpanExpression(field, tests))
    }

    private static func gather(
        _ operation: TraceQLOperator,
        _ field: TraceQLField,
        _ tests: LogTests,
        _ nodes: inout [Node]
    ) throws(QueryError) {
        guard case .binary(operation, let left, let right) = field else {
            nodes.append(try node(field, tests))
            return
        }
        try gather(operation, left, tests, &nodes)
        try gather(operation, right, tests, &nodes)
    }

    private static func cost(_ node: Node) -> Int {
        switch node {
        case .all, .nothing: 0
        case .text(_, let test), .attribute(_, let test, _): test.form == .equals ? 1 : 3
        case .present: 2
        case .number: 4
        case .and(let nodes), .or(let nodes): (nodes.map(cost).max() ?? 0) + 1
        case .not(let inner): cost(inner) + 1
        case .each: 100
        }
    }

    /// A question to columns; nil when only rows can answer.
    private static func compare(
        _ operation: TraceQLOperator,
        _ attribute: TraceQLAttribute,
        _ literal: TraceQLLiteral,
        _ tests: LogTests
    ) throws(QueryError) -> Node? {
        guard operation.isComparison else { return nil }
        switch SpanSource(attribute) {
        case .parent, .inList: return nil
        case .attribute(let names):
            switch literal {
            case .null: return .present(names, operation == .notEqual)
            case .string(let text):
                return .attribute(names, try SpanExpression.test(operation, text, tests), .text)
            case .boolean(let flag):
                let text = flag ? "true" : "false"
                guard operation == .equal || operation == .notEqual else { return .nothing }
                return .attribute(
                    names,
                    try SpanExpression.test(operation, text, tests),
                    .boolean
                )
            case .status, .kind: return .nothing
            default:
                return literal.number.map { .number(names, operation, $0, isTyped: false) }
            }
        case .intrinsic(let intrinsic):
            guard !intrinsic.isInList else { return nil }
            let field = intrinsic.field
            switch literal {
            case .null: return .present([field], operation == .notEqual)
            case .string(let text) where intrinsic.type == .text && !intrinsic.isOfTrace:
                return .text(field: field, try SpanExpression.test(operation, text, tests))
            case .status(let status):
                let text = status == .unset ? "" : status.rawValue
                return .text(field: field, try SpanExpression.test(operation, text, tests))
            case .kind(let kind):
                let text = kind == .unspecified ? "" : kind.rawValue
                return .text(field: field, try SpanExpression.test(operation, text, tests))
            case .integer, .double, .duration:
                return literal.number.map { .number([field], operation, $0, isTyped: true) }
            default: return nil
            }
        }
    }

    // MARK: Asking

    /// The rows among `rows` that pass; both ascend.
    func rows(_ rows: [UInt32], _ view: SpanView) throws(QueryError) -> [UInt32] {
        let passed = try Self.rows(root, rows, view)
        try failure.check()
        return passed
    }

    private static func rows(
        _ node: Node,
        _ rows: [UInt32],
        _ view: SpanView
    ) throws(QueryError) -> [UInt32] {
        guard !rows.isEmpty else { return [] }
        switch node {
        case .all: return rows
        case .nothing: return []
        case .and(let nodes):
            var rest = rows
            for node in nodes { rest = try self.rows(node, rest, view) }
            return rest
        case .or(let nodes):
            var passed: [UInt32] = []
            var rest = rows
            for node in nodes {
                let found = try self.rows(node, rest, view)
                rest = LogScan.without(found, rest)
                passed = LogBlockView.merged(passed, found)
            }
            return passed
        case .not(let inner): return LogScan.without(try self.rows(inner, rows, view), rows)
        case .text(let field, let test):
            guard let values = try view.field(field) else { return test.passesAbsent ? rows : [] }
            return values.filter(rows, test)
        case .attribute(let names, let test, let kind):
            return try inFields(names, rows, view) { values, present in
                values.filter(present, test).filter { values.kind(at: Int($0)) == kind }
            }
        case .number(let names, let operation, let threshold, let isTyped):
            return try inFields(names, rows, view) { values, present in
                compare(values, present, operation, threshold, isTyped)
            }
        case .present(let names, let isWanted):
            let found = try inFields(names, rows, view) { values, present in
                present.filter { !isNull(values, Int($0)) }
            }
            return isWanted ? found : LogScan.without(found, rows)
        case .each(let expression):
            var passed: [UInt32] = []
            for row in rows where try expression.value(view, row: Int(row)) == .boolean(true) {
                passed.append(row)
            }
            return passed
        }
    }

    private static func isNull(_ values: FieldValues, _ row: Int) -> Bool {
        values.kind(at: row) == .json && values.text(at: row) == Array("null".utf8)
    }

    /// Asks each row of the first field that it has.
    private static func inFields(
        _ names: [String],
        _ rows: [UInt32],
        _ view: SpanView,
        _ ask: (FieldValues, [UInt32]) -> [UInt32]
    ) throws(QueryError) -> [UInt32] {
        var rest = rows
        var passed: [UInt32] = []
        for name in names {
            guard !rest.isEmpty else { break }
            guard let values = try view.field(name) else { continue }
            let (present, absent) = LogBlockView.split(rest, values)
            passed = LogBlockView.merged(passed, ask(values, present))
            rest = absent
        }
        return passed
    }

    private static func compare(
        _ values: FieldValues,
        _ rows: [UInt32],
        _ operation: TraceQLOperator,
        _ threshold: Double,
        _ isTyped: Bool
    ) -> [UInt32] {
        let numbers = values.decimals(at: rows)
        var passed: [UInt32] = []
        for place in 0..<rows.count {
            var number = numbers[place]
            if number.isNaN {
                guard let read = SpanView.number(values.text(at: Int(rows[place])).span) else {
                    continue
                }
                number = read
            }
            guard operation.holds(number, threshold) else { continue }
            guard isTyped || values.kind(at: Int(rows[place])) == .number else { continue }
            passed.append(rows[place])
        }
        return passed
    }

    // MARK: Whole blocks

    /// False when it is certain, without reading columns, that no row passes.
    func mayPass(_ block: any RowSourceBlock) throws(QueryError) -> Bool {
        try Self.mayPass(root, block)
    }

    private static func mayPass(
        _ node: Node,
        _ block: any RowSourceBlock
    ) throws(QueryError) -> Bool {
        switch node {
        case .nothing: return false
        case .all, .not, .each, .present: return true
        case .and(let nodes):
            for node in nodes where try !mayPass(node, block) { return false }
            return true
        case .or(let nodes):
            for node in nodes where try mayPass(node, block) { return true }
            return false
        case .text(let field, let test): return try block.mayPass(test, field: field)
        case .attribute(let names, let test, _): return try mayPass(names, test, block)
        case .number(let names, let operation, let threshold, _):
            let test = TextTest { text in
                SpanView.number(text).map { operation.holds($0, threshold) } ?? false
            }
            return try mayPass(names, test, block)
        }
    }

    private static func mayPass(
        _ names: [String],
        _ test: TextTest,
        _ block: any RowSourceBlock
    ) throws(QueryError) -> Bool {
        for name in names where try block.mayPass(test, field: name) { return true }
        return false
    }
}
