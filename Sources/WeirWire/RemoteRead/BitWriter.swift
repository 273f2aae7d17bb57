/// Appends numbers of any width to bytes, the first bit first.
struct BitWriter {
    private(set) var bytes: [UInt8]
    /// Bits of the last byte that are not used yet.
    private var free = 0

    /// `bytes`: What stands before, whole.
    init(_ bytes: [UInt8] = []) { self.bytes = bytes }

    mutating func append(bit: Bool) { append(bit ? 1 : 0, count: 1) }

    /// Appends the lowest `count` bits of a number, 0 to 64.
    mutating func append(_ value: UInt64, count: Int) {
        precondition((0...64).contains(count))
        var left = count
        while left > 0 {
            if free == 0 {
                bytes.append(0)
                free = 8
            }
            let taken = min(left, free)
            let part = (value >> UInt64(left - taken)) & ((1 << UInt64(taken)) - 1)
            bytes[bytes.count - 1] |= UInt8(part << UInt64(free - taken))
            free -= taken
            left -= taken
        }
    }
}
