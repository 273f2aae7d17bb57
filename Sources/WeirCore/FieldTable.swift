/// The fields of some rows, each a column of its own, found by name.
///
/// Made for parsers: `index(of:)` is asked for every field of every row, so it compares with a hint
/// first and hashes the name's bytes second, and makes no `String` for a name it knows.
package struct FieldTable: Hashable, Sendable {
    /// The name of the field that is the line itself.
    package static let bodyName = ""

    package private(set) var columns: [FieldColumn] = []
    /// Open addressing: a column's index plus one, 0 where free; a power of two of them.
    private var slots: [Int32] = []

    package init() {}

    package static func == (left: FieldTable, right: FieldTable) -> Bool {
        left.columns == right.columns
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(columns) }

    /// Roughly what the table takes in memory.
    package var byteCount: Int { columns.reduce(0) { $0 + $1.byteCount } }

    package subscript(index: Int) -> FieldColumn { columns[index] }

    /// The name of the column at `index`.
    package func name(_ index: Int) -> String { columns[index].name }

    /// The column called `name`, or nil.
    package subscript(name: String) -> FieldColumn? {
        find(name.utf8.span, hash: Self.hash(name.utf8.span)).map { columns[$0] }
    }

    /// The index of the column called `name`, which is made when it is new.
    ///
    /// - Parameters:
    ///   - name: UTF-8; what is not is repaired.
    ///   - hint: An index to try first, as of the same field in the row before; any value will do.
    /// - Returns: The column's index, for `set`.
    package mutating func index(of name: Span<UInt8>, hint: Int) -> Int {
        if hint >= 0, hint < columns.count, Self.areEqual(columns[hint].name, name) { return hint }
        let hash = Self.hash(name)
        if let known = find(name, hash: hash) { return known }
        let text = unsafe name.withUnsafeBufferPointer {
            unsafe String(decoding: $0, as: UTF8.self)
        }
        if (columns.count + 1) * 2 > slots.count { grow() }
        // A name that had to be repaired may be there already in its repaired form.
        let repaired = text.utf8.span
        let repairedHash = Self.hash(repaired)
        if let known = find(repaired, hash: repairedHash) { return known }
        columns.append(FieldColumn(name: text))
        place(columns.count - 1, hash: repairedHash)
        return columns.count - 1
    }

    /// Sets a field of `row`, which is at least the row last set: of equal names the later stays.
    package mutating func set(
        _ index: Int,
        row: Int,
        kind: FieldKind,
        value: Span<UInt8>
    ) {
        columns[index].append(row, kind, value)
    }

    /// Sets a field by name: for what is not worth a hint.
    package mutating func set(_ name: String, row: Int, kind: FieldKind, value: some StringProtocol)
    {
        let index = index(of: name.utf8.span, hint: -1)
        let text = String(value)
        columns[index].append(row, kind, text.utf8.span)
    }

    /// Makes room in a column for so many values of so many bytes each.
    package mutating func reserveCapacity(_ index: Int, count: Int, bytesEach: Int) {
        columns[index].reserveCapacity(count: count, bytesEach: bytesEach)
    }

    /// Adds a whole column; its name must be new.
    package mutating func append(_ column: FieldColumn) {
        let name = column.name
        if (columns.count + 1) * 2 > slots.count { grow() }
        columns.append(column)
        place(columns.count - 1, hash: Self.hash(name.utf8.span))
    }

    /// Appends all values of `column` to the column at `index`, its first row being row `first`.
    package mutating func append(contentsOf column: FieldColumn, to index: Int, firstRow first: Int)
    {
        columns[index].append(contentsOf: column, firstRow: first)
    }

    /// Takes back what was set for `row` and beyond, of a row that turned out to be refused.
    package mutating func removeRows(from row: Int) {
        for index in columns.indices { columns[index].removeRows(from: row) }
    }

    /// The rows at `rows` (ascending), renumbered from 0; columns without values are left out.
    package func selecting(_ rows: [Int]) -> FieldTable {
        var table = FieldTable()
        for column in columns {
            var selected = FieldColumn(name: column.name)
            for (place, row) in rows.enumerated() {
                if let index = column.index(ofRow: row) {
                    selected.append(place, valueAt: index, of: column)
                }
            }
            if selected.count > 0 { table.append(selected) }
        }
        return table
    }

    private func find(_ name: Span<UInt8>, hash: UInt64) -> Int? {
        guard !slots.isEmpty else { return nil }
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] > 0 {
            let index = Int(slots[slot]) - 1
            if Self.areEqual(columns[index].name, name) { return index }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private mutating func place(_ index: Int, hash: UInt64) {
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] > 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Int32(index) + 1
    }

    private mutating func grow() {
        slots = [Int32](repeating: 0, count: max(64, slots.count * 2))
        for index in columns.indices {
            let name = columns[index].name
            place(index, hash: Self.hash(name.utf8.span))
        }
    }

    private static func areEqual(_ name: String, _ bytes: Span<UInt8>) -> Bool {
        let known = name.utf8.span
        guard known.count == bytes.count else { return false }
        for index in 0..<bytes.count where known[index] != bytes[index] { return false }
        return true
    }

    private static func hash(_ bytes: Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
        for index in 0..<bytes.count {
            hash = (hash ^ UInt64(bytes[index])) &* 0x0000_0100_0000_01B3
        }
        return hash ^ (hash >> 32)
    }
}
