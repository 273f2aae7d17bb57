/// How many values fell into buckets of a 64th of a power of two, cell by cell.
///
/// A bucket's middle is within 0.8 % of every value in it. Memory grows with the buckets that are in
/// use, never with the range of values.
struct SpanSketch: Sendable {
    /// The bits of a `Double` below its sign, exponent and 6 bits of mantissa.
    private static let droppedBits: UInt64 = 46
    private static let bucketBits: UInt64 = 18

    /// Cell and bucket plus one; 0 where free.
    ///
    /// A power of two of them.
    private var keys: [UInt64]
    private var counts: [UInt64]
    private(set) var used = 0

    init() {
        keys = [UInt64](repeating: 0, count: 256)
        counts = keys
    }

    /// What it takes in memory.
    var byteCount: Int { keys.count * 16 }

    /// Counts a value in a cell; `cell` is below 2^44.
    @inline(__always)
    mutating func add(_ value: Double, cell: Int, count: UInt64 = 1) {
        add(UInt64(cell) << Self.bucketBits | value.bitPattern >> Self.droppedBits, count)
    }

    private mutating func add(_ bucket: UInt64, _ count: UInt64) {
        let key = bucket &+ 1
        let mask = keys.count &- 1
        var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 24) & mask
        while true {
            let held = keys[slot]
            if held == key {
                counts[slot] &+= count
                return
            }
            if held == 0 { break }
            slot = (slot &+ 1) & mask
        }
        keys[slot] = key
        counts[slot] = count
        used += 1
        if used * 2 > keys.count { grow() }
    }

    private mutating func grow() {
        let (oldKeys, oldCounts) = (keys, counts)
        keys = [UInt64](repeating: 0, count: oldKeys.count * 2)
        counts = keys
        used = 0
        for (slot, key) in oldKeys.enumerated() where key != 0 { add(key - 1, oldCounts[slot]) }
    }

    /// Adds what `other` holds, whose cell `c` is `map(c)` here.
    mutating func merge(_ other: SpanSketch, _ map: (Int) -> Int) {
        for (slot, key) in other.keys.enumerated() where key != 0 {
            let bucket = key - 1
            let cell = map(Int(bucket >> Self.bucketBits))
            let place = bucket & (1 << Self.bucketBits - 1)
            add(UInt64(cell) << Self.bucketBits | place, other.counts[slot])
        }
    }

    /// A bucket of one cell: where it begins, its middle, and how many values it has.
    struct Bucket {
        let start: Double
        let middle: Double
        let count: UInt64
    }

    /// Every cell's buckets, ascending.
    func cells() -> [Int: [Bucket]] {
        var cells: [Int: [Bucket]] = [:]
        for (slot, key) in keys.enumerated() where key != 0 {
            let bucket = (key - 1) & (1 << Self.bucketBits - 1)
            let start = Double(bitPattern: bucket << Self.droppedBits)
            let half = bucket << Self.droppedBits | 1 << (Self.droppedBits - 1)
            let middle = start.magnitude == 0 || !start.isFinite ? start : Double(bitPattern: half)
            cells[Int((key - 1) >> Self.bucketBits), default: []].append(
                Bucket(start: start, middle: middle, count: counts[slot])
            )
        }
        for cell in cells.keys { cells[cell]?.sort { $0.middle < $1.middle } }
        return cells
    }

    /// The value that `quantile` of all values are not above, to within a bucket.
    static func quantile(_ quantile: Double, of buckets: [Bucket]) -> Double {
        let total = buckets.reduce(0) { $0 + $1.count }
        guard total > 0 else { return .nan }
        let rank = max(1, (quantile * Double(total)).rounded(.up))
        var seen: UInt64 = 0
        for bucket in buckets {
            seen += bucket.count
            if Double(seen) >= rank { return bucket.middle }
        }
        return buckets.last?.middle ?? .nan
    }
}
