internal import Synchronization
internal import WeirColumns
internal import WeirCore

/// Some traces whole: their spans in order of trace, start and id, each once.
final class TraceTable {
    /// In the order they were asked for; those without spans have no rows.
    let traces: [TraceID]
    /// The rows of each trace.
    let ranges: [Range<Int>]
    let times: [Int64]
    let fields: FieldTable
    /// Nanoseconds; 0 where it is missing.
    let durations: [Int64]
    /// The row of each span's parent; -1 without one that is there.
    ///
    /// Without circles.
    private(set) lazy var parents = link()
    /// Which rows name no parent at all.
    let isRoot: [Bool]
    /// The trace of each row.
    let traceOfRow: [Int32]
    /// Each span's id by its bits.
    private let ids: [Int64]
    private var held: SpanView?
    /// What each row's service is among `services`, and whether it failed.
    private(set) lazy var serviceCodes: FieldCodes = {
        let rows = Array(0..<UInt32(rowCount))
        guard let column = fields[SpanField.service] else {
            return FieldCodes(codes: [UInt32](repeating: 0, count: rowCount), texts: [[]])
        }
        return FieldValues(column, rowCount: rowCount).codes(at: rows)
    }()
    private(set) lazy var hasFailed: [Bool] = {
        var failed = [Bool](repeating: false, count: rowCount)
        guard let column = fields[SpanField.status] else { return failed }
        for (index, row) in column.rows.enumerated()
        where column.values[index].elementsEqual("error".utf8) {
            failed[Int(row)] = true
        }
        return failed
    }()

    var rowCount: Int { times.count }

    /// What a trace needs for its spans to be linked and shown in a list.
    static let baseFields: Set<String> = [
        SpanField.spanID, SpanField.parentID, SpanField.name, SpanField.duration, SpanField.kind,
        SpanField.status, SpanField.service,
    ]

    /// Spans that were found, in any order.
    struct Piece: Sendable {
        var traces: [Int32] = []
        var times: [Int64] = []
        var fields = FieldTable()
    }

    init(_ traces: [TraceID], _ pieces: [Piece]) {
        self.traces = traces
        var all = Piece()
        for piece in pieces {
            let first = all.times.count
            all.traces += piece.traces
            all.times += piece.times
            for column in piece.fields.columns {
                let index = all.fields.index(of: column.name.utf8.span, hint: -1)
                all.fields.append(contentsOf: column, to: index, firstRow: first)
            }
        }
        let ids = Self.numbers(all.fields[SpanField.spanID], all.times.count) {
            TraceID.spanID($0).map { Int64(bitPattern: $0) }
        }
        let lengths = Self.numbers(all.fields[SpanField.duration], all.times.count) {
            DecimalParser.double($0).flatMap { Int64(exactly: $0.rounded()) }
        }
        var order = Array(0..<all.times.count)
        // Traces lie in the order in which they were met, which mostly leaves rows where they are.
        var ranks = [Int32](repeating: -1, count: traces.count)
        var met: Int32 = 0
        for trace in all.traces where ranks[Int(trace)] < 0 {
            ranks[Int(trace)] = met
            met += 1
        }
        func key(_ row: Int) -> (Int32, Int64, UInt64, Int64) {
            (
                ranks[Int(all.traces[row])], all.times[row], UInt64(bitPattern: ids[row]),
                lengths[row]
            )
        }
        let isOrdered = (1..<max(1, order.count)).allSatisfy { key($0 - 1) < key($0) }
        if !isOrdered {
            order.sort { key($0) < key($1) }
            let kinds = all.fields[SpanField.kind]
            func kind(_ row: Int) -> ArraySlice<UInt8>? {
                kinds.flatMap { column in column.index(ofRow: row).map { column.values[$0] } }
            }
            var kept: [Int] = []
            kept.reserveCapacity(order.count)
            for row in order {
                // Of the same start, id and duration there are two at most that differ by kind.
                let isKnown = kept.suffix(6).contains {
                    key($0) == key(row) && kind($0) == kind(row)
                }
                if !isKnown { kept.append(row) }
            }
            order = kept
            fields = all.fields.gathering(order)
        } else {
            fields = all.fields
        }
        times = order.map { all.times[$0] }
        durations = order.map { lengths[$0] }
        traceOfRow = order.map { all.traces[$0] }
        var ranges = [Range<Int>](repeating: 0..<0, count: traces.count)
        var start = 0
        while start < order.count {
            let trace = traceOfRow[start]
            var end = start
            while end < order.count, traceOfRow[end] == trace { end += 1 }
            ranges[Int(trace)] = start..<end
            start = end
        }
        self.ranges = ranges
        self.ids = order.map { ids[$0] }
        var isRoot = [Bool](repeating: true, count: order.count)
        for row in fields[SpanField.parentID]?.rows ?? [] { isRoot[Int(row)] = false }
        self.isRoot = isRoot
    }

