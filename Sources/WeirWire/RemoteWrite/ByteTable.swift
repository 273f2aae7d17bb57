/// Numbers byte strings, each once, and keeps copies of them: a hash table with open addressing over one
/// run of bytes.
struct ByteTable: Sendable {
    private struct Slot {
        var hash: UInt64 = 0
        /// -1: free.
        var number: Int32 = -1
    }

    private var slots = [Slot](repeating: Slot(), count: 256)
    private var bytes: [UInt8] = []
    /// Where each string ends.
    private var ends: [Int] = []

    var count: Int { ends.count }
    var byteCount: Int { bytes.count + ends.count * 8 + slots.count * 16 }

    /// The number of the string at `range`; nil when it is not known.
    func find(_ range: Range<Int>, hash: UInt64, in source: Span<UInt8>) -> Int? {
        let known = bytes.span
        var index = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[index].number >= 0 {
            if slots[index].hash == hash {
                let number = Int(slots[index].number)
                let start = number > 0 ? ends[number - 1] : 0
                if ends[number] - start == range.count,
                    ByteHash.areEqual(
                        start,
                        in: known,
                        range.lowerBound,
                        in: source,
                        count: range.count
                    )
                {
                    return number
                }
            }
            index = (index + 1) & (slots.count - 1)
        }
        return nil
    }

    /// The length of a string.
    func length(of number: Int) -> Int {
        ends[number] - (number > 0 ? ends[number - 1] : 0)
    }

    /// Whether a string is what stands at `start`, whole, in `source`.
    func isString(_ number: Int, at start: Int, in source: Span<UInt8>) -> Bool {
        ByteHash.areEqual(
            number > 0 ? ends[number - 1] : 0,
            in: bytes.span,
            start,
            in: source,
            count: length(of: number)
        )
    }

    /// Whether a string is the numbers, in four bytes each, that references of one or two bytes in
    /// `source` stand for.
    ///
    /// Nothing is made for it. False too where there are longer references, or some without a number.
    func isString(
        _ number: Int,
        ofNumbers numbers: Span<UInt32>,
        at references: Range<Int>,
        in source: Span<UInt8>
    ) -> Bool {
        let known = bytes.span
        let end = ends[number]
        var place = number > 0 ? ends[number &- 1] : 0
        guard (end &- place).isMultiple(of: 4) else { return false }
        var cursor = references.lowerBound
        while cursor < references.upperBound, place < end {
            // SAFETY: the caller read the range of the source.
            var reference = Int(unsafe source[unchecked: cursor])
            cursor &+= 1
            if reference >= 0x80 {
                guard cursor < references.upperBound else { return false }
                // SAFETY: the same range.
                let next = Int(unsafe source[unchecked: cursor])
                guard next < 0x80 else { return false }
                reference = reference & 0x7F | next &<< 7
                cursor &+= 1
            }
            guard reference < numbers.count else { return false }
            let expected = unsafe known.withUnsafeBytes {
                // SAFETY: place < end, which are a multiple of 4 apart, and end <= known.count.
                unsafe $0.loadUnaligned(fromByteOffset: place, as: UInt32.self)
            }
            // SAFETY: it was just held against the count.
            let number = unsafe numbers[unchecked: reference]
            guard UInt32(littleEndian: expected) == number else { return false }
            place &+= 4
        }
        return place == end && cursor == references.upperBound
    }

    /// Adds a string that `find` did not find.
    ///
    /// - Returns: Its number, the next one.
    mutating func insert(_ range: Range<Int>, hash: UInt64, in source: Span<UInt8>) -> Int {
        if ends.count * 2 >= slots.count { grow() }
        let run = source.extracting(range)
        // SAFETY: the buffer is copied inside the closure.
        unsafe run.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        ends.append(bytes.count)
        place(Slot(hash: hash, number: Int32(ends.count - 1)))
        return ends.count - 1
    }

    mutating func removeAll() { self = ByteTable() }

    private mutating func place(_ slot: Slot) {
        var index = Int(truncatingIfNeeded: slot.hash) & (slots.count - 1)
        while slots[index].number >= 0 { index = (index + 1) & (slots.count - 1) }
        slots[index] = slot
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(), count: old.count * 2)
        for slot in old where slot.number >= 0 { place(slot) }
    }
}
