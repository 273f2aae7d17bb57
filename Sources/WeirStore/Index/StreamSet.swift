/// A set of a segment's streams, by ordinal: a bit each.
struct StreamSet: Sendable {
    let streamCount: Int
    private var words: [UInt64]

    /// Holds no stream, or all of them.
    init(streamCount: Int, isFull: Bool = false) {
        self.streamCount = streamCount
        words = [UInt64](repeating: 0, count: (streamCount + 63) / 64)
        if isFull { insert(0..<streamCount) }
    }

    mutating func insert(_ streams: Range<Int>) {
        Self.forEachWord(streams) { word, mask in words[word] |= mask }
    }

    mutating func remove(_ streams: Range<Int>) {
        Self.forEachWord(streams) { word, mask in words[word] &= ~mask }
    }

    mutating func formIntersection(_ other: Self) {
        for word in words.indices { words[word] &= other.words[word] }
    }

    var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    func contains(_ stream: Int) -> Bool { words[stream >> 6] >> UInt64(stream & 63) & 1 == 1 }

    func intersects(_ streams: Range<Int>) -> Bool {
        var isFound = false
        Self.forEachWord(streams) { word, mask in
            if words[word] & mask != 0 { isFound = true }
        }
        return isFound
    }

    /// The first member at or after `stream`, or nil.
    func first(from stream: Int) -> Int? {
        guard stream < streamCount else { return nil }
        var word = stream >> 6
        var rest = words[word] & (UInt64.max << UInt64(stream & 63))
        while rest == 0 {
            word += 1
            guard word < words.count else { return nil }
            rest = words[word]
        }
        return word << 6 + rest.trailingZeroBitCount
    }

    /// Calls `body` with each word that has bits in `streams`, and which bits.
    private static func forEachWord(_ streams: Range<Int>, _ body: (Int, UInt64) -> Void) {
        guard !streams.isEmpty else { return }
        let (first, last) = (streams.lowerBound >> 6, (streams.upperBound - 1) >> 6)
        let head = UInt64.max << UInt64(streams.lowerBound & 63)
        let tail = UInt64.max >> UInt64(63 - (streams.upperBound - 1) & 63)
        if first == last {
            body(first, head & tail)
            return
        }
        body(first, head)
        for word in (first + 1)..<last { body(word, .max) }
        body(last, tail)
    }
}
