/// Finds byte ranges of one body by their contents: a hash table with open addressing.
struct PrefixTable {
    private struct Slot {
        var hash: UInt64 = 0
        var start = 0
        var count = 0
        /// -1: free.
        var entry = -1
    }

    private var slots = [Slot](repeating: Slot(), count: 64)
    private var usedCount = 0

    func find(_ range: Range<Int>, in bytes: Span<UInt8>) -> Int? {
        let hash = ByteHash.hash(range, in: bytes)
        var index = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[index].entry >= 0 {
            let slot = slots[index]
            if slot.hash == hash, slot.count == range.count,
                ByteHash.areEqual(
                    slot.start,
                    in: bytes,
                    range.lowerBound,
                    in: bytes,
                    count: range.count
                )
            {
                return slot.entry
            }
            index = (index + 1) & (slots.count - 1)
        }
        return nil
    }

    mutating func insert(_ range: Range<Int>, entry: Int, in bytes: Span<UInt8>) {
        if usedCount * 2 >= slots.count { grow() }
        place(
            Slot(
                hash: ByteHash.hash(range, in: bytes),
                start: range.lowerBound,
                count: range.count,
                entry: entry
            )
        )
        usedCount += 1
    }

    private mutating func place(_ slot: Slot) {
        var index = Int(truncatingIfNeeded: slot.hash) & (slots.count - 1)
        while slots[index].entry >= 0 { index = (index + 1) & (slots.count - 1) }
        slots[index] = slot
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(), count: old.count * 2)
        for slot in old where slot.entry >= 0 { place(slot) }
    }
}
