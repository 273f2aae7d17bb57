internal import Synchronization
internal import WeirColumns
package import WeirCore

/// A trace in the answer to a search.
package struct TraceSummary: Sendable {
    package struct Service: Hashable, Sendable {
        package let name: String
        package let spanCount: Int
        package let errorCount: Int
    }

    /// An attribute as it was sent.
    package struct Attribute: Hashable, Sendable {
        package let name: String
        package let kind: FieldKind
        package let text: [UInt8]
    }

    package struct Span: Sendable {
        package let id: String
        package let name: String
        package let service: String?
        package let start: Int64
        package let duration: Int64
        package let attributes: [Attribute]
    }

    package struct SpanSet: Sendable {
        /// The first few that matched.
        package let spans: [Span]
        package let matched: Int
        package let attributes: [Attribute]
    }

    package let id: TraceID
    package let rootService: String?
    package let rootName: String?
    /// Whether the span without a parent is there; otherwise the earliest stands for it.
    package let hasRoot: Bool
    /// Nanoseconds.
    package let start: Int64
    package let duration: Int64
    package let spanCount: Int
    package let errorCount: Int
    /// Most spans first.
    package let services: [Service]
    package let matched: Int
    package let spanSets: [SpanSet]
}

/// Finds traces by a TraceQL query.
package struct TraceSearch: Sendable {
    package enum Order: String, Sendable {
        /// Those with the newest matched spans.
        case recent
        /// Those that last longest.
        case duration
    }

    package static let tracesMax = 10_000
    /// Spans of a found trace may start that long before and after the times asked for.
    package static let reach: Int64 = 3_600_000_000_000

    let query: TraceQLQuery
    let times: ClosedRange<Int64>
    let limit: Int
    let spansPerSet: Int
    let order: Order
    let source: any RowSource
    let context: QueryContext

    package init(
        _ query: TraceQLQuery,
        times: ClosedRange<Int64>,
        limit: Int,
        spansPerSet: Int = 3,
        order: Order = .recent,
        source: any RowSource,
        context: QueryContext
    ) {
        self.query = query
        self.times = times
        self.limit = limit
        self.spansPerSet = spansPerSet
        self.order = order
        self.source = source
        self.context = context
    }

    /// The traces, newest start first or longest first.
    package func run() throws(QueryError) -> [TraceSummary] {
        guard query.metrics == nil else {
            throw .invalid(reason: "a metric is asked of /api/metrics/query_range, not of a search")
        }
        guard limit > 0 else { return [] }
        guard limit <= Self.tracesMax else {
            throw .limit(name: "traces in an answer", limit: Self.tracesMax)
        }
        let candidates = try TraceCandidates(query)
        let selection = try source.select([], times: times, context: context)
        let isEnough = order == .recent && candidates.isCertain
        let ids = try candidates.find(
            selection,
            limit: isEnough ? limit : .max,
            context: context
        )
        var found: [TraceSummary] = []
        try forEachTable(ids, first: isEnough ? limit : max(64, limit)) { table, sets in
            for set in sets { found.append(summary(of: set, table)) }
            if order == .duration {
                found.sort(by: Self.isLonger)
                if found.count > limit { found.removeLast(found.count - limit) }
                return true
            }
            return found.count < limit
        }
        if order == .recent {
            if found.count > limit { found.removeLast(found.count - limit) }
            found.sort { ($0.start, $0.id) > ($1.start, $1.id) }
        }
        return found
    }

    /// The summaries of these traces, whatever they hold; those that are not there are left out.
    package static func summaries(
        of ids: [TraceID],
        times: ClosedRange<Int64>,
        source: any RowSource,
        context: QueryContext
    ) throws(QueryError) -> [TraceSummary] {
        let search = TraceSearch(
            try TraceQLParser.parse("{}"),
            times: times,
            limit: max(1, ids.count),
            source: source,
            context: context
        )
        var found: [TraceSummary] = []
        try search.forEachTable(ids, first: max(1, ids.count)) { table, sets in
            for set in sets { found.append(search.summary(of: set, table)) }
            return true
        }
        return found
    }

    private static func isLonger(_ left: TraceSummary, _ right: TraceSummary) -> Bool {
        (left.duration, left.start, left.id) > (right.duration, right.start, right.id)
    }

    /// Loads traces in chunks and calls `body` with each chunk and its sets of spans, grouped by
    /// trace; false ends it.
    func forEachTable(
        _ ids: [TraceID],
        first: Int,
        extraFields: Set<String> = [],
        _ body: (TraceTable, [[Spanset]]) throws(QueryError) -> Bool
    ) throws(QueryError) {
        guard !ids.isEmpty else { return }
        let wide = times.widened(by: Self.reach)
        let loader = TraceLoader(
            selection: try source.select([], times: wide, context: context),
            context: context
        )
        let fields = neededFields.union(extraFields)
        var evaluator = TraceQLEvaluator(query.stages, context: context)
        var start = 0
        var size = first
        while start < ids.count {
            let chunk = Array(ids[start..<min(ids.count, start + size)])
            let (table, bytes) = try loader.load(chunk, fields: fields)
            let sets = try evaluator.evaluate(table)
            var groups: [[Spanset]] = []
            for set in sets {
                if let last = groups.last?.first, last.trace == set.trace {
                    groups[groups.count - 1].append(set)
                } else {
                    groups.append([set])
                }
            }
            groups.sort { $0[0].trace < $1[0].trace }
            let goesOn = try body(table, groups)
            context.release(bytes: bytes)
            guard goesOn else { return }
            start += chunk.count
            size = min(size * 2, 1024)
        }
    }

    private var neededFields: Set<String> {
        var fields = TraceTable.baseFields
        query.forEachAttribute { fields.formUnion(SpanSource($0).fieldNames) }
        return fields
    }

    /// The attributes that spans in an answer show: those the query names.
    private var shownAttributes: [(name: String, source: SpanSource)] {
        var shown: [(name: String, source: SpanSource)] = []
        query.forEachAttribute { attribute in
            let name: String
            switch attribute {
            case .attribute(_, let text), .parent(_, let text): name = text
            case .intrinsic(let intrinsic):
                if intrinsic == .name || intrinsic == .duration || intrinsic == .spanID { return }
                name = intrinsic.rawValue
            }
            if !shown.contains(where: { $0.name == name }) {
                shown.append((name, SpanSource(attribute)))
            }
        }
        return shown
    }

    private func summary(of sets: [Spanset], _ table: TraceTable) -> TraceSummary {
        let trace = sets[0].trace
        let range = table.ranges[trace]
        let root = table.root(trace)
        let shownRoot = root ?? range.lowerBound
        let (start, end) = table.extent(trace)
        let coded = table.serviceCodes
        let failed = table.hasFailed
        var counts = [(spans: Int, errors: Int)](repeating: (0, 0), count: coded.texts.count)
        var errors = 0
        for row in range {
            let code = Int(coded.codes[row])
            counts[code].spans += 1
            if failed[row] {
                errors += 1
                counts[code].errors += 1
            }
        }
        let services = counts.enumerated().filter { $0.element.spans > 0 }.map { code, count in
            TraceSummary.Service(
                name: String(decoding: coded.texts[code], as: UTF8.self),
                spanCount: count.spans,
                errorCount: count.errors
            )
        }
        .sorted { ($1.spanCount, $0.name) < ($0.spanCount, $1.name) }
        let attributes = shownAttributes
        let spanSets = sets.map { set in
            TraceSummary.SpanSet(
                spans: set.rows.prefix(spansPerSet).map { span(Int($0), table, attributes) },
                matched: set.rows.count,
                attributes: set.attributes.map {
                    TraceSummary.Attribute(name: $0.name, kind: $0.kind, text: $0.text)
                }
            )
        }
        return TraceSummary(
            id: table.traces[trace],
            rootService: table.string(SpanField.service, shownRoot),
            rootName: table.string(SpanField.name, shownRoot),
            hasRoot: root != nil,
            start: start,
            duration: end.subtractingReportingOverflow(start).partialValue,
            spanCount: range.count,
            errorCount: errors,
            services: services,
            matched: spanSets.reduce(0) { $0 + $1.matched },
            spanSets: spanSets
        )
    }

    private func span(
        _ row: Int,
        _ table: TraceTable,
        _ shown: [(name: String, source: SpanSource)]
    ) -> TraceSummary.Span {
        var attributes: [TraceSummary.Attribute] = []
        for (name, source) in shown {
            guard let value = try? table.view.shown(source, row: row) else { continue }
            attributes.append(
                TraceSummary.Attribute(name: name, kind: value.kind, text: value.text)
            )
        }
        return TraceSummary.Span(
            id: table.string(SpanField.spanID, row) ?? "",
            name: table.string(SpanField.name, row) ?? "",
            service: table.string(SpanField.service, row),
            start: table.times[row],
            duration: table.durations[row],
            attributes: attributes
        )
    }
}

extension ClosedRange<Int64> {
    /// The range with `length` more at both ends, as far as there are times.
    func widened(by length: Int64) -> ClosedRange<Int64> {
        let (low, lowOverflow) = lowerBound.subtractingReportingOverflow(length)
        let (high, highOverflow) = upperBound.addingReportingOverflow(length)
        return (lowOverflow ? .min : low)...(highOverflow ? .max : high)
    }
}
