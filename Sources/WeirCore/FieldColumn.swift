/// One field over the rows of a batch: only the rows that have it.
package struct FieldColumn: Hashable, Sendable {
    /// Empty for the body.
    package let name: String
    /// Which rows have the field, ascending.
    package private(set) var rows: [UInt32] = []
    /// One per row that has it: a `FieldKind`.
    package private(set) var kinds: [UInt8] = []
    /// One per row that has it.
    package private(set) var values = BytesColumn()

    package init(name: String) { self.name = name }

    package init(name: String, rows: [UInt32], kinds: [UInt8], values: BytesColumn) {
        self.name = name
        self.rows = rows
        self.kinds = kinds
        self.values = values
    }

    package var count: Int { rows.count }

    /// Roughly what the column takes in memory.
    package var byteCount: Int { rows.count * 9 + values.bytes.count + 64 }

    /// Appends the value of `row`, which is at least the last one's: of the same row the later
    /// value stays.
    package mutating func append(_ row: Int, _ kind: FieldKind, _ value: Span<UInt8>) {
        let row = UInt32(row)
        if rows.last == row {
            kinds[kinds.count - 1] = kind.rawValue
            values.removeLast()
        } else {
            rows.append(row)
            kinds.append(kind.rawValue)
        }
        values.append(value)
    }

    /// Appends value `index` of `other` for `row`, which is beyond the last one.
    package mutating func append(_ row: Int, valueAt index: Int, of other: FieldColumn) {
        rows.append(UInt32(row))
        kinds.append(other.kinds[index])
        values.append(index, of: other.values)
    }

    /// Makes room for all values of `columns` at once.
    package mutating func reserveCapacity(for columns: some Sequence<FieldColumn>) {
        var (count, byteCount) = (0, 0)
        for column in columns {
            count += column.count
            byteCount += column.values.bytes.count
        }
        rows.reserveCapacity(count)
        kinds.reserveCapacity(count)
        values.reserveCapacity(strings: count, bytes: byteCount)
    }

    /// Appends all of `other`, whose first row is row `first` of this column.
    package mutating func append(contentsOf other: FieldColumn, firstRow first: Int) {
        for row in other.rows { rows.append(UInt32(first) + row) }
        kinds.append(contentsOf: other.kinds)
        values.append(contentsOf: other.values)
    }

    /// The values at `indexes`, for `rows`, which ascend.
    package func gathering(_ indexes: [UInt32], rows: [UInt32]) -> FieldColumn {
        FieldColumn(
            name: name,
            rows: rows,
            kinds: indexes.map { kinds[Int($0)] },
            values: BytesColumn(gathering: indexes, of: values)
        )
    }

    /// Which value belongs to `row`; nil when the row lacks the field.
    package func index(ofRow row: Int) -> Int? {
        // Where every row has the field, as is common, the answer is at hand.
        if row < rows.count, rows[row] == UInt32(row) { return row }
        let index = rows.partitioningIndex { $0 >= UInt32(row) }
        return index < rows.count && rows[index] == UInt32(row) ? index : nil
    }

    /// The kind that all values share; nil when they differ or there are none.
    package var commonKind: FieldKind? {
        guard let first = kinds.first else { return nil }
        for kind in kinds where kind != first { return nil }
        return FieldKind(rawValue: first)
    }

    /// Whether rows `0..<count` all have the field.
    package func isComplete(rowCount: Int) -> Bool { rows.count == rowCount }

    mutating func removeRows(from row: Int) {
        while let last = rows.last, last >= UInt32(row) {
            rows.removeLast()
            kinds.removeLast()
            values.removeLast()
        }
    }
}
