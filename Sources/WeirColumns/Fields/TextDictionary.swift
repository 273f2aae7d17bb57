internal import Glibc
internal import WeirCore

/// Gives equal texts one code, while there are few of them.
struct TextDictionary {
    /// The distinct texts, in the order they came.
    private(set) var entries = BytesColumn()
    private var hashes: [UInt64] = []
    /// An entry's code plus one; 0: free.
    private var slots: [UInt32]

    init() { slots = [UInt32](repeating: 0, count: 256) }

    var count: Int { entries.count }

    /// The code of `text`, which is added when it is new.
    mutating func code(_ text: Span<UInt8>) -> Int {
        let hash = ByteHash.hash(text)
        var slot = Int(truncatingIfNeeded: hash) & (slots.count &- 1)
        while slots[slot] > 0 {
            let code = Int(slots[slot]) &- 1
            if hashes[code] == hash, isEntry(code, text) { return code }
            slot = (slot &+ 1) & (slots.count &- 1)
        }
        let code = entries.count
        entries.append(text)
        hashes.append(hash)
        slots[slot] = UInt32(code + 1)
        if entries.count * 2 > slots.count { grow() }
        return code
    }

    private func isEntry(_ code: Int, _ text: Span<UInt8>) -> Bool {
        let range = entries.range(code)
        guard range.count == text.count else { return false }
        let bytes = entries.bytes
        return bytes.span.extracting(range).isEqual(to: text)
    }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: slots.count * 4)
        for code in hashes.indices {
            var slot = Int(truncatingIfNeeded: hashes[code]) & (slots.count - 1)
            while slots[slot] > 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = UInt32(code + 1)
        }
    }

    /// The codes of all `values`, and the dictionary, when there are few distinct values: at most
    /// `limit`, at most one in four, and at most one in `share` once there are many.
    static func encode(
        _ values: BytesColumn,
        limit: Int,
        share: Int
    ) -> (codes: [UInt16], dictionary: TextDictionary)? {
        var dictionary = TextDictionary()
        var codes: [UInt16] = []
        codes.reserveCapacity(values.count)
        let bytes = values.bytes
        let span = bytes.span
        var start = 0
        let ends = values.ends
        for index in 0..<ends.count {
            let end = Int(ends[index])
            let code = dictionary.code(span.extracting(start..<end))
            start = end
            let isMany = code >= limit || (code >= 64 && code &* share > index)
            guard !isMany else { return nil }
            codes.append(UInt16(truncatingIfNeeded: code))
        }
        guard dictionary.count * 4 <= values.count else { return nil }
        return (codes, dictionary)
    }
}

extension Span<UInt8> {
    /// Whether both hold the same bytes.
    func isEqual(to other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        guard count > 0 else { return true }
        return unsafe withUnsafeBytes { left in
            unsafe other.withUnsafeBytes { right in
                guard let left = left.baseAddress, let right = right.baseAddress else {
                    return true
                }
                // SAFETY: both hold `count` bytes.
                return unsafe memcmp(left, right, count) == 0
            }
        }
    }
}