    private static func numbers(
        _ column: FieldColumn?,
        _ count: Int,
        _ read: (Span<UInt8>) -> Int64?
    ) -> [Int64] {
        var numbers = [Int64](repeating: 0, count: count)
        guard let column else { return numbers }
        let bytes = column.values.bytes
        for (index, row) in column.rows.enumerated() {
            numbers[Int(row)] = read(bytes.span.extracting(column.values.range(index))) ?? 0
        }
        return numbers
    }

    /// Each span's parent within its trace; circles are cut.
    private func link() -> [Int32] {
        var parents = [Int32](repeating: -1, count: rowCount)
        guard let parentIDs = fields[SpanField.parentID] else { return parents }
        let bytes = parentIDs.values.bytes
        for range in ranges where !range.isEmpty {
            var rowOfID = [Int64: Int32](minimumCapacity: range.count)
            for row in range where rowOfID[ids[row]] == nil { rowOfID[ids[row]] = Int32(row) }
            for row in range {
                guard let index = parentIDs.index(ofRow: row),
                    let id = TraceID.spanID(
                        bytes.span.extracting(parentIDs.values.range(index))
                    ),
                    let parent = rowOfID[Int64(bitPattern: id)], parent != Int32(row)
                else { continue }
                parents[row] = parent
            }
        }
        Self.cutCircles(&parents)
        return parents
    }

    private static func cutCircles(_ parents: inout [Int32]) {
        // 0: not met; otherwise the walk that met it first.
        var walks = [Int32](repeating: 0, count: parents.count)
        for start in parents.indices where walks[start] == 0 {
            let walk = Int32(start) + 1
            var row = start
            while walks[row] == 0 {
                walks[row] = walk
                let parent = parents[row]
                guard parent >= 0 else { break }
                if walks[Int(parent)] == walk {
                    parents[row] = -1
                    break
                }
                row = Int(parent)
            }
        }
    }

    /// The rows as expressions see them, with what only whole traces can tell.
    var view: SpanView {
        if let held { return held }
        let times = times
        let (fields, count) = (fields, rowCount)
        let view = SpanView(
            rowCount: count,
            parents: { [unowned self] in self.parents },
            times: { () throws(QueryError) in times },
            field: { [unowned self] (name) throws(QueryError) in
                if name.utf8.starts(with: "made:".utf8) {
                    return self.made(name).map { FieldValues($0, rowCount: count) }
                }
                if name == SpanField.traceID {
                    return FieldValues(self.traceIDs(), rowCount: count)
                }
                return fields[name].map { FieldValues($0, rowCount: count) }
            }
        )
        held = view
        return view
    }

    private func traceIDs() -> FieldColumn {
        var column = FieldColumn(name: SpanField.traceID)
        let texts = traces.map(\.hexadecimal)
        for row in 0..<rowCount {
            let text = texts[Int(traceOfRow[row])]
            column.append(row, .text, text.span)
        }
        return column
    }

    // MARK: Whole traces

    /// The first span without a parent; nil when it has not come.
    func root(_ trace: Int) -> Int? { ranges[trace].first { isRoot[$0] } }

    /// From when to when a trace lasts, nanoseconds.
    func extent(_ trace: Int) -> (start: Int64, end: Int64) {
        var (start, end) = (Int64.max, Int64.min)
        for row in ranges[trace] {
            start = min(start, times[row])
            let (sum, overflow) = times[row].addingReportingOverflow(max(0, durations[row]))
            end = max(end, overflow ? .max : sum)
        }
        return start <= end ? (start, end) : (0, 0)
    }

