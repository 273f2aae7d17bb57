internal import WeirWire

/// What makes a span the same as another: 128 bits of its trace, id, start, duration and kind.
struct SpanIdentity: Hashable {
    let high: UInt64
    let low: UInt64

    /// What lies in a free place of a table.
    static let free = SpanIdentity(high: 0, low: 0)

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    init(_ facts: SpanFacts) {
        let times =
            Self.secret ^ UInt64(bitPattern: facts.start) &* 0x9E37_79B9_7F4A_7C15
            ^ UInt64(bitPattern: facts.duration) &+ UInt64(facts.kind.rawValue) &<< 61
        let span = Self.mix(facts.spanID ^ Self.secret)
        high = Self.mix(facts.traceHigh ^ times) ^ Self.mix(span &+ times)
        low = Self.mix(Self.mix(facts.traceLow ^ Self.secret) ^ Self.mix(span ^ times &* 3))
    }

    /// A number of this process alone, so that nobody outside can tell which spans collide.
    private static let secret = UInt64.random(in: .min ... .max)

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        let product = (value ^ 0xE703_7ED1_A0B4_28DB).multipliedFullWidth(
            by: 0xA076_1D64_78BD_642F
        )
        return product.high ^ product.low
    }
}

/// The spans accepted lately: two generations, of which the older is forgotten when the younger is
/// full.
struct SeenSpans {
    /// A set of identities by open addressing, at most three quarters full.
    ///
    /// Most that is asked for is not there: a byte a place, small enough to stay in the cache, tells
    /// so without going to memory for the identities.
    private struct Table {
        /// Seven bits of an identity with the highest set; 0 where free.
        private var tags: [UInt8] = []
        private var places: [SpanIdentity] = []
        private(set) var count = 0

        init() {}

        /// An empty table with the room of another.
        init(roomOf other: Table) { makePlaces(other.places.count) }

        private mutating func makePlaces(_ size: Int) {
            tags = [UInt8](repeating: 0, count: size)
            places = [SpanIdentity](repeating: .free, count: size)
        }

        /// Where the identity is, or the free place where it would be; the table is not full.
        @inline(__always)
        private func place(of identity: SpanIdentity) -> (index: Int, isThere: Bool) {
            let mask = tags.count &- 1
            let tag = Self.tag(identity)
            var index = Int(truncatingIfNeeded: identity.low) & mask
            while tags[index] != 0 {
                if tags[index] == tag, places[index] == identity { return (index, true) }
                index = (index &+ 1) & mask
            }
            return (index, false)
        }

        private static func tag(_ identity: SpanIdentity) -> UInt8 {
            UInt8(truncatingIfNeeded: identity.low &>> 56) | 0x80
        }

        func contains(_ identity: SpanIdentity) -> Bool {
            count > 0 && place(of: identity).isThere
        }

        mutating func insert(_ identity: SpanIdentity) -> Bool {
            if (count + 1) * 4 > places.count * 3 { grow() }
            let (index, isThere) = place(of: identity)
            if isThere { return false }
            tags[index] = Self.tag(identity)
            places[index] = identity
            count += 1
            return true
        }

        private mutating func grow() {
            let (oldTags, oldPlaces) = (tags, places)
            makePlaces(max(1024, places.count * 2))
            for (tag, identity) in zip(oldTags, oldPlaces) where tag != 0 {
                let (index, _) = place(of: identity)
                tags[index] = tag
                places[index] = identity
            }
        }
    }

    /// Of one generation: 6 MiB of table.
    private let generationMax: Int
    private var young = Table()
    private var old = Table()

    init(generationMax: Int = 196_000) { self.generationMax = generationMax }

    /// The rows of spans not seen before, each once; nil when that is all of them.
    func fresh(_ facts: [SpanFacts]) -> [Int]? {
        // Those of this batch by open addressing: a row plus one, 0 where free.
        var size = 16
        while size < facts.count * 2 { size *= 2 }
        var rows = [UInt32](repeating: 0, count: size)
        var identities: [SpanIdentity] = []
        identities.reserveCapacity(facts.count)
        var kept: [Int]?
        for (row, facts) in facts.enumerated() {
            let identity = SpanIdentity(facts)
            identities.append(identity)
            var slot = Int(truncatingIfNeeded: identity.high) & (size - 1)
            while rows[slot] > 0, identities[Int(rows[slot]) - 1] != identity {
                slot = (slot + 1) & (size - 1)
            }
            let isKnown = rows[slot] > 0 || young.contains(identity) || old.contains(identity)
            if rows[slot] == 0 { rows[slot] = UInt32(row + 1) }
            if isKnown {
                if kept == nil { kept = Array(0..<row) }
            } else {
                kept?.append(row)
            }
        }
        return kept
    }

    mutating func insert(_ facts: [SpanFacts]) {
        for facts in facts {
            if young.count >= generationMax {
                old = young
                young = Table(roomOf: old)
            }
            _ = young.insert(SpanIdentity(facts))
        }
    }
}
