/// The values of one column over some rows: one of three flat arrays is in use, by `kind`.
package struct ColumnValues: Hashable, Sendable {
    package let kind: ColumnKind
    /// In use when `kind` is `.float64`.
    package var floats: [Double] = []
    /// In use when `kind` is `.int64`.
    package var ints: [Int64] = []
    /// In use when `kind` is `.bytes`.
    package var texts = BytesColumn()

    package init(kind: ColumnKind) { self.kind = kind }

    package init(floats: [Double]) {
        self.kind = .float64
        self.floats = floats
    }

    package var count: Int {
        switch kind {
        case .float64: floats.count
        case .int64: ints.count
        case .bytes: texts.count
        }
    }

    /// Appends the value at `row` of `other`, which has the same kind.
    package mutating func append(_ row: Int, of other: ColumnValues) {
        switch kind {
        case .float64: floats.append(other.floats[row])
        case .int64: ints.append(other.ints[row])
        case .bytes: texts.append(row, of: other.texts)
        }
    }

    /// Appends the values at `rows` of `other`, which has the same kind.
    package mutating func append(_ rows: Range<Int>, of other: ColumnValues) {
        switch kind {
        case .float64: floats.append(contentsOf: other.floats[rows])
        case .int64: ints.append(contentsOf: other.ints[rows])
        case .bytes: for row in rows { texts.append(row, of: other.texts) }
        }
    }

    /// The values at `rows`, in their order.
    package func gathering(_ rows: [Int]) -> ColumnValues {
        var gathered = ColumnValues(kind: kind)
        switch kind {
        case .float64: gathered.floats = rows.map { floats[$0] }
        case .int64: gathered.ints = rows.map { ints[$0] }
        case .bytes: for row in rows { gathered.texts.append(row, of: texts) }
        }
        return gathered
    }

    package mutating func removeAll() {
        switch kind {
        case .float64: floats.removeAll(keepingCapacity: true)
        case .int64: ints.removeAll(keepingCapacity: true)
        case .bytes: texts.removeAll()
        }
    }
}
