internal import WeirCore

/// Finds a stream's number by the bytes its labels were sent as.
///
/// The key of a row is put together with `beginKey` and `addKey`, looked up with `find`, and kept
/// with `insert` once it has a number.
struct StreamTable {
    private struct Entry {
        let hash: UInt64
        let start: Int
        let count: Int
        let stream: UInt32
    }

    private var entries: [Entry] = []
    private var slots = [Int32](repeating: -1, count: 64)
    private var bytes: [UInt8] = []
    private var key: [UInt8] = []
    private var hash: UInt64 = 0
    /// Unknown to who sends, so that labels cannot be made to collide.
    private let seed = UInt64.random(in: .min ... .max)

    mutating func beginKey(extra: UInt32) {
        key.removeAll(keepingCapacity: true)
        hash = ByteWords.mix(UInt64(extra) ^ seed)
        key.appendLittleEndian(extra)
    }

    @inline(__always)
    mutating func addKey(_ place: Int, _ isEscaped: Bool, _ value: Span<UInt8>) {
        key.append(UInt8(truncatingIfNeeded: place))
        key.append(isEscaped ? 1 : 0)
        key.appendLittleEndian(UInt32(truncatingIfNeeded: value.count))
        key.append(value, 0..<value.count)
        hash = ByteWords.mix(hash &+ UInt64(place)) ^ ByteWords.hash(value, seed: hash)
    }

    func find() -> UInt32? {
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        let bytes = self.bytes
        let key = self.key
        while slots[slot] >= 0 {
            let entry = entries[Int(slots[slot])]
            if entry.hash == hash, entry.count == key.count {
                let known = bytes.span.extracting(entry.start..<(entry.start + entry.count))
                if ByteWords.areEqual(known, key.span) { return entry.stream }
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    mutating func insert(_ stream: UInt32) {
        let start = bytes.count
        bytes += key
        entries.append(Entry(hash: hash, start: start, count: key.count, stream: stream))
        if entries.count * 2 > slots.count {
            slots = [Int32](repeating: -1, count: slots.count * 2)
            for index in entries.indices { place(index) }
        } else {
            place(entries.count - 1)
        }
    }

    private mutating func place(_ index: Int) {
        var slot = Int(truncatingIfNeeded: entries[index].hash) & (slots.count - 1)
        while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Int32(index)
    }
}
