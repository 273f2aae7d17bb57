internal import WeirColumns
internal import WeirCore

/// Takes encoded blocks apart into rows again.
enum FieldRows {
    /// All rows of a block, as a batch whose references are `ordinals` of the block's streams.
    static func read(
        _ pages: any FieldPages,
        ordinals: [Int]
    ) throws(SegmentError) -> ResolvedBatch {
        let decoder = PageDecoder()
        let head = try pages.head()
        let times = try pages.times(decoder: decoder)
        let directory = try pages.directory(decoder: decoder)
        var references: [UInt32] = []
        references.reserveCapacity(head.rowCount)
        for run in head.runs {
            references.append(
                contentsOf: repeatElement(UInt32(ordinals[run.stream]), count: run.rowCount)
            )
        }
        var fields = FieldTable()
        for index in directory.entries.indices {
            fields.append(
                try column(index, of: directory, pages, rowCount: head.rowCount, decoder: decoder)
            )
        }
        return ResolvedBatch(
            sequence: 0,
            references: references,
            times: times,
            columns: [],
            fields: fields
        )
    }

    /// One field of a block; nil when none of its rows has it.
    static func column(
        named name: String,
        of pages: any FieldPages
    ) throws(SegmentError) -> FieldColumn? {
        let decoder = PageDecoder()
        let directory = try pages.directory(decoder: decoder)
        guard let index = directory.index(of: name) else { return nil }
        return try column(index, of: directory, pages, rowCount: pages.rowCount, decoder: decoder)
    }

    private static func column(
        _ index: Int,
        of directory: FieldDirectory,
        _ pages: any FieldPages,
        rowCount: Int,
        decoder: PageDecoder
    ) throws(SegmentError) -> FieldColumn {
        let entry = directory.entries[index]
        var failure: SegmentError?
        let values = FieldValues(entry, rowCount: rowCount) { page in
            do throws(SegmentError) {
                return try pages.page(
                    entry.pages[page],
                    atAreaOffset: directory.offset(ofPage: page, of: index),
                    decoder: decoder
                )
            } catch {
                failure = error
                return nil
            }
        }
        var column = FieldColumn(name: entry.name)
        if let values {
            var text: [UInt8] = []
            for row in 0..<rowCount {
                text.removeAll(keepingCapacity: true)
                guard let kind = values.appendText(at: row, to: &text) else { continue }
                column.append(row, kind, text.span)
                guard column.values.bytes.count <= FieldBlockLimits.columnBytesMax else { break }
            }
        }
        if let failure { throw failure }
        guard let values, !values.isDamaged, column.count == entry.count else {
            throw .undecodable(path: "field", offset: 0, .notCanonical(offset: 0))
        }
        return column
    }
}
