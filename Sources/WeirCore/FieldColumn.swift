/// One field over the rows of a batch: only the rows that have it.
///
/// Most fields of most batches are in every row and of one kind; then neither is written down value
/// by value.
package struct FieldColumn: Sendable {
    /// Empty for the body.
    package let name: String
    /// One per row that has it.
    package private(set) var values = BytesColumn()
    /// Which rows have the field, ascending; in use unless they are the first rows, without a gap.
    private var listedRows: [UInt32] = []
    private var hasListedRows = false
    /// The kind of all values, a `FieldKind`; 0 when they differ, or there are none.
    private var sharedKind: UInt8 = 0
    /// One per value, in use when kinds differ.
    private var listedKinds: [UInt8] = []

    package init(name: String) { self.name = name }

    /// - Parameters:
    ///   - name: Empty for the body.
    ///   - rows: Which rows have the field, ascending; nil when they are the first ones.
    ///   - kinds: One per value, each a `FieldKind`.
    ///   - values: One per row.
    package init(name: String, rows: [UInt32]?, kinds: [UInt8], values: BytesColumn) {
        self.init(name: name, rows: rows, values: values)
        if let first = kinds.first, kinds.allSatisfy({ $0 == first }) {
            sharedKind = first
        } else {
            listedKinds = kinds
        }
    }

    /// A column of values that all have one kind.
    ///
    /// - Parameters:
    ///   - name: Empty for the body.
    ///   - rows: Which rows have the field, ascending; nil when they are the first ones.
    ///   - kind: That of all values.
    ///   - values: One per row.
    package init(name: String, rows: [UInt32]?, kind: FieldKind, values: BytesColumn) {
        self.init(name: name, rows: rows, values: values)
        sharedKind = values.count == 0 ? 0 : kind.rawValue
    }

    /// All but the kinds.
    private init(name: String, rows: [UInt32]?, values: BytesColumn) {
        self.name = name
        self.values = values
        if let rows, let last = rows.last, Int(last) != rows.count - 1 {
            listedRows = rows
            hasListedRows = true
        }
    }

    package var count: Int { values.count }

    /// Roughly what the column takes in memory.
    package var byteCount: Int {
        count * 4 + listedRows.count * 4 + listedKinds.count + values.bytes.count + 64
    }

    /// Whether the rows that have the field are the first ones, without a gap.
    package var isDense: Bool { !hasListedRows }

    /// The row of value `index`.
    @inline(__always)
    package func row(at index: Int) -> UInt32 {
        hasListedRows ? listedRows[index] : UInt32(truncatingIfNeeded: index)
    }

    /// Which rows have the field, ascending: for where a list is wanted.
    package var rows: [UInt32] { hasListedRows ? listedRows : Array(0..<UInt32(count)) }

    /// The kind of value `index`, a `FieldKind`.
    @inline(__always)
    package func kind(at index: Int) -> UInt8 {
        sharedKind > 0 ? sharedKind : listedKinds[index]
    }

    /// One per value, each a `FieldKind`: for where a list is wanted.
    package var kinds: [UInt8] {
        sharedKind > 0 ? [UInt8](repeating: sharedKind, count: count) : listedKinds
    }

    /// The kind that all values share; nil when they differ or there are none.
    package var commonKind: FieldKind? {
        if sharedKind > 0 { return FieldKind(rawValue: sharedKind) }
        guard let first = listedKinds.first else { return nil }
        for kind in listedKinds where kind != first { return nil }
        return FieldKind(rawValue: first)
    }

    // MARK: Appending

    /// Appends the value of `row`, which is at least the last one's: of the same row the later
    /// value stays.
    @inline(__always)
    package mutating func append(_ row: Int, _ kind: FieldKind, _ value: Span<UInt8>) {
        guard kind.rawValue == sharedKind else { return appendSlowly(row, kind, value) }
        if hasListedRows {
            guard let last = listedRows.last, last < UInt32(row) else {
                return appendSlowly(row, kind, value)
            }
            listedRows.append(UInt32(row))
        } else if row != count {
            return appendSlowly(row, kind, value)
        }
        values.append(value)
    }

    @inline(never)
    private mutating func appendSlowly(_ row: Int, _ kind: FieldKind, _ value: Span<UInt8>) {
        if count > 0, self.row(at: count - 1) == UInt32(row) { removeLast() }
        add(UInt32(row), kind.rawValue)
        values.append(value)
    }

    /// Appends value `index` of `other` for `row`, which is beyond the last one.
    package mutating func append(_ row: Int, valueAt index: Int, of other: FieldColumn) {
        add(UInt32(row), other.kind(at: index))
        values.append(index, of: other.values)
    }

    /// Notes row and kind of the value that comes next.
    @inline(__always)
    private mutating func add(_ row: UInt32, _ kind: UInt8) {
        if hasListedRows {
            listedRows.append(row)
        } else if Int(row) != count {
            listedRows = Array(0..<UInt32(count))
            listedRows.append(row)
            hasListedRows = true
        }
        if count == 0 { sharedKind = kind }
        if sharedKind != kind {
            if sharedKind > 0 { listKinds() }
            listedKinds.append(kind)
        }
    }

    private mutating func listKinds() {
        listedKinds = [UInt8](repeating: sharedKind, count: count)
        sharedKind = 0
    }

    private mutating func removeLast() {
        if hasListedRows { listedRows.removeLast() }
        if sharedKind == 0 { listedKinds.removeLast() }
        values.removeLast()
        if count == 0 {
            hasListedRows = false
            sharedKind = 0
        }
    }

    mutating func removeRows(from row: Int) {
        while count > 0, Int(self.row(at: count - 1)) >= row { removeLast() }
    }

    /// Makes room for so many values of so many bytes each.
    package mutating func reserveCapacity(count: Int, bytesEach: Int) {
        values.reserveCapacity(strings: count, bytes: count * bytesEach)
    }

    /// Makes room for all values of `columns` at once.
    package mutating func reserveCapacity(for columns: some Sequence<FieldColumn>) {
        var (count, byteCount) = (0, 0)
        for column in columns {
            count += column.count
            byteCount += column.values.bytes.count
        }
        values.reserveCapacity(strings: count, bytes: byteCount)
    }

    /// Appends all of `other`, whose first row is row `first` of this column.
    package mutating func append(contentsOf other: FieldColumn, firstRow first: Int) {
        guard other.count > 0 else { return }
        if hasListedRows || first != count || other.hasListedRows {
            if !hasListedRows {
                listedRows = Array(0..<UInt32(count))
                hasListedRows = true
            }
            for index in 0..<other.count { listedRows.append(UInt32(first) + other.row(at: index)) }
        }
        if count == 0 {
            sharedKind = other.sharedKind
            listedKinds = other.listedKinds
        } else if sharedKind == 0 || sharedKind != other.sharedKind {
            if sharedKind > 0 { listKinds() }
            listedKinds.append(contentsOf: other.kinds)
        }
        values.append(contentsOf: other.values)
    }

    // MARK: Finding

    /// The values at `indexes`, for `rows`, which ascend; nil when those are the first ones.
    package func gathering(_ indexes: ArraySlice<UInt32>, rows: [UInt32]?) -> FieldColumn {
        let gathered = BytesColumn(gathering: indexes, of: values)
        if sharedKind > 0, let kind = FieldKind(rawValue: sharedKind) {
            return FieldColumn(name: name, rows: rows, kind: kind, values: gathered)
        }
        return FieldColumn(
            name: name,
            rows: rows,
            kinds: indexes.map { listedKinds[Int($0)] },
            values: gathered
        )
    }

    /// Which value belongs to `row`; nil when the row lacks the field.
    @inline(__always)
    package func index(ofRow row: Int) -> Int? {
        guard hasListedRows else { return row < count ? row : nil }
        // Where every row so far has the field, the answer is at hand.
        if row < listedRows.count, listedRows[row] == UInt32(row) { return row }
        let index = listedRows.partitioningIndex { $0 >= UInt32(row) }
        return index < listedRows.count && listedRows[index] == UInt32(row) ? index : nil
    }

    /// Whether rows `0..<count` all have the field.
    package func isComplete(rowCount: Int) -> Bool { count == rowCount }
}

extension FieldColumn: Hashable {
    /// Equal when the same rows have the same values, of the same kinds.
    package static func == (left: FieldColumn, right: FieldColumn) -> Bool {
        left.name == right.name && left.values == right.values && left.rows == right.rows
            && left.kinds == right.kinds
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(values)
    }
}
