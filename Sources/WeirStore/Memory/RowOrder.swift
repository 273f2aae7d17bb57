internal import WeirCore

/// The order by stream and time of the rows of several batches, which are counted as if the
/// batches lay end to end.
struct RowOrder {
    private let references: [UInt32]
    private let ranks: [UInt32]
    private let times: [Int64]
    /// The rows in order, once sorted; a row is its place in the batches laid end to end.
    private(set) var sorted: [UInt32] = []
    /// Where each stream begins in `sorted`, and the end.
    private(set) var starts: [Int] = []
    /// Each stream once, in order.
    private(set) var streamReferences: [UInt32] = []
    private(set) var sortedTimes: [Int64] = []
    private(set) var timeRange: ClosedRange<Int64> = 0...0

    var isEmpty: Bool { sorted.isEmpty }

    /// - Parameters:
    ///   - batches: In journal order.
    ///   - ranks: Each reference's place among the streams.
    ///   - isKept: Which rows count; all when nil.
    init(
        _ batches: [ResolvedBatch],
        ranks: [UInt32],
        isKept: ((_ reference: UInt32, _ time: Int64) -> Bool)?
    ) {
        var references: [UInt32] = []
        var times: [Int64] = []
        let rowCount = batches.reduce(0) { $0 + $1.rowCount }
        references.reserveCapacity(rowCount)
        times.reserveCapacity(rowCount)
        for batch in batches {
            references.append(contentsOf: batch.references)
            times.append(contentsOf: batch.times)
        }
        self.references = references
        self.times = times
        self.ranks = ranks
        if let isKept {
            for row in 0..<rowCount where isKept(references[row], times[row]) {
                sorted.append(UInt32(row))
            }
        } else {
            sorted = Array(0..<UInt32(rowCount))
        }
    }

    /// Sorts by stream, then time, then arrival, and drops all but the last of equal times if
    /// they are one row.
    mutating func sort(keepsLastOfEqualTimes: Bool) {
        sortByStream()
        gatherTimes()
        var hasEqualTimes = false
        var (minTime, maxTime) = (Int64.max, Int64.min)
        var start = 0
        while start < sorted.count {
            let (end, isAscending) = endOfStream(from: start)
            if !isAscending {
                let times = times
                sorted[start..<end].sort { (times[Int($0)], $0) < (times[Int($1)], $1) }
                for place in start..<end { sortedTimes[place] = times[Int(sorted[place])] }
                for place in (start + 1)..<end
                where sortedTimes[place] == sortedTimes[place - 1] {
                    hasEqualTimes = true
                }
            }
            starts.append(start)
            streamReferences.append(references[Int(sorted[start])])
            minTime = min(minTime, sortedTimes[start])
            maxTime = max(maxTime, sortedTimes[end - 1])
            start = end
        }
        starts.append(sorted.count)
        timeRange = minTime...maxTime
        if hasEqualTimes, keepsLastOfEqualTimes { dropEqualTimes() }
    }

    private mutating func gatherTimes() {
        let (times, sorted) = (times, sorted)
        let (allTimes, rows) = (times.span, sorted.span)
        sortedTimes.reserveCapacity(sorted.count)
        sortedTimes.append(addingCapacity: sorted.count) { free in
            for place in rows.indices { free.append(allTimes[Int(rows[place])]) }
        }
    }

    /// Where the stream of the row at `start` ends, and whether its times ascend, no two of them equal.
    private func endOfStream(from start: Int) -> (end: Int, isAscending: Bool) {
        let (references, sorted, sortedTimes) = (references, sorted, sortedTimes)
        let (all, rows, times) = (references.span, sorted.span, sortedTimes.span)
        let reference = all[Int(rows[start])]
        var isAscending = true
        var previous = times[start]
        var end = start + 1
        while end < rows.count, all[Int(rows[end])] == reference {
            let time = times[end]
            if time <= previous { isAscending = false }
            previous = time
            end += 1
        }
        return (end, isAscending)
    }

    /// Of rows of one stream with equal times keeps the last.
    private mutating func dropEqualTimes() {
        var kept = 0
        for stream in streamReferences.indices {
            let rows = starts[stream]..<starts[stream + 1]
            starts[stream] = kept
            for place in rows {
                let isLast =
                    place + 1 == rows.upperBound || sortedTimes[place + 1] != sortedTimes[place]
                guard isLast else { continue }
                sorted[kept] = sorted[place]
                sortedTimes[kept] = sortedTimes[place]
                kept += 1
            }
        }
        starts[streamReferences.count] = kept
        sorted.removeLast(sorted.count - kept)
        sortedTimes.removeLast(sortedTimes.count - kept)
    }

    /// Sorts trace by trace, whatever the streams, and drops spans that are there twice.
    ///
    /// - Parameter batches: Those that the order was made of.
    /// - Returns: The fingerprint of each sorted row's trace.
    mutating func sortByTrace(_ batches: [ResolvedBatch]) -> [UInt32] {
        let spans = SpanOrder(batches, rows: sorted)
        sorted = spans.sorted
        starts = [0, sorted.count]
        sortedTimes = sorted.map { times[Int($0)] }
        if let first = sortedTimes.min(), let last = sortedTimes.max() { timeRange = first...last }
        return spans.fingerprints
    }

    /// The reference of each sorted row.
    var sortedReferences: [UInt32] { sorted.map { references[Int($0)] } }

    /// By counting, where the streams are dense among the ranks, as they nearly always are.
    private mutating func sortByStream() {
        let (references, ranks, rows) = (references, ranks, sorted)
        let rowRanks = rows.map { ranks[Int(references[Int($0)])] }
        let (minRank, maxRank) = (rowRanks.min() ?? 0, rowRanks.max() ?? 0)
        let spread = Int(maxRank - minRank) + 1
        guard spread <= rows.count * 4 + 1024 else {
            sorted.sort {
                (ranks[Int(references[Int($0)])], $0) < (ranks[Int(references[Int($1)])], $1)
            }
            return
        }
        var offsets = [UInt32](repeating: 0, count: spread + 1)
        var placed = rows
        var free = offsets.mutableSpan
        var target = placed.mutableSpan
        let (keys, source) = (rowRanks.span, rows.span)
        for index in keys.indices { free[Int(keys[index] &- minRank) + 1] &+= 1 }
        for index in 1...spread { free[index] &+= free[index - 1] }
        for index in keys.indices {
            let slot = Int(keys[index] &- minRank)
            target[Int(free[slot])] = source[index]
            free[slot] &+= 1
        }
        sorted = placed
    }
}
