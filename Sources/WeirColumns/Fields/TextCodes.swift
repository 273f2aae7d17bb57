/// Codes of a dictionary as they lie in their page: a byte each, or two planes of bytes.
///
/// Every code is below the count of entries.
struct TextCodes: Sendable {
    private let bytes: [UInt8]
    let count: Int
    private let isWide: Bool

    /// Checks a page of `count` codes; nil when it is none.
    init?(_ bytes: [UInt8], count: Int, entryCount: Int) {
        isWide = entryCount > 256
        guard bytes.count == (isWide ? count * 2 : count) else { return nil }
        self.bytes = bytes
        self.count = count
        if isWide {
            for index in 0..<count where self[index] >= entryCount { return nil }
        } else {
            var greatest: UInt8 = 0
            for byte in bytes { greatest = max(greatest, byte) }
            guard count == 0 || Int(greatest) < entryCount else { return nil }
        }
    }

    @inline(__always)
    subscript(index: Int) -> Int {
        isWide ? Int(bytes[index]) | Int(bytes[count &+ index]) &<< 8 : Int(bytes[index])
    }

    /// All codes, in order.
    func all() -> [UInt32] {
        guard isWide else { return bytes.map { UInt32($0) } }
        return (0..<count).map { UInt32(self[$0]) }
    }
}
