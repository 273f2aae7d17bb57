internal import WeirCore

/// Which rows of a block have a field: a bit per row, and how many have it before each word.
///
/// On disk the bits, or the steps between the few rows that have it. Layout:
/// docs/format/fields.md.
struct RowPresence: Sendable {
    private static let bitmapTag: UInt8 = 0
    private static let stepsTag: UInt8 = 1

    /// Row `r` is bit `r % 64` of word `r / 64`.
    private let words: [UInt64]
    /// Rows that have the field before each word.
    private let ranks: [Int32]
    /// Rows that have the field.
    let count: Int

    private init(words: [UInt64]) {
        self.words = words
        var ranks: [Int32] = []
        ranks.reserveCapacity(words.count)
        var total: Int32 = 0
        for word in words {
            ranks.append(total)
            total += Int32(word.nonzeroBitCount)
        }
        self.ranks = ranks
        count = Int(total)
    }

    init(rows: [UInt32], rowCount: Int) {
        var words = [UInt64](repeating: 0, count: (rowCount + 63) / 64)
        for row in rows { words[Int(row) >> 6] |= 1 << UInt64(row & 63) }
        self.init(words: words)
    }

    /// The number of the row's value; -1 when the row lacks the field.
    @inline(__always)
    func index(of row: Int) -> Int {
        let word = words[row >> 6]
        let bit = UInt64(1) &<< UInt64(truncatingIfNeeded: row & 63)
        guard word & bit != 0 else { return -1 }
        return Int(ranks[row >> 6]) &+ (word & (bit &- 1)).nonzeroBitCount
    }

    static func encode(_ rows: [UInt32], rowCount: Int) -> [UInt8] {
        guard rows.count * 16 >= rowCount else {
            var bytes = [stepsTag]
            var previous: UInt32 = 0
            for row in rows {
                UInt64(row - previous).appendVarint(to: &bytes)
                previous = row
            }
            return bytes
        }
        var bytes = [UInt8](repeating: 0, count: 1 + (rowCount + 7) / 8)
        bytes[0] = bitmapTag
        for row in rows { bytes[1 + Int(row) >> 3] |= 1 << UInt8(row & 7) }
        return bytes
    }

    /// Reads a presence of rows below `rowCount`; nil when the bytes are none.
    init?(_ bytes: [UInt8], rowCount: Int) {
        var words = [UInt64](repeating: 0, count: (rowCount + 63) / 64)
        switch bytes.first {
        case Self.bitmapTag:
            guard bytes.count == 1 + (rowCount + 7) / 8 else { return nil }
            for index in 1..<bytes.count {
                words[(index - 1) >> 3] |= UInt64(bytes[index]) << UInt64(8 * ((index - 1) & 7))
            }
            // Bits beyond the last row stand for nothing.
            if rowCount & 63 != 0, let last = words.last, last >> UInt64(rowCount & 63) != 0 {
                return nil
            }
        case Self.stepsTag:
            var reader = ByteReader(bytes.span.extracting(1..<bytes.count))
            var row = 0
            var isFirst = true
            while reader.remaining > 0 {
                guard let step = try? reader.readCount(limit: rowCount) else { return nil }
                row += step
                guard row < rowCount, isFirst || step > 0 else { return nil }
                isFirst = false
                words[row >> 6] |= 1 << UInt64(row & 63)
            }
        default: return nil
        }
        self.init(words: words)
    }
}
