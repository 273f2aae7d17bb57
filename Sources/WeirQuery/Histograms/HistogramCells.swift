internal import Synchronization

/// The histograms of a grid, beside its numbers: a cell that has one has no number.
///
/// Rows may be set from several threads at once; after that it is only read, and changed by its
/// grid's one owner.
package final class HistogramCells: Sendable {
    /// One histogram, shared by the cells it is in.
    package final class Box: Sendable {
        package let histogram: FloatHistogram
        package init(_ histogram: FloatHistogram) { self.histogram = histogram }
    }

    package let steps: Int
    private let context: QueryContext
    /// By row; one element per step.
    private let rows = Mutex<[Int: [Box?]]>([:])
    private let reserved = Atomic<Int>(0)

    package init(steps: Int, context: QueryContext) {
        self.steps = steps
        self.context = context
    }

    deinit { context.release(bytes: reserved.load(ordering: .relaxed)) }

    package var isEmpty: Bool { rows.withLock { $0.isEmpty } }

    /// The rows that have a histogram, ascending.
    package var rowIndexes: [Int] { rows.withLock { $0.keys.sorted() } }

    /// A row's histograms, or nil when it has none.
    package func row(_ row: Int) -> [Box?]? { rows.withLock { $0[row] } }

    package subscript(row: Int, step: Int) -> FloatHistogram? {
        rows.withLock { $0[row]?[step]?.histogram }
    }

    /// Sets a whole row; one without any histogram is dropped.
    package func set(_ row: Int, _ cells: [Box?]) throws(QueryError) {
        precondition(cells.count == steps)
        guard cells.contains(where: { $0 != nil }) else {
            rows.withLock { $0[row] = nil }
            return
        }
        var bytes = steps * 8
        var last: Box?
        for case let cell? in cells where cell !== last {
            bytes += cell.histogram.byteCount
            last = cell
        }
        try context.reserve(bytes: bytes)
        reserved.add(bytes, ordering: .relaxed)
        rows.withLock { $0[row] = cells }
    }

    /// Whether a row has a histogram at some step.
    package func hasValues(row: Int) -> Bool { rows.withLock { $0[row] != nil } }

    /// Changes every histogram; nil takes it away.
    package func mapped(
        _ body: (_ histogram: FloatHistogram, _ row: Int, _ step: Int) -> FloatHistogram?
    ) throws(QueryError) -> HistogramCells {
        let result = HistogramCells(steps: steps, context: context)
        for row in rowIndexes {
            try context.check()
            guard let cells = self.row(row) else { continue }
            var changed = [Box?](repeating: nil, count: steps)
            for step in cells.indices {
                guard let box = cells[step], let next = body(box.histogram, row, step) else {
                    continue
                }
                changed[step] = Box(next)
            }
            try result.set(row, changed)
        }
        return result
    }

    /// The rows `kept`, in that order.
    package func rearranged(_ kept: [Int]) throws(QueryError) -> HistogramCells {
        let result = HistogramCells(steps: steps, context: context)
        for (row, source) in kept.enumerated() {
            if let cells = self.row(source) { try result.set(row, cells) }
        }
        return result
    }
}

extension HistogramCells {
    /// Moves the histograms of one row to those steps of another at which it has none.
    package func move(_ row: Int, into target: Int) throws(QueryError) {
        guard let cells = self.row(row) else { return }
        var joined = self.row(target) ?? [Box?](repeating: nil, count: steps)
        for step in cells.indices where cells[step] != nil { joined[step] = cells[step] }
        try set(target, joined)
        try set(row, [Box?](repeating: nil, count: steps))
    }
}
