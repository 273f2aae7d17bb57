internal import Synchronization
internal import WeirColumns
internal import WeirCore

/// Which traces may satisfy a query's first stage, found span by span without knowing traces whole.
struct TraceCandidates: Sendable {
    /// What must be true of a trace, in terms of whether it has spans that pass leaves.
    private indirect enum Formula: Sendable {
        case leaf(Int)
        case and(Formula, Formula)
        case or(Formula, Formula)

        func holds(_ bits: UInt64) -> Bool {
            switch self {
            case .leaf(let index): bits >> UInt64(index) & 1 == 1
            case .and(let left, let right): left.holds(bits) && right.holds(bits)
            case .or(let left, let right): left.holds(bits) || right.holds(bits)
            }
        }
    }

    private var leaves: [SpanFilter] = []
    private var formula = Formula.leaf(0)
    /// Every candidate satisfies the whole query: a filter of single spans is all there is.
    let isCertain: Bool
    private static let leavesMax = 64

    init(_ query: TraceQLQuery) throws(QueryError) {
        var isCertain = false
        if case .spanset(.filter(let field))? = query.stages.first, !field.isOfTrace {
            isCertain = query.stages.dropFirst().allSatisfy { stage in
                switch stage {
                case .select, .by, .coalesce: true
                case .spanset, .scalar: false
                }
            }
        }
        self.isCertain = isCertain
        if case .spanset(let spanset)? = query.stages.first {
            formula = try make(spanset)
        } else {
            formula = try leaf(.literal(.boolean(true)))
        }
    }

    /// The only condition, when it is certain.
    var filter: SpanFilter { leaves[0] }

    private mutating func leaf(_ field: TraceQLField) throws(QueryError) -> Formula {
        guard leaves.count < Self.leavesMax else {
            throw .limit(name: "span filters in a query", limit: Self.leavesMax)
        }
        leaves.append(try SpanFilter(field))
        return .leaf(leaves.count - 1)
    }

    private mutating func make(_ spanset: TraceQLSpanset) throws(QueryError) -> Formula {
        switch spanset {
        case .filter(let field): return try leaf(Self.relaxed(field))
        case .pipeline(let stages):
            if case .spanset(let first)? = stages.first { return try make(first) }
            return try leaf(.literal(.boolean(true)))
        case .operation(let operation, let left, let right):
            if operation.isNegated { return try make(right) }
            let a = try make(left)
            let b = try make(right)
            return operation == .or ? .or(a, b) : .and(a, b)
        }
    }

    /// What single spans can tell of a condition: true wherever it may be true.
    private static func relaxed(_ field: TraceQLField) -> TraceQLField {
        guard field.isOfTrace else { return field }
        guard case .binary(let operation, let left, let right) = field else {
            return .literal(.boolean(true))
        }
        switch operation {
        case .and:
            let (a, b) = (relaxed(left), relaxed(right))
            if a == .literal(.boolean(true)) { return b }
            return b == .literal(.boolean(true)) ? a : .binary(.and, a, b)
        case .or:
            let (a, b) = (relaxed(left), relaxed(right))
            let isOpen = a == .literal(.boolean(true)) || b == .literal(.boolean(true))
            return isOpen ? .literal(.boolean(true)) : .binary(.or, a, b)
        default: return .literal(.boolean(true))
        }
    }

    /// The traces that have matched so far, with the newest start of a matched span.
    private final class Found: Sendable {
        struct Entry {
            var bits: UInt64
            var time: Int64
        }
        struct State {
            var entries: [TraceID: Entry] = [:]
            var worst: Int64?
        }
        let state = Mutex(State())
    }

    /// Finds candidates, newest matched span first.
    ///
    /// `limit` is how many are enough, when they are certain.
    func find(
        _ selection: any RowSourceSelection,
        limit: Int,
        context: QueryContext
    ) throws(QueryError) -> [TraceID] {
        let found = Found()
        let summaries = selection.blocks
        let enough = isCertain ? limit : Int.max
        let order = summaries.indices.sorted {
            (summaries[$0].times.upperBound, $0) > (summaries[$1].times.upperBound, $1)
        }
        try selection.scan(
            order,
            isWanted: { index in
                guard let worst = found.state.withLock({ $0.worst }) else { return true }
                return summaries[index].times.upperBound >= worst
            },
            { (_, block) throws(QueryError) in
                try context.check()
                let traces = try self.traces(of: block)
                guard !traces.isEmpty else { return }
                let count = found.state.withLock { state in
                    for (id, entry) in traces {
                        if let known = state.entries[id] {
                            state.entries[id] = Found.Entry(
                                bits: known.bits | entry.bits,
                                time: max(known.time, entry.time)
                            )
                        } else {
                            state.entries[id] = entry
                        }
                    }
                    if state.entries.count >= enough {
                        let times = state.entries.values.map(\.time).sorted(by: >)
                        state.worst = times[enough - 1]
                        if let worst = state.worst, state.entries.count > 4 * enough {
                            state.entries = state.entries.filter { $0.value.time >= worst }
                        }
                    }
                    return state.entries.count
                }
                guard count <= context.seriesMax else {
                    throw .limit(name: "query series", limit: context.seriesMax)
                }
            }
        )
        let candidates = found.state.withLock { $0.entries }
            .filter { formula.holds($0.value.bits) }
            .sorted { ($0.value.time, $0.key) > ($1.value.time, $1.key) }
        return candidates.prefix(enough).map(\.key)
    }

    private func traces(
        of block: any RowSourceBlock
    ) throws(QueryError) -> [TraceID: Found.Entry] {
        var traces: [TraceID: Found.Entry] = [:]
        var view: SpanView?
        for (place, leaf) in leaves.enumerated() where try leaf.mayPass(block) {
            let opened = view ?? SpanView(block)
            view = opened
            let rows = try leaf.rows(try block.rows(), opened)
            guard !rows.isEmpty, let ids = try opened.field(SpanField.traceID) else { continue }
            let codes = ids.codes(at: rows)
            var newest = [Int64?](repeating: nil, count: codes.texts.count)
            let times = try opened.times()
            for (index, row) in rows.enumerated() {
                let code = Int(codes.codes[index])
                newest[code] = max(newest[code] ?? .min, times[Int(row)])
            }
            for (code, time) in newest.enumerated() {
                guard let time, let id = TraceID(codes.texts[code]) else { continue }
                let known = traces[id]
                traces[id] = Found.Entry(
                    bits: (known?.bits ?? 0) | 1 << UInt64(place),
                    time: max(known?.time ?? .min, time)
                )
            }
        }
        return traces
    }
}
