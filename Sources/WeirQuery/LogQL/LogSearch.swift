internal import Synchronization
internal import WeirColumns
internal import WeirCore

/// A log query's rows in order of time, page by page.
///
/// Rows of the same nanosecond come in the order they arrived, or backward in its reverse. One
/// page is found in two phases: first only the places of the rows that win, then their labels and
/// lines.
package final class LogSearch: Sendable {
    package enum Direction: String, Sendable {
        case forward
        case backward
    }

    /// A row's place in the order.
    struct Place: Comparable {
        let time: Int64
        let block: Int32
        let row: UInt32

        static func < (left: Place, right: Place) -> Bool {
            (left.time, left.block, left.row) < (right.time, right.block, right.row)
        }
    }

    private let scan: LogScan
    private let direction: Direction
    private let context: QueryContext
    /// The last place handed out.
    private let cursor = Mutex<Place?>(nil)
    /// What the last page handed out is charged for until the next is asked for.
    private let chargedBytes = Atomic<Int>(0)

    package init(
        _ query: LogQLQuery,
        times: ClosedRange<Int64>,
        direction: Direction,
        source: any RowSource,
        context: QueryContext
    ) throws(QueryError) {
        self.direction = direction
        self.context = context
        scan = try LogScan(
            query,
            need: LogPipeline.Need(labels: nil, line: true),
            times: times,
            source: source,
            context: context
        )
    }

    /// Whether `left` comes before `right` in the answer.
    private func comesFirst(_ left: Place, _ right: Place) -> Bool {
        direction == .forward ? left < right : right < left
    }

    /// The next rows, at most `limit`; fewer only at the end.
    ///
    /// Called by one thread at a time.
    package func next(_ limit: Int) throws(QueryError) -> [LogEntry] {
        guard limit > 0 else { return [] }
        context.release(bytes: chargedBytes.exchange(0, ordering: .relaxed))
        let places = try places(limit)
        guard let last = places.last else { return [] }
        cursor.withLock { $0 = last }
        return try entries(places)
    }

    // MARK: Places

    /// The best places found so far.
    private final class Best: Sendable {
        private struct State {
            var places: [Place] = []
            /// The last of as many as are wanted; nil while there are fewer.
            var worst: Place?
        }

        private let limit: Int
        private let state = Mutex(State())

        init(limit: Int) { self.limit = limit }

        var worst: Place? { state.withLock { $0.worst } }
        var places: [Place] { state.withLock { $0.places } }

        func add(_ found: [Place], _ comesFirst: (Place, Place) -> Bool) {
            guard !found.isEmpty else { return }
            state.withLock { state in
                var merged: [Place] = []
                merged.reserveCapacity(min(limit, state.places.count + found.count))
                var (a, b) = (0, 0)
                while merged.count < limit, a < state.places.count || b < found.count {
                    if b >= found.count
                        || (a < state.places.count && comesFirst(state.places[a], found[b]))
                    {
                        merged.append(state.places[a])
                        a += 1
                    } else {
                        merged.append(found[b])
                        b += 1
                    }
                }
                state.places = merged
                state.worst = merged.count == limit ? merged.last : nil
            }
        }
    }

    private func places(_ limit: Int) throws(QueryError) -> [Place] {
        let after = cursor.withLock { $0 }
        let isForward = direction == .forward
        let summaries = scan.selection.blocks
        var order = scan.blocks(overlapping: scan.times).filter { index in
            guard let after else { return true }
            return isForward
                ? summaries[index].times.upperBound >= after.time
                : summaries[index].times.lowerBound <= after.time
        }
        order.sort { left, right in
            let (a, b) = (summaries[left].times, summaries[right].times)
            return isForward
                ? (a.lowerBound, left) < (b.lowerBound, right)
                : (a.upperBound, left) > (b.upperBound, right)
        }
        let best = Best(limit: limit)
        try scan.selection.scan(
            order,
            isWanted: { index in
                guard let worst = best.worst else { return true }
                return isForward
                    ? summaries[index].times.lowerBound <= worst.time
                    : summaries[index].times.upperBound >= worst.time
            },
            { (index, block) throws(QueryError) in
                let view = LogBlockView(
                    block,
                    index: index,
                    streams: self.scan.streams,
                    context: self.context
                )
                let found = try self.places(in: view, limit, after, best.worst)
                best.add(found) { self.comesFirst($0, $1) }
            }
        )
        return best.places
    }

    /// The best places of a block, in order, at most `limit`.
    private func places(
        in view: LogBlockView,
        _ limit: Int,
        _ after: Place?,
        _ worst: Place?
    ) throws(QueryError) -> [Place] {
        let summary = scan.selection.blocks[view.index].times
        // Rows that cannot win are taken away first, where the block is not wholly within.
        let isCut: Bool
        switch direction {
        case .forward:
            isCut =
                (after.map { $0.time >= summary.lowerBound } ?? false)
                || (worst.map { $0.time <= summary.upperBound } ?? false)
        case .backward:
            isCut =
                (after.map { $0.time <= summary.upperBound } ?? false)
                || (worst.map { $0.time >= summary.lowerBound } ?? false)
        }
        let parts = try scan.parts(view) { (rows) throws(QueryError) in
            guard isCut else { return rows }
            let times = try view.times()
            return rows.filter { row in
                let place = Place(
                    time: times[Int(row)],
                    block: Int32(view.index),
                    row: row
                )
                if let after, !self.comesFirst(after, place) { return false }
                if let worst, !self.comesFirst(place, worst) { return false }
                return true
            }
        }
        var found: [Place] = []
        for part in parts {
            let times = try view.times()
            var places: [Place]
            if part.rest.isEmpty {
                places = best(of: part.rows, times, view.index, limit)
            } else {
                places = try passing(part, times, view, limit)
            }
            if found.isEmpty {
                found = places
            } else {
                places += found
                places.sort(by: comesFirst)
                found = Array(places.prefix(limit))
            }
        }
        return found
    }

    /// The best of rows that all pass: a heap of `limit` whose root is the worst kept.
    private func best(
        of rows: [UInt32],
        _ times: [Int64],
        _ block: Int,
        _ limit: Int
    ) -> [Place] {
        var heap: [Place] = []
        for row in rows {
            let place = Place(time: times[Int(row)], block: Int32(block), row: row)
            if heap.count < limit {
                heap.append(place)
                var child = heap.count - 1
                while child > 0, comesFirst(heap[(child - 1) / 2], heap[child]) {
                    heap.swapAt(child, (child - 1) / 2)
                    child = (child - 1) / 2
                }
            } else if comesFirst(place, heap[0]) {
                heap[0] = place
                var parent = 0
                while true {
                    var worst = parent
                    for child in [2 * parent + 1, 2 * parent + 2]
                    where child < heap.count && comesFirst(heap[worst], heap[child]) {
                        worst = child
                    }
                    if worst == parent { break }
                    heap.swapAt(parent, worst)
                    parent = worst
                }
            }
        }
        heap.sort(by: comesFirst)
        return heap
    }

    /// The best rows that also pass the rest of the stages.
    private func passing(
        _ part: LogScan.Part,
        _ times: [Int64],
        _ view: LogBlockView,
        _ limit: Int
    ) throws(QueryError) -> [Place] {
        var places = part.rows.map {
            Place(time: times[Int($0)], block: Int32(view.index), row: $0)
        }
        places.sort(by: comesFirst)
        let row = LogRowState(view)
        var found: [Place] = []
        for (count, place) in places.enumerated() {
            if count & 1023 == 0 { try context.check() }
            row.start(Int(place.row))
            guard try row.run(part.rest) else { continue }
            found.append(place)
            if found.count == limit { break }
        }
        return found
    }

    // MARK: Entries

    private func entries(_ places: [Place]) throws(QueryError) -> [LogEntry] {
        var rowsOf: [Int: [(row: UInt32, place: Int)]] = [:]
        for (index, place) in places.enumerated() {
            rowsOf[Int(place.block), default: []].append((place.row, index))
        }
        let wanted = rowsOf
        let found = Mutex<[LogEntry?]>(Array(repeating: nil, count: places.count))
        try scan.selection.scan(
            wanted.keys.sorted(),
            isWanted: { _ in true },
            { (index, block) throws(QueryError) in
                let view = LogBlockView(
                    block,
                    index: index,
                    streams: self.scan.streams,
                    context: self.context
                )
                let steps = self.scan.pipeline.plan.lead + self.scan.pipeline.plan.rest
                let row = LogRowState(view)
                for one in wanted[index] ?? [] {
                    row.start(Int(one.row))
                    // The row passed before; what counts is what the stages make of it.
                    _ = try row.run(steps)
                    let entry = try row.entry()
                    let bytes = entry.line.count + entry.fields.count * 64
                    self.chargedBytes.add(bytes, ordering: .relaxed)
                    try self.context.reserve(bytes: bytes)
                    found.withLock { $0[one.place] = entry }
                }
            }
        )
        return found.withLock { $0.compactMap { $0 } }
    }
}
