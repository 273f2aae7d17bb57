/// How far back the samples reached that came in: of all batches after any given one, the least time.
///
/// Batches are noted in the order they become visible. Bounded: the older half is made coarser when
/// there are too many, so that what it says of long ago may be earlier than it was, never later.
struct WriteHistory: Sendable {
    private struct Entry {
        /// The last batch this speaks of.
        let sequence: UInt64
        let leastTime: Int64
    }

    static let entriesMax = 2048
    /// As old as it is times this, at least, an entry may span batches.
    private static let ageShare: UInt64 = 32
    /// Sequences and times both rise: a batch that reaches further back hides those before it.
    private var entries: [Entry] = []

    mutating func note(sequence: UInt64, leastTime: Int64) {
        while let last = entries.last, last.leastTime >= leastTime { entries.removeLast() }
        entries.append(Entry(sequence: sequence, leastTime: leastTime))
        if entries.count > Self.entriesMax { coarsen() }
    }

    /// Nanoseconds; nil when no batch came after `sequence`.
    ///
    /// O(log entries).
    func leastTime(after sequence: UInt64) -> Int64? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].sequence <= sequence { low = middle + 1 } else { high = middle }
        }
        return low < entries.count ? entries[low].leastTime : nil
    }

    /// Joins neighbours, the later batch and the earlier time, as far as what they span is small for how
    /// long ago it was.
    private mutating func coarsen() {
        let newest = entries.last?.sequence ?? 0
        var kept: [Entry] = []
        kept.reserveCapacity(Self.entriesMax)
        var start = entries.first?.sequence ?? 0
        for entry in entries {
            if let last = kept.last,
                (entry.sequence - start) * Self.ageShare <= newest - entry.sequence
            {
                kept[kept.count - 1] = Entry(sequence: entry.sequence, leastTime: last.leastTime)
            } else {
                start = kept.last?.sequence ?? start
                kept.append(entry)
            }
        }
        // More batches than can be: the oldest are spoken of as one.
        let excess = kept.count - Self.entriesMax * 3 / 4
        if excess > 0 {
            let joined = Entry(sequence: kept[excess].sequence, leastTime: kept[0].leastTime)
            kept.replaceSubrange(0...excess, with: [joined])
        }
        entries = kept
    }
}
