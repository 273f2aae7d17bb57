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
        sortedTimes.reserveCapacity(sorted.count)
        var kept: [UInt32] = []
        kept.reserveCapacity(sorted.count)
        var minTime = Int64.max
        var maxTime = Int64.min
        var start = 0
        while start < sorted.count {
            let reference = references[Int(sorted[start])]
            var end = start + 1
            var isAscending = true
            var previous = times[Int(sorted[start])]
            while end < sorted.count, references[Int(sorted[end])] == reference {
                let time = times[Int(sorted[end])]
                if time < previous { isAscending = false }
                previous = time
                end += 1
            }
            if !isAscending {
                sorted[start..<end].sort { (times[Int($0)], $0) < (times[Int($1)], $1) }
            }
            starts.append(kept.count)
            streamReferences.append(reference)
            for place in start..<end {
                let time = times[Int(sorted[place])]
                if keepsLastOfEqualTimes, place + 1 < end,
                    times[Int(sorted[place + 1])] == time
                {
                    continue
                }
                kept.append(sorted[place])
                sortedTimes.append(time)
                minTime = min(minTime, time)
                maxTime = max(maxTime, time)
            }
            start = end
        }
        starts.append(kept.count)
        sorted = kept
        timeRange = minTime...maxTime
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
        var minRank = UInt32.max
        var maxRank: UInt32 = 0
        for row in sorted {
            let rank = ranks[Int(references[Int(row)])]
            minRank = min(minRank, rank)
            maxRank = max(maxRank, rank)
        }
        let spread = Int(maxRank - minRank) + 1
        guard spread <= sorted.count * 4 + 1024 else {
            sorted.sort {
                (ranks[Int(references[Int($0)])], $0) < (ranks[Int(references[Int($1)])], $1)
            }
            return
        }
        var offsets = [UInt32](repeating: 0, count: spread + 1)
        for row in sorted { offsets[Int(ranks[Int(references[Int(row)])] - minRank) + 1] += 1 }
        for index in 1...spread { offsets[index] += offsets[index - 1] }
        var placed = sorted
        for row in sorted {
            let slot = Int(ranks[Int(references[Int(row)])] - minRank)
            placed[Int(offsets[slot])] = row
            offsets[slot] += 1
        }
        sorted = placed
    }
}
