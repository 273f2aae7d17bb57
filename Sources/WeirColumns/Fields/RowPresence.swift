internal import WeirCore

/// Which rows of a block have a field: a bit per row, or the steps between the few that do.
///
/// Layout: docs/format/fields.md.
enum RowPresence {
    private static let bitmapTag: UInt8 = 0
    private static let stepsTag: UInt8 = 1

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

    /// Each row's value's index, -1 where the row lacks the field; nil when the bytes are no
    /// presence of `count` rows.
    static func decode(_ bytes: [UInt8], count: Int, rowCount: Int) -> [Int32]? {
        var indexes = [Int32](repeating: -1, count: rowCount)
        var next: Int32 = 0
        switch bytes.first {
        case bitmapTag:
            guard bytes.count == 1 + (rowCount + 7) / 8 else { return nil }
            for row in 0..<rowCount where bytes[1 + row >> 3] & 1 << UInt8(row & 7) != 0 {
                indexes[row] = next
                next += 1
            }
        case stepsTag:
            var reader = ByteReader(bytes.span.extracting(1..<bytes.count))
            var row = 0
            while reader.remaining > 0 {
                guard let step = try? reader.readCount(limit: rowCount) else { return nil }
                row += step
                guard row < rowCount, next == 0 || step > 0 else { return nil }
                indexes[row] = next
                next += 1
            }
        default: return nil
        }
        return Int(next) == count ? indexes : nil
    }
}
