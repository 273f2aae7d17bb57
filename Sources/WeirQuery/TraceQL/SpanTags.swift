internal import Synchronization
internal import WeirColumns
internal import WeirCore

/// Which attributes spans have, and which values.
struct SpanTags: Sendable {
    static let valuesMax = 100_000

    let times: ClosedRange<Int64>
    let source: any RowSource
    let context: QueryContext

    struct Value: Hashable, Sendable {
        let kind: FieldKind
        let text: [UInt8]
    }

    private func scan(
        _ body: @escaping @Sendable (any RowSourceBlock) throws(QueryError) -> Void
    ) throws(QueryError) {
        let context = context
        let selection = try source.select([], times: times, context: context)
        try selection.scan(
            Array(selection.blocks.indices),
            isWanted: { _ in true },
            { (_, block) throws(QueryError) in
                try context.check()
                try body(block)
            }
        )
    }

    /// Names of attributes by scope, each list in order.
    func names() throws(QueryError) -> [TraceQLAttribute.Scope: [String]] {
        let found = Mutex<Set<String>>([])
        try scan { (block) throws(QueryError) in
            let names = try block.fieldNames()
            found.withLock { $0.formUnion(names) }
        }
        var scopes: [TraceQLAttribute.Scope: [String]] = [:]
        for name in found.withLock({ $0 }) {
            for (prefix, scope) in [
                (SpanField.spanPrefix, TraceQLAttribute.Scope.span),
                (SpanField.resourcePrefix, .resource), (SpanField.scopePrefix, .instrumentation),
            ] where name.utf8.starts(with: prefix.utf8) {
                let rest = name.utf8.dropFirst(prefix.utf8.count)
                scopes[scope, default: []].append(String(decoding: rest, as: UTF8.self))
            }
        }
        return scopes.mapValues { $0.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
    }

    /// The distinct values of an attribute among spans that pass, in order of text.
    ///
    /// Spans must pass `field`, unless only whole traces can tell.
    func values(
        _ attribute: TraceQLAttribute,
        where field: TraceQLField? = nil,
        limit: Int = valuesMax
    ) throws(QueryError) -> [Value] {
        var attribute = attribute
        var condition = field ?? .literal(.boolean(true))
        // A root's name is the name of a span without a parent.
        if case .intrinsic(let intrinsic) = attribute,
            intrinsic == .rootName || intrinsic == .rootServiceName
        {
            attribute =
                intrinsic == .rootName
                ? .intrinsic(.name) : .attribute(.resource, "service.name")
            let isRoot = TraceQLField.binary(
                .equal,
                .attribute(.intrinsic(.parentID)),
                .literal(.string(""))
            )
            condition = .binary(.and, condition, isRoot)
        }
        if condition.isOfTrace { condition = .literal(.boolean(true)) }
        let filter = try SpanFilter(condition)
        let grouping = try SpanGrouping([.attribute(attribute)])
        let found = Mutex<Set<Value>>([])
        let context = context
        try scan { (block) throws(QueryError) in
            guard try filter.mayPass(block) else { return }
            let view = SpanView(block)
            let rows = try filter.rows(try block.rows(), view)
            let (numbers, keys) = try grouping.groups(of: rows, view)
            var isMet = [Bool](repeating: false, count: keys.count)
            for number in numbers { isMet[Int(number)] = true }
            var values: [Value] = []
            for (number, key) in keys.enumerated() where isMet[number] {
                guard let value = key.values.first, let kind = value.kind else { continue }
                values.append(Value(kind: kind, text: value.text))
            }
            let added = found.withLock { held in
                var bytes = 0
                for value in values where held.count < limit {
                    if held.insert(value).inserted { bytes += value.text.count + 64 }
                }
                return bytes
            }
            try context.reserve(bytes: added)
        }
        return found.withLock { $0 }.sorted { left, right in
            left.text == right.text
                ? left.kind.rawValue < right.kind.rawValue
                : left.text.lexicographicallyPrecedes(right.text)
        }
    }
}

extension TraceQLAttribute {
    /// An attribute as it is written in a query; nil when it is none.
    init?(_ text: String) {
        guard let tokens = try? TraceQLLexer.tokens(of: Array(text.utf8)), tokens.count == 2 else {
            return nil
        }
        switch tokens[0].kind {
        case .attribute(let attribute): self = attribute
        case .identifier(let name):
            guard let intrinsic = TraceQLIntrinsic(name: name) else { return nil }
            self = .intrinsic(intrinsic)
        default: return nil
        }
    }
}
