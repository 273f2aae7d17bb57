package import WeirCore

/// One field over the rows of a block, ready to be asked: by row, by test, as numbers, as codes.
///
/// Rows are numbers in the block; lists of rows ascend. A row that lacks the field has the empty
/// text to every question but `kind(at:)`.
package final class FieldValues {
    package let rowCount: Int
    private let column: FieldColumn

    /// The values of rows in memory.
    package init(_ column: FieldColumn, rowCount: Int) {
        self.column = column
        self.rowCount = rowCount
    }

    /// How many rows have the field.
    package var presentCount: Int { column.count }

    /// The kind of a row's value; nil when the row lacks the field.
    package func kind(at row: Int) -> FieldKind? {
        column.index(ofRow: row).flatMap { FieldKind(rawValue: column.kinds[$0]) }
    }

    /// Appends a row's text to `output`.
    ///
    /// - Returns: The kind, or nil when the row lacks the field; nothing is appended then.
    @discardableResult
    package func appendText(at row: Int, to output: inout [UInt8]) -> FieldKind? {
        guard let index = column.index(ofRow: row) else { return nil }
        output.append(contentsOf: column.values[index])
        return FieldKind(rawValue: column.kinds[index])
    }

    /// A row's text.
    package func text(at row: Int) -> [UInt8] {
        var output: [UInt8] = []
        appendText(at: row, to: &output)
        return output
    }

    /// The rows among `rows` whose text passes.
    package func filter(_ rows: [UInt32], _ test: TextTest) -> [UInt32] {
        let bytes = column.values.bytes
        let passesAbsent = test.passesAbsent
        return rows.filter { row in
            guard let index = column.index(ofRow: Int(row)) else { return passesAbsent }
            return test.passes(bytes.span.extracting(column.values.range(index)))
        }
    }

    /// One number per row of `rows`: what `parse` makes of its text; NaN where it makes nothing of
    /// it or the row lacks the field.
    package func doubles(
        at rows: [UInt32],
        parse: (Span<UInt8>) -> Double?
    ) -> [Double] {
        let bytes = column.values.bytes
        return rows.map { row in
            guard let index = column.index(ofRow: Int(row)) else { return .nan }
            return parse(bytes.span.extracting(column.values.range(index))) ?? .nan
        }
    }

    /// One number per row of `rows`, of texts that are decimal numbers (`-1.5e3`); NaN elsewhere.
    ///
    /// Columns that are kept as numbers are not turned into text for this.
    package func decimals(at rows: [UInt32]) -> [Double] {
        doubles(at: rows, parse: DecimalParser.double)
    }

    /// The texts of `rows` as codes: each row's place among `texts`, which are distinct and in no
    /// order.
    package func codes(at rows: [UInt32]) -> FieldCodes {
        var codes: [UInt32] = []
        codes.reserveCapacity(rows.count)
        var known: [ArraySlice<UInt8>: UInt32] = [:]
        var texts: [[UInt8]] = []
        for row in rows {
            let text = column.index(ofRow: Int(row)).map { column.values[$0] } ?? []
            if let code = known[text] {
                codes.append(code)
            } else {
                let code = UInt32(texts.count)
                known[text] = code
                texts.append(Array(text))
                codes.append(code)
            }
        }
        return FieldCodes(codes: codes, texts: texts)
    }
}

/// Texts of rows, each distinct text once.
package struct FieldCodes: Sendable {
    /// One per row asked for: an index into `texts`.
    package var codes: [UInt32]
    package var texts: [[UInt8]]

    package init(codes: [UInt32], texts: [[UInt8]]) {
        self.codes = codes
        self.texts = texts
    }
}
