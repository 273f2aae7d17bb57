internal import Synchronization
internal import WeirColumns
internal import WeirCore

/// The values of fields and labels with how many rows have each.
package struct LogFacets: Sendable {
    package struct Facet: Sendable {
        package let name: String
        /// The most frequent first.
        package let values: [(text: [UInt8], count: Int)]
        /// Rows that have the field.
        package let rowCount: Int
        /// How many values there are; `distinctMax` means as many or more.
        package let distinctCount: Int
    }

    /// Values beyond these are not told apart; a field with more is hardly a facet.
    package static let distinctMax = 10000

    package let facets: [Facet]
    package let rowCount: Int

    private struct Counter: Sendable {
        var counts: [[UInt8]: Int] = [:]
        var rows = 0
        var isFull = false
    }

    private struct State {
        var counters: [String: Counter] = [:]
        var rows = 0
    }

    /// Counts the rows of `query` in `times`.
    ///
    /// `names`: What to count; nil: every field and stream label, those with more than
    /// `distinctWanted` values left out.
    /// `limit`: The most values of each.
    package init(
        _ query: LogQLQuery,
        times: ClosedRange<Int64>,
        names: [String]?,
        limit: Int,
        distinctWanted: Int,
        source: any RowSource,
        context: QueryContext
    ) throws(QueryError) {
        let scan = try LogScan(
            query,
            need: LogPipeline.Need(labels: names.map(Set.init), line: false),
            times: times,
            source: source,
            context: context
        )
        let state = Mutex(State())
        try scan.selection.scan(
            scan.blocks(overlapping: times),
            isWanted: { _ in true },
            { (index, block) throws(QueryError) in
                let view = LogBlockView(
                    block,
                    index: index,
                    streams: scan.streams,
                    context: context
                )
                let found = try Self.count(scan, view, names)
                state.withLock { Self.join(found, into: &$0) }
            }
        )
        try scan.pipeline.failure.check()
        let total = state.withLock { $0 }
        rowCount = total.rows
        var facets: [Facet] = []
        for (name, counter) in total.counters {
            if names == nil, counter.isFull || counter.counts.count > distinctWanted { continue }
            let sorted = counter.counts.sorted { left, right in
                left.value != right.value
                    ? left.value > right.value
                    : left.key.lexicographicallyPrecedes(right.key)
            }
            facets.append(
                Facet(
                    name: name,
                    values: sorted.prefix(limit).map { ($0.key, $0.value) },
                    rowCount: counter.rows,
                    distinctCount: counter.counts.count
                )
            )
        }
        if let names {
            let place = Dictionary(names.enumerated().map { ($1, $0) }) { first, _ in first }
            facets.sort { place[$0.name] ?? 0 < place[$1.name] ?? 0 }
        } else {
            facets.sort { ($1.rowCount, $0.name) < ($0.rowCount, $1.name) }
        }
        self.facets = facets
    }

    private static func join(_ found: State, into state: inout State) {
        state.rows += found.rows
        for (name, counter) in found.counters {
            if var held = state.counters.removeValue(forKey: name) {
                held.rows += counter.rows
                held.isFull = held.isFull || counter.isFull
                for (text, count) in counter.counts { add(text, count, to: &held) }
                state.counters[name] = held
            } else {
                state.counters[name] = counter
            }
        }
    }

    private static func add(_ text: [UInt8], _ count: Int, to counter: inout Counter) {
        if let held = counter.counts[text] {
            counter.counts[text] = held + count
        } else if counter.counts.count < distinctMax {
            counter.counts[text] = count
        } else {
            counter.isFull = true
        }
    }

    private static func count(
        _ scan: LogScan,
        _ view: LogBlockView,
        _ names: [String]?
    ) throws(QueryError) -> State {
        var state = State()
        for part in try scan.parts(view) {
            if part.rest.isEmpty {
                state.rows += part.rows.count
                try count(part.rows, view, names, &state)
            } else {
                let row = LogRowState(view)
                for (number, place) in part.rows.enumerated() {
                    if number & 1023 == 0 { try scan.context.check() }
                    row.start(Int(place))
                    guard try row.run(part.rest) else { continue }
                    state.rows += 1
                    try count(row, names, &state)
                }
            }
        }
        return state
    }

    private static func note(
        _ name: String,
        _ text: [UInt8],
        _ count: Int,
        _ state: inout State
    ) {
        guard !text.isEmpty else { return }
        var counter = state.counters.removeValue(forKey: name) ?? Counter()
        counter.rows += count
        add(text, count, to: &counter)
        state.counters[name] = counter
    }

    private static func count(
        _ rows: [UInt32],
        _ view: LogBlockView,
        _ names: [String]?,
        _ state: inout State
    ) throws(QueryError) {
        let numbers = try view.streamNumbers()
        var rowsOfStream = [Int](repeating: 0, count: view.streams.labels.count)
        for row in rows where numbers[Int(row)] >= 0 { rowsOfStream[Int(numbers[Int(row)])] += 1 }
        for (stream, count) in rowsOfStream.enumerated() where count > 0 {
            for pair in view.streams.labels[stream].pairs
            where names?.contains(where: { $0 == pair.name || $0 == LogNames.sanitized(pair.name) })
                ?? true
            {
                let name =
                    names?.contains(LogNames.sanitized(pair.name)) ?? false
                    ? LogNames.sanitized(pair.name) : pair.name
                note(name, Array(pair.value.utf8), count, &state)
            }
        }
        let wanted: [String]
        if let names { wanted = names } else { wanted = try view.fieldNames() }
        for name in wanted where !name.isEmpty {
            if names != nil, !view.streams.column(name).isAbsent { continue }
            var rest = rows
            let columns: [FieldValues]
            if names == nil {
                columns = [try view.field(name)].compactMap { $0 }
            } else {
                columns = try view.columns(meaning: name)
            }
            for values in columns {
                let (present, absent) = LogBlockView.split(rest, values)
                rest = absent
                guard !present.isEmpty else { continue }
                let found = values.codes(at: present)
                var counts = [Int](repeating: 0, count: found.texts.count)
                for code in found.codes { counts[Int(code)] += 1 }
                for (code, text) in found.texts.enumerated() {
                    note(name, text, counts[code], &state)
                }
            }
        }
    }

    private static func count(
        _ row: LogRowState,
        _ names: [String]?,
        _ state: inout State
    ) throws(QueryError) {
        if let names {
            for name in names { note(name, try row.value(name) ?? [], 1, &state) }
            return
        }
        let entry = try row.entry()
        for pair in entry.streamPairs { note(pair.name, Array(pair.value.utf8), 1, &state) }
        for field in entry.fields { note(field.name, field.value, 1, &state) }
    }
}
