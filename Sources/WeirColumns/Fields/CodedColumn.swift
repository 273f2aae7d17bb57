package import WeirCore

/// One field over the rows of a block, as codes into the few texts it has.
package struct CodedColumn {
    package let name: String
    /// Distinct, but for their kinds.
    package let entries: BytesColumn
    /// One of each entry: a `FieldKind`.
    package let kinds: [UInt8]
    /// One of each row; -1: the row lacks the field.
    package let codes: [Int32]

    package init(name: String, entries: BytesColumn, kinds: [UInt8], codes: [Int32]) {
        self.name = name
        self.entries = entries
        self.kinds = kinds
        self.codes = codes
    }

    /// The same, row by row.
    var column: FieldColumn {
        var column = FieldColumn(name: name)
        let bytes = entries.bytes
        for (row, code) in codes.enumerated() where code >= 0 {
            let kind = FieldKind(rawValue: kinds[Int(code)]) ?? .text
            column.append(row, kind, bytes.span.extracting(entries.range(Int(code))))
        }
        return column
    }
}
