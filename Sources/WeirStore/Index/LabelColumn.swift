internal import WeirCore

/// One label's dictionary: its values, ascending, and which streams have each.
///
/// The streams of a value are runs of neighbouring ordinals, each as varints: the distance from
/// the end of the run before, doubled, plus one if the run is longer than one; and then its length
/// less two.
struct LabelColumn: Sendable {
    /// Empty for `__name__`, as in canonical labels.
    let name: [UInt8]
    private let valueBytes: [UInt8]
    /// One more than there are values.
    private let valueStarts: [UInt32]
    private let postingBytes: [UInt8]
    /// One more than there are values.
    private let postingStarts: [UInt32]

    var valueCount: Int { valueStarts.count - 1 }

    var byteCount: Int {
        name.count + valueBytes.count + postingBytes.count + 8 * valueStarts.count
    }

    func value(_ index: Int) -> ArraySlice<UInt8> {
        valueBytes[Int(valueStarts[index])..<Int(valueStarts[index + 1])]
    }

    /// The place of a value, or nil.
    func index(of value: String) -> Int? {
        let place = (0..<valueCount).partitioningIndex {
            !self.value($0).lexicographicallyPrecedes(value.utf8)
        }
        guard place < valueCount, self.value(place).elementsEqual(value.utf8) else { return nil }
        return place
    }

    /// Calls `body` with each run of streams that have the value, until it returns false.
    func forEachRun(of value: Int, _ body: (Range<Int>) -> Bool) {
        var offset = Int(postingStarts[value])
        let end = Int(postingStarts[value + 1])
        var next = 0
        while offset < end {
            let step = Self.readVarint(postingBytes, &offset)
            let first = next + step >> 1
            next = first + 1
            if step & 1 == 1 { next += 1 + Self.readVarint(postingBytes, &offset) }
            guard body(first..<next) else { return }
        }
    }

    /// Reads what `init` wrote.
    private static func readVarint(_ bytes: [UInt8], _ offset: inout Int) -> Int {
        var value = 0
        var shift = 0
        while true {
            let byte = bytes[offset]
            offset += 1
            value |= Int(byte & 0x7F) << shift
            guard byte >= 0x80 else { return value }
            shift += 7
        }
    }

    /// Sorts what was gathered stream by stream.
    init(_ gathered: GatheredLabel) {
        name = gathered.name
        let order = (0..<gathered.valueCount).sorted {
            gathered.value($0).lexicographicallyPrecedes(gathered.value($1))
        }
        var ranks = [Int](repeating: 0, count: order.count)
        var valueBytes: [UInt8] = []
        var valueStarts: [UInt32] = [0]
        valueBytes.reserveCapacity(gathered.valueByteCount)
        valueStarts.reserveCapacity(order.count + 1)
        for (rank, value) in order.enumerated() {
            ranks[value] = rank
            valueBytes.append(contentsOf: gathered.value(value))
            valueStarts.append(UInt32(valueBytes.count))
        }
        // A counting sort by value: of one value the runs stay in order.
        var starts = [Int](repeating: 0, count: order.count + 1)
        for run in gathered.runs { starts[ranks[Int(run.value)] + 1] += 1 }
        for rank in order.indices { starts[rank + 1] += starts[rank] }
        var places = starts
        var sorted = [UInt32](repeating: 0, count: gathered.runs.count)
        for (index, run) in gathered.runs.enumerated() {
            let rank = ranks[Int(run.value)]
            sorted[places[rank]] = UInt32(index)
            places[rank] += 1
        }
        var postingBytes: [UInt8] = []
        var postingStarts: [UInt32] = [0]
        postingStarts.reserveCapacity(order.count + 1)
        for rank in order.indices {
            var next: UInt32 = 0
            for index in sorted[starts[rank]..<starts[rank + 1]] {
                let run = gathered.runs[Int(index)]
                let isLong = run.count > 1
                (UInt64(run.first - next) << 1 | (isLong ? 1 : 0)).appendVarint(to: &postingBytes)
                if isLong { UInt64(run.count - 2).appendVarint(to: &postingBytes) }
                next = run.first + run.count
            }
            postingStarts.append(UInt32(postingBytes.count))
        }
        self.valueBytes = valueBytes
        self.valueStarts = valueStarts
        self.postingBytes = postingBytes
        self.postingStarts = postingStarts
    }
}

/// One label's values while a segment's streams go by, in the order they were first seen.
struct GatheredLabel {
    struct Run {
        let first: UInt32
        let value: UInt32
        var count: UInt32
    }

    let name: [UInt8]
    private(set) var runs: [Run] = []
    private var valueBytes: [UInt8] = []
    private var valueStarts: [UInt32] = [0]
    private var hashes: [UInt32] = []
    /// Open addressing: a value's number and one, or zero.
    private var slots = [UInt32](repeating: 0, count: 16)

    /// Offsets have four bytes, and a varint of a posting ten at most.
    static let bytesMax = 1 << 30

    init(name: [UInt8]) { self.name = name }

    var valueCount: Int { hashes.count }
    var valueByteCount: Int { valueBytes.count }

    /// What it takes in memory.
    var byteCount: Int {
        runs.count * MemoryLayout<Run>.stride + valueBytes.count
            + 4 * (valueStarts.count + hashes.count + slots.count)
    }
    var isTooLarge: Bool { valueBytes.count > Self.bytesMax || runs.count > Self.bytesMax / 10 }

    func value(_ index: Int) -> ArraySlice<UInt8> {
        valueBytes[Int(valueStarts[index])..<Int(valueStarts[index + 1])]
    }

    /// Says that `stream` has the value `bytes[range]`.
    ///
    /// Streams ascend.
    mutating func add(_ bytes: [UInt8], _ range: Range<Int>, stream: Int) {
        if let last = runs.last, isEqual(Int(last.value), bytes, range) {
            append(last.value, stream)
            return
        }
        var hash: UInt32 = 2_166_136_261
        for byte in bytes[range] { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        hash ^= hash >> 15
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while slots[slot] != 0 {
            let value = Int(slots[slot]) - 1
            if hashes[value] == hash, isEqual(value, bytes, range) {
                append(UInt32(value), stream)
                return
            }
            slot = (slot + 1) & mask
        }
        slots[slot] = UInt32(hashes.count + 1)
        append(UInt32(hashes.count), stream)
        hashes.append(hash)
        valueBytes.append(contentsOf: bytes[range])
        valueStarts.append(UInt32(valueBytes.count))
        if hashes.count * 2 > slots.count { grow() }
    }

    private mutating func append(_ value: UInt32, _ stream: Int) {
        if let last = runs.last, last.value == value, last.first + last.count == UInt32(stream) {
            runs[runs.count - 1].count += 1
        } else {
            runs.append(Run(first: UInt32(stream), value: value, count: 1))
        }
    }

    private func isEqual(_ value: Int, _ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        let start = Int(valueStarts[value])
        guard Int(valueStarts[value + 1]) - start == range.count else { return false }
        for offset in 0..<range.count
        where valueBytes[start + offset] != bytes[range.lowerBound + offset] {
            return false
        }
        return true
    }

    private mutating func grow() {
        let mask = slots.count * 2 - 1
        slots = [UInt32](repeating: 0, count: mask + 1)
        for (value, hash) in hashes.enumerated() {
            var slot = Int(hash) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt32(value + 1)
        }
    }
}
