internal import WeirCore

/// Says which long tokens a column's texts certainly do not hold: a Bloom filter.
///
/// A token is a run of letters, digits and bytes over 127, as long as it goes. Only tokens of at
/// least `tokenBytesMin` bytes with a digit in them are kept: ids, not words, since words are in
/// the templates and dictionaries. Layout: docs/format/fields.md.
struct TokenFilter {
    static let tokenBytesMin = 6
    private static let bitsPerToken = 8
    private static let probeCount = 5
    /// The largest filter in bytes.
    static let byteCountMax = 1 << 20

    /// Gathers the tokens of a column.
    struct Builder {
        private var hashes: [UInt64] = []
        private var longest = 0

        var isEmpty: Bool { hashes.isEmpty }

        /// Adds one token, which the caller found to be one.
        @inline(__always)
        mutating func add(_ token: Span<UInt8>) {
            hashes.append(ByteHash.hash(token))
            longest = max(longest, token.count)
        }

        mutating func removeAll() {
            hashes.removeAll(keepingCapacity: true)
            longest = 0
        }

        /// The filter's bytes: the longest token's length, capped at 255, and the bits.
        func encoded() -> [UInt8] {
            let tokenCount = Builder.distinctCount(hashes)
            let wordCount = max(1, (tokenCount * TokenFilter.bitsPerToken + 63) / 64)
            let byteCount = min(wordCount * 8, TokenFilter.byteCountMax)
            var bytes = [UInt8](repeating: 0, count: 1 + byteCount)
            bytes[0] = UInt8(clamping: longest)
            for hash in hashes {
                var probe = Probe(hash, bitCount: byteCount * 8)
                for _ in 0..<TokenFilter.probeCount {
                    let bit = probe.next()
                    bytes[1 + bit >> 3] |= 1 << UInt8(bit & 7)
                }
            }
            return bytes
        }

        private static func distinctCount(_ hashes: [UInt64]) -> Int {
            var size = 64
            while size < hashes.count * 2 { size *= 2 }
            var slots = [UInt64](repeating: 0, count: size)
            var count = 0
            for hash in hashes {
                let hash = hash | 1
                var slot = Int(truncatingIfNeeded: hash &>> 20) & (size - 1)
                while slots[slot] != 0, slots[slot] != hash { slot = (slot + 1) & (size - 1) }
                if slots[slot] == 0 {
                    slots[slot] = hash
                    count += 1
                }
            }
            return count
        }
    }

    /// The bits one token sets: double hashing.
    private struct Probe {
        private var value: UInt64
        private let step: UInt64
        private let bitCount: UInt64

        init(_ hash: UInt64, bitCount: Int) {
            value = hash
            step = (hash &>> 33) | 1
            self.bitCount = UInt64(bitCount)
        }

        mutating func next() -> Int {
            let bit = (value & 0xFFFF_FFFF).multipliedFullWidth(by: bitCount &<< 32).high
            value = value &+ step
            return Int(bit)
        }
    }

    private let longest: Int
    private let bits: [UInt8]

    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 9, (bytes.count - 1) % 8 == 0 else { return nil }
        longest = Int(bytes[0])
        bits = Array(bytes.dropFirst())
    }

    /// Whether a filter may have something to say of `needle`.
    static func isTold(_ needle: [UInt8]) -> Bool {
        let span = needle.span
        var start = 0
        while let token = TextWords.nextToken(in: span, from: start) {
            start = token.upperBound
            if token.count >= tokenBytesMin, TextWords.hasDigit(span.extracting(token)) {
                return true
            }
        }
        return false
    }

    private func mayContain(_ token: Span<UInt8>) -> Bool {
        var probe = Probe(ByteHash.hash(token), bitCount: bits.count * 8)
        for _ in 0..<Self.probeCount {
            let bit = probe.next()
            if bits[bit >> 3] & 1 << UInt8(bit & 7) == 0 { return false }
        }
        return true
    }

    /// False when no text of the column contains `needle` (or, if `isWhole`, is `needle`).
    func mayHold(_ needle: [UInt8], isWhole: Bool) -> Bool {
        let span = needle.span
        var start = 0
        while let token = TextWords.nextToken(in: span, from: start) {
            start = token.upperBound
            guard token.count >= Self.tokenBytesMin,
                TextWords.hasDigit(span.extracting(token))
            else { continue }
            // A token at the needle's edge may be a part of a longer one, if there is one.
            let isComplete =
                (token.lowerBound > 0 || isWhole) && (token.upperBound < needle.count || isWhole)
            if isComplete || (token.count >= longest && longest < 255) {
                if token.count > longest, longest < 255 { return false }
                if !mayContain(span.extracting(token)) { return false }
            }
        }
        return true
    }
}
