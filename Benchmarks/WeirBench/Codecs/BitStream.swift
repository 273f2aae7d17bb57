/// Writes numbers of any width, the lowest bit first.
struct BitWriter {
    private(set) var bytes: [UInt8] = []
    private var word: UInt64 = 0
    private var used = 0

    /// Appends the lowest `count` bits, 0 to 64.
    mutating func put(_ value: UInt64, _ count: Int) {
        guard count > 0 else { return }
        let kept = value & (UInt64.max >> UInt64(64 - count))
        word |= kept << UInt64(used)
        used += count
        guard used >= 64 else { return }
        RawCodec.append(word, to: &bytes)
        used -= 64
        word = used == 0 ? 0 : kept >> UInt64(count - used)
    }

    /// Fills the last byte.
    mutating func finish() {
        while used > 0 {
            bytes.append(UInt8(truncatingIfNeeded: word))
            word >>= 8
            used -= 8
        }
        used = 0
    }
}

/// Reads what `BitWriter` wrote.
struct BitReader {
    private let bytes: [UInt8]
    private var place: Int

    init(_ bytes: [UInt8], at start: Int) {
        self.bytes = bytes
        place = start * 8
    }

    /// The byte behind the last one of which bits were read.
    var end: Int { (place + 7) / 8 }

    mutating func take(_ count: Int) -> UInt64 {
        guard count > 0 else { return 0 }
        let first = place >> 3
        let shift = UInt64(place & 7)
        var value: UInt64 = 0
        if first + 9 <= bytes.count {
            for offset in 0..<8 { value |= UInt64(bytes[first + offset]) << UInt64(8 * offset) }
            value >>= shift
            if shift > 0 { value |= UInt64(bytes[first + 8]) << (64 - shift) }
        } else {
            for offset in 0..<9 where first + offset < bytes.count {
                let byte = UInt64(bytes[first + offset])
                value |= offset == 0 ? byte >> shift : byte << (UInt64(8 * offset) - shift)
            }
        }
        place += count
        return value & (UInt64.max >> UInt64(64 - count))
    }
}
