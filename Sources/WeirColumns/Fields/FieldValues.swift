package import WeirCore

/// One field over the rows of a block, ready to be asked: by row, by test, as numbers, as codes.
///
/// Rows are numbers in the block; lists of rows ascend. A row that lacks the field has the empty
/// text to every question but `kind(at:)`. Used by one thread. Where a page turns out to be
/// damaged, values are missing, and whoever opened the block knows.
package final class FieldValues {
    package let rowCount: Int
    /// How many rows have the field.
    package let presentCount: Int
    /// Which rows have the field; nil when every row has it.
    private let presence: RowPresence?
    private let kinds: Kinds
    /// Nil once it turned out to be damaged.
    private var storage: Storage? {
        if let kept { return kept }
        guard !isUnreadable else { return nil }
        kept = makeStorage()
        isUnreadable = kept == nil
        return kept
    }
    /// Read when a row that has the field is first asked for.
    private let makeStorage: () -> Storage?
    private var kept: Storage?
    private var isUnreadable = false

    private enum Kinds {
        case all(FieldKind)
        case each([UInt8])
    }

    private enum Storage {
        case values(TextValues)
        case templates(TemplateColumn)
    }

    /// Whether a page that was asked for could not be read or made sense of: answers lack values.
    package var isDamaged: Bool {
        if case .templates(let column) = kept { return column.isDamaged }
        return isUnreadable
    }

    /// The values of rows in memory.
    package init(_ column: FieldColumn, rowCount: Int) {
        self.rowCount = rowCount
        presentCount = column.count
        presence =
            column.isComplete(rowCount: rowCount)
            ? nil : RowPresence(rows: column.rows, rowCount: rowCount)
        kinds = column.commonKind.map { .all($0) } ?? .each(column.kinds)
        makeStorage = { .values(.texts(column.values)) }
    }

    /// The values of a field in a block.
    ///
    /// - Parameters:
    ///   - entry: From the block's directory.
    ///   - rowCount: The block's.
    ///   - load: Reads a page of the field, when it is needed; nil when that fails, which `load`
    ///     itself must note.
    package init?(
        _ entry: FieldEntry,
        rowCount: Int,
        load: @escaping (_ page: Int) -> [UInt8]?
    ) {
        self.rowCount = rowCount
        presentCount = entry.count
        if let page = entry.presencePage {
            guard let bytes = load(page),
                let presence = RowPresence(bytes, rowCount: rowCount),
                presence.count == entry.count
            else { return nil }
            self.presence = presence
        } else {
            presence = nil
        }
        if let kind = entry.kind {
            kinds = .all(kind)
        } else {
            guard let page = entry.kindsPage, let bytes = load(page), bytes.count == entry.count,
                bytes.allSatisfy({ FieldKind(rawValue: $0) != nil })
            else { return nil }
            kinds = .each(bytes)
        }
        makeStorage = { Self.storage(of: entry, load: load) }
    }

    private static func storage(
        of entry: FieldEntry,
        load: @escaping (_ page: Int) -> [UInt8]?
    ) -> Storage? {
        let first = entry.firstDataPage
        switch entry.codec {
        case .run(let run):
            guard let body = run.bodyCount > 0 ? load(first) : [],
                let values = try? run.decode(body.span)
            else { return nil }
            return .values(values)
        case .dictionary(let entryCount, let run):
            guard let body = load(first), let bytes = load(first + 1) else { return nil }
            var entries = BytesColumn()
            var scratch: [Int64] = []
            let isRead: Void? = try? run.decode(
                body.span,
                appendingTo: &entries,
                scratch: &scratch
            )
            guard isRead != nil,
                let codes = TextCodes(bytes, count: entry.count, entryCount: entryCount)
            else { return nil }
            return .values(.dictionary(codes: codes, entries: entries))
        case .template:
            guard let page = load(first),
                let column = try? TemplateColumn(
                    count: entry.count,
                    page: page,
                    loadCodes: { load(first + 1) },
                    loadSlots: { load(first + 2) }
                )
            else { return nil }
            return .templates(column)
        }
    }

    private func index(_ row: Int) -> Int {
        presence?.index(of: row) ?? row
    }

    /// The kind of a row's value; nil when the row lacks the field.
    package func kind(at row: Int) -> FieldKind? {
        let index = index(row)
        guard index >= 0 else { return nil }
        switch kinds {
        case .all(let kind): return kind
        case .each(let kinds): return FieldKind(rawValue: kinds[index])
        }
    }

    /// Appends a row's text to `output`.
    ///
    /// - Returns: The kind, or nil when the row lacks the field; nothing is appended then.
    @discardableResult
    package func appendText(at row: Int, to output: inout [UInt8]) -> FieldKind? {
        let index = index(row)
        guard index >= 0 else { return nil }
        switch storage {
        case .values(let values)?: values.append(index, to: &output)
        case .templates(let column)?: column.append(index, to: &output)
        case nil: return nil
        }
        return kind(at: row)
    }

    /// The values of those of `rows` that have the field, each for its place in `rows`.
    package func column(named name: String, at rows: [UInt32]) -> FieldColumn {
        var places: [UInt32] = []
        var indexes: [Int32] = []
        places.reserveCapacity(rows.count)
        indexes.reserveCapacity(rows.count)
        for (place, row) in rows.enumerated() {
            let index = index(Int(row))
            guard index >= 0 else { continue }
            places.append(UInt32(place))
            indexes.append(Int32(index))
        }
        var ends: [UInt32] = []
        var bytes: [UInt8] = []
        ends.reserveCapacity(indexes.count)
        bytes.reserveCapacity(indexes.count * 16)
        switch storage {
        case .values(.dictionary(let codes, let entries))?:
            let texts = entries.bytes
            for index in indexes {
                bytes.append(contentsOf: texts[entries.range(codes[Int(index)])])
                ends.append(UInt32(bytes.count))
            }
        case .values(let values)?:
            for index in indexes {
                values.append(Int(index), to: &bytes)
                ends.append(UInt32(bytes.count))
            }
        case .templates(let column)?:
            for index in indexes {
                column.append(Int(index), to: &bytes)
                ends.append(UInt32(bytes.count))
            }
        case nil: return FieldColumn(name: name)
        }
        let found: [UInt8] =
            switch kinds {
            case .all(let kind): [UInt8](repeating: kind.rawValue, count: indexes.count)
            case .each(let kinds): indexes.map { kinds[Int($0)] }
            }
        guard let values = BytesColumn(ends: ends, bytes: bytes) else {
            return FieldColumn(name: name)
        }
        return FieldColumn(name: name, rows: places, kinds: found, values: values)
    }

    /// A row's text.
    package func text(at row: Int) -> [UInt8] {
        var output: [UInt8] = []
        appendText(at: row, to: &output)
        return output
    }

    /// The rows among `rows` that have the field, and the indexes of their values; both nil when
    /// `rows` are all rows and all have it.
    private func present(_ rows: [UInt32]) -> (rows: [UInt32], indexes: [Int32])? {
        guard let presence else {
            return rows.count == rowCount ? nil : (rows, rows.map { Int32($0) })
        }
        var kept: [UInt32] = []
        var found: [Int32] = []
        kept.reserveCapacity(rows.count)
        found.reserveCapacity(rows.count)
        for row in rows {
            let index = presence.index(of: Int(row))
            guard index >= 0 else { continue }
            kept.append(row)
            found.append(Int32(index))
        }
        return (kept, found)
    }

    /// The rows among `rows` whose text passes.
    package func filter(_ rows: [UInt32], _ test: TextTest) -> [UInt32] {
        let present = present(rows)
        let asked = present?.rows ?? rows
        let passing: [UInt32]
        switch asked.isEmpty ? nil : storage {
        case nil: passing = []
        case .values(let values)?:
            passing = values.filter(asked, indexes: present?.indexes, test)
        case .templates(let column)?:
            passing = column.filter(asked, indexes: present?.indexes, test)
        }
        guard asked.count < rows.count, test.passesAbsent else { return passing }
        return merging(passing, withAbsentOf: rows)
    }

    private func merging(_ passing: [UInt32], withAbsentOf rows: [UInt32]) -> [UInt32] {
        var merged: [UInt32] = []
        merged.reserveCapacity(rows.count)
        var next = 0
        for row in rows {
            if next < passing.count, passing[next] == row {
                merged.append(row)
                next += 1
            } else if index(Int(row)) < 0 {
                merged.append(row)
            }
        }
        return merged
    }

    /// One number per row of `rows`: what `parse` makes of its text; NaN where it makes nothing of
    /// it or the row lacks the field.
    package func doubles(at rows: [UInt32], parse: (Span<UInt8>) -> Double?) -> [Double] {
        if case .values(.dictionary(let codes, let entries)) = storage {
            let bytes = entries.bytes
            let numbers = (0..<entries.count).map {
                parse(bytes.span.extracting(entries.range($0))) ?? .nan
            }
            return rows.map { row in
                let index = index(Int(row))
                return index < 0 ? .nan : numbers[codes[index]]
            }
        }
        var text: [UInt8] = []
        return rows.map { row in
            text.removeAll(keepingCapacity: true)
            guard appendText(at: Int(row), to: &text) != nil else { return .nan }
            return parse(text.span) ?? .nan
        }
    }

    /// One number per row of `rows`, of texts that are decimal numbers (`-1.5e3`); NaN elsewhere.
    ///
    /// Columns that are kept as numbers are not turned into text for this.
    package func decimals(at rows: [UInt32]) -> [Double] {
        if case .values(.numbers(let form, let integers)) = storage, let scale = form.decimalScale {
            let divisor = Double(TextForm.powersOfTen[scale])
            guard let presence else {
                return rows.map { Double(integers[Int($0)]) / divisor }
            }
            return rows.map { row in
                let index = presence.index(of: Int(row))
                return index < 0 ? .nan : Double(integers[index]) / divisor
            }
        }
        return doubles(at: rows, parse: DecimalParser.double)
    }

    /// The texts of `rows` as codes: each row's place among `texts`, which are distinct and in no
    /// order.
    package func codes(at rows: [UInt32]) -> FieldCodes {
        switch storage {
        case .values(.constant(let text)):
            return coded(rows, texts: [text]) { _ in 0 }
        case .values(.dictionary(let codes, let entries)):
            let texts = (0..<entries.count).map { Array(entries[$0]) }
            if presence == nil, rows.count == rowCount {
                return FieldCodes(codes: codes.all(), texts: texts)
            }
            return coded(rows, texts: texts) { UInt32(codes[$0]) }
        default: break
        }
        var dictionary = TextDictionary()
        var codes: [UInt32] = []
        codes.reserveCapacity(rows.count)
        var text: [UInt8] = []
        for row in rows {
            text.removeAll(keepingCapacity: true)
            appendText(at: Int(row), to: &text)
            codes.append(UInt32(dictionary.code(text.span)))
        }
        let entries = dictionary.entries
        return FieldCodes(codes: codes, texts: (0..<entries.count).map { Array(entries[$0]) })
    }

    private func coded(
        _ rows: [UInt32],
        texts: [[UInt8]],
        code: (Int) -> UInt32
    ) -> FieldCodes {
        guard let presence else {
            return FieldCodes(codes: rows.map { code(Int($0)) }, texts: texts)
        }
        // Rows without the field have the empty text's code, which may be there already.
        let empty = texts.firstIndex(of: []) ?? texts.count
        let codes = rows.map { row in
            let index = presence.index(of: Int(row))
            return index < 0 ? UInt32(empty) : code(index)
        }
        return FieldCodes(codes: codes, texts: empty == texts.count ? texts + [[]] : texts)
    }
}
