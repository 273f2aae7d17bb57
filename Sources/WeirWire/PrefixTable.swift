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
        let hash = Self.hash(range, in: bytes)
        var index = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[index].entry >= 0 {
            let slot = slots[index]
            if slot.hash == hash, slot.count == range.count,
                Self.areEqual(slot.start, range.lowerBound, count: range.count, in: bytes)
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
                hash: Self.hash(range, in: bytes),
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

    /// Eight bytes at a time; a hostile body can slow its own parsing by collisions, and is
    /// bounded by its size.
    private static func hash(_ range: Range<Int>, in bytes: Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(range.count)
        var index = range.lowerBound
        while index &+ 8 <= range.upperBound {
            hash = mix(hash ^ word(index, in: bytes))
            index &+= 8
        }
        while index < range.upperBound {
            // SAFETY: index < range.upperBound <= bytes.count.
            hash = mix(hash ^ UInt64(unsafe bytes[unchecked: index]))
            index &+= 1
        }
        return hash
    }

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        return product.high ^ product.low
    }

    @inline(__always)
    private static func word(_ index: Int, in bytes: Span<UInt8>) -> UInt64 {
        // SAFETY: callers prove index + 8 <= bytes.count.
        unsafe bytes.withUnsafeBytes {
            unsafe $0.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        }
    }

    private static func areEqual(
        _ left: Int,
        _ right: Int,
        count: Int,
        in bytes: Span<UInt8>
    ) -> Bool {
        var offset = 0
        while offset &+ 8 <= count {
            if word(left &+ offset, in: bytes) != word(right &+ offset, in: bytes) { return false }
            offset &+= 8
        }
        while offset < count {
            if bytes[left &+ offset] != bytes[right &+ offset] { return false }
            offset &+= 1
        }
        return true
    }
}