    func text(_ name: String, _ row: Int) -> ArraySlice<UInt8>? {
        guard let column = fields[name], let index = column.index(ofRow: row) else { return nil }
        return column.values[index]
    }

    func string(_ name: String, _ row: Int) -> String? {
        text(name, row).map { String(decoding: $0, as: UTF8.self) }
    }

    /// A column that is made of whole traces.
    private func made(_ name: String) -> FieldColumn? {
        guard let intrinsic = TraceQLIntrinsic(rawValue: String(name.dropFirst(5))) else {
            return nil
        }
        var column = FieldColumn(name: name)
        func put(_ row: Int, _ kind: FieldKind, _ text: some Collection<UInt8>) {
            let bytes = Array(text)
            column.append(row, kind, bytes.span)
        }
        func put(_ row: Int, _ number: Int64) { put(row, .number, number.description.utf8) }
        switch intrinsic {
        case .traceDuration:
            for (trace, range) in ranges.enumerated().sorted(by: Self.rowOrder) {
                let (start, end) = extent(trace)
                for row in range { put(row, end.subtractingReportingOverflow(start).partialValue) }
            }
        case .rootName, .rootServiceName:
            let field = intrinsic == .rootName ? SpanField.name : SpanField.service
            for (trace, range) in ranges.enumerated().sorted(by: Self.rowOrder) {
                guard let root = root(trace) else { continue }
                let text = text(field, root) ?? []
                for row in range { put(row, .text, text) }
            }
        case .childCount:
            var counts = [Int64](repeating: 0, count: rowCount)
            for parent in parents where parent >= 0 { counts[Int(parent)] += 1 }
            for row in 0..<rowCount { put(row, counts[row]) }
        case .nestedSetLeft, .nestedSetRight, .nestedSetParent:
            let sets = nestedSets()
            for row in 0..<rowCount {
                switch intrinsic {
                case .nestedSetLeft: put(row, sets.left[row])
                case .nestedSetRight: put(row, sets.right[row])
                default:
                    let parent = parents[row]
                    put(row, parent >= 0 ? sets.left[Int(parent)] : isRoot[row] ? -1 : 0)
                }
            }
        default: return nil
        }
        return column
    }

    private static func rowOrder(
        _ left: (offset: Int, element: Range<Int>),
        _ right: (offset: Int, element: Range<Int>)
    ) -> Bool {
        (left.element.lowerBound, left.offset) < (right.element.lowerBound, right.offset)
    }

    /// Numbers from 1 in each trace on the way into and out of each span, children in order.
    private func nestedSets() -> (left: [Int64], right: [Int64]) {
        var children = [[Int32]](repeating: [], count: rowCount)
        for row in 0..<rowCount where parents[row] >= 0 {
            children[Int(parents[row])].append(Int32(row))
        }
        var left = [Int64](repeating: 0, count: rowCount)
        var right = left
        for range in ranges {
            var next: Int64 = 1
            for top in range where parents[top] < 0 {
                var stack: [(row: Int, child: Int)] = [(top, 0)]
                left[top] = next
                next += 1
                while let (row, child) = stack.last {
                    if child < children[row].count {
                        stack[stack.count - 1].child += 1
                        let inner = Int(children[row][child])
                        left[inner] = next
                        next += 1
                        stack.append((inner, 0))
                    } else {
                        right[row] = next
                        next += 1
                        stack.removeLast()
                    }
                }
            }
        }
        return (left, right)
    }
}

extension FieldTable {
    /// The rows at `order`, in that order, renumbered from 0.
    func gathering(_ order: [Int]) -> FieldTable {
        var table = FieldTable()
        for column in columns {
            var rows: [UInt32] = []
            var indexes: [UInt32] = []
            rows.reserveCapacity(column.count)
            indexes.reserveCapacity(column.count)
            for (place, row) in order.enumerated() {
                guard let index = column.index(ofRow: row) else { continue }
                rows.append(UInt32(place))
                indexes.append(UInt32(index))
            }
            if !rows.isEmpty { table.append(column.gathering(indexes[...], rows: rows)) }
        }
        return table
    }
}
