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
        case .bytes: texts.append(other.texts[row])
        }
    }

    /// Appends the values at `rows` of `other`, which has the same kind.
    package mutating func append(_ rows: Range<Int>, of other: ColumnValues) {
        switch kind {
        case .float64: floats.append(contentsOf: other.floats[rows])
        case .int64: ints.append(contentsOf: other.ints[rows])
        case .bytes: for row in rows { texts.append(other.texts[row]) }
        }
    }

    package mutating func removeAll() {
        floats.removeAll(keepingCapacity: true)
        ints.removeAll(keepingCapacity: true)
        texts.removeAll()
    }
}

/// Many byte strings in one run of bytes.
package struct BytesColumn: Hashable, Sendable {
    /// Where each string ends in `bytes`; it starts where the one before ends.
    package private(set) var ends: [Int] = []
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package var count: Int { ends.count }

    package subscript(row: Int) -> ArraySlice<UInt8> {
        bytes[(row == 0 ? 0 : ends[row - 1])..<ends[row]]
    }

    package mutating func append(_ value: some Sequence<UInt8>) {
        bytes.append(contentsOf: value)
        ends.append(bytes.count)
    }

    package mutating func removeAll() {
        ends.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
    }
}
