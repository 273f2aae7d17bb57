internal import WeirWire

/// What makes a span the same as another: 128 bits of its trace, id, start, duration and kind.
struct SpanIdentity: Hashable {
    let high: UInt64
    let low: UInt64

    /// A place in a table that is free.
    static let free = SpanIdentity(high: 0, low: 0)

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    init(_ facts: SpanFacts) {
        let times =
            UInt64(bitPattern: facts.start) &* 0x9E37_79B9_7F4A_7C15
            ^ UInt64(bitPattern: facts.duration) &+ UInt64(facts.kind.rawValue) &<< 61
        high = Self.mix(facts.traceHigh ^ times) ^ Self.mix(facts.spanID &+ times)
        let low = Self.mix(facts.traceLow ^ Self.mix(facts.spanID ^ times &* 3))
        // 0 stands for a free place.
        self.low = low == 0 ? 1 : low
    }

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
    private struct Table {
        /// One array, so that to look at a place is to go to memory once.
        private var places: [SpanIdentity] = []
        private(set) var count = 0

        init() {}

        /// An empty table with the room of another.
        init(roomOf other: Table) {
            places = [SpanIdentity](repeating: .free, count: other.places.count)
        }

        func contains(_ identity: SpanIdentity) -> Bool {
            guard count > 0 else { return false }
            let mask = places.count &- 1
            var slot = Int(truncatingIfNeeded: identity.low) & mask
            while places[slot].low != 0 {
                if places[slot] == identity { return true }
                slot = (slot &+ 1) & mask
            }
            return false
        }

        mutating func insert(_ identity: SpanIdentity) -> Bool {
            if (count + 1) * 4 > places.count * 3 { grow() }
            let mask = places.count &- 1
            var slot = Int(truncatingIfNeeded: identity.low) & mask
            while places[slot].low != 0 {
                if places[slot] == identity { return false }
                slot = (slot &+ 1) & mask
            }
            places[slot] = identity
            count += 1
            return true
        }

        private mutating func grow() {
            let old = places
            let size = max(1024, old.count * 2)
            places = [SpanIdentity](repeating: .free, count: size)
            for identity in old where identity.low != 0 {
                var slot = Int(truncatingIfNeeded: identity.low) & (size - 1)
                while places[slot].low != 0 { slot = (slot + 1) & (size - 1) }
                places[slot] = identity
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
        var batch = Table()
        var isWhole = true
        var kept: [Int] = []
        kept.reserveCapacity(facts.count)
        for (row, facts) in facts.enumerated() {
            let identity = SpanIdentity(facts)
            if young.contains(identity) || old.contains(identity) || !batch.insert(identity) {
                isWhole = false
            } else {
                kept.append(row)
            }
        }
        return isWhole ? nil : kept
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
