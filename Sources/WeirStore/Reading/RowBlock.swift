package import WeirColumns
internal import WeirCore

/// Some rows with their fields, each read and unpacked when it is first asked for.
///
/// A row is a number below `rowCount`. Used by one thread. Damage that is met is kept in `failure`;
/// answers then lack rows or values.
package final class RowBlock {
    package let rowCount: Int
    private let block: RowSelection.Block
    private let range: ClosedRange<Int64>
    private let decoder = PageDecoder()
    private var directory: FieldDirectory?
    private var keptTimes: [Int64]?
    private var keptNumbers: [Int32]?
    private var keptTable: FieldTable?
    private var fields: [FieldName: FieldValues] = [:]
    private var filters: [String: [UInt8]] = [:]
    private var noted: SegmentError?

    init(_ block: RowSelection.Block, times: ClosedRange<Int64>) {
        self.block = block
        range = times
        rowCount = block.rowCount
    }

    /// What could not be read, or made no sense once it was read.
    var failure: SegmentError? {
        guard noted == nil, fields.values.contains(where: \.isDamaged) else { return noted }
        return Self.undecodable
    }

    private static let undecodable = SegmentError.undecodable(
        path: "field",
        offset: 0,
        .notCanonical(offset: 0)
    )

    /// Whether some of the block could not be read.
    package var isDamaged: Bool { failure != nil }

    private func note<Result>(_ body: () throws(SegmentError) -> Result) -> Result? {
        guard noted == nil else { return nil }
        do throws(SegmentError) {
            return try body()
        } catch {
            noted = error
            return nil
        }
    }

    /// One time per row of the block, nanoseconds; 0 where the times cannot be read.
    package func times() -> [Int64] {
        if let keptTimes { return keptTimes }
        let times: [Int64]
        switch block.place {
        case .batch(let batch, _): times = batch.times
        case .encoded(let pages, _):
            times =
                note { () throws(SegmentError) in try pages.times(decoder: decoder) }
                ?? Array(repeating: 0, count: rowCount)
        }
        keptTimes = times
        return times
    }

    /// One stream number per row of the block; -1 for rows of streams that were not selected.
    package func streamNumbers() -> [Int32] {
        if let keptNumbers { return keptNumbers }
        var numbers: [Int32] = []
        numbers.reserveCapacity(rowCount)
        switch block.place {
        case .batch(let batch, _):
            for reference in batch.references { numbers.append(block.numbers[Int(reference)]) }
        case .encoded(let pages, _):
            let head = note { () throws(SegmentError) in try pages.head() }
            for run in head?.runs ?? [] {
                numbers.append(
                    contentsOf: repeatElement(block.numbers[run.stream], count: run.rowCount)
                )
            }
            if head == nil { numbers = Array(repeating: -1, count: rowCount) }
        }
        keptNumbers = numbers
        return numbers
    }

    /// The rows of selected streams in the selected time range, ascending.
    package func rows() -> [UInt32] {
        let isWithin =
            range.lowerBound <= block.times.lowerBound && range.upperBound >= block.times.upperBound
        let rows = selectedRows()
        guard !isWithin else { return rows }
        let times = times()
        return rows.filter { range.contains(times[Int($0)]) }
    }

    /// The rows of selected streams, whatever their times.
    private func selectedRows() -> [UInt32] {
        guard block.numbers.contains(where: { $0 < 0 }) else { return Array(0..<UInt32(rowCount)) }
        switch block.place {
        case .batch:
            let numbers = streamNumbers()
            return (0..<UInt32(rowCount)).filter { numbers[Int($0)] >= 0 }
        case .encoded(let pages, _):
            var rows: [UInt32] = []
            var start: UInt32 = 0
            for run in note({ () throws(SegmentError) in try pages.head() })?.runs ?? [] {
                let end = start + UInt32(run.rowCount)
                if block.numbers[run.stream] >= 0 { rows.append(contentsOf: start..<end) }
                start = end
            }
            return rows
        }
    }

    /// A batch's fields and those that its rows share.
    private func shared(_ batch: ResolvedBatch, _ labels: [Labels]) -> FieldTable {
        if let keptTable { return keptTable }
        let table = batch.fields.dissolving(batch.references.map { labels[Int($0)] })
        keptTable = table
        return table
    }

    private func readDirectory(_ pages: any FieldPages) -> FieldDirectory? {
        if let directory { return directory }
        directory = note { () throws(SegmentError) in try pages.directory(decoder: decoder) }
        return directory
    }

    /// The names of the fields that some row of the block has; the body's is empty.
    package func fieldNames() -> [String] {
        switch block.place {
        case .batch(let batch, let labels?): shared(batch, labels).columns.map(\.name)
        case .batch(let batch, nil): batch.fields.columns.map(\.name)
        case .encoded(let pages, _): readDirectory(pages)?.entries.map(\.name) ?? []
        }
    }

    /// A field's values; nil when no row of the block has it.
    package func field(_ name: String) -> FieldValues? {
        let key = FieldName(name)
        if let known = fields[key] { return known }
        let values: FieldValues?
        switch block.place {
        case .batch(let batch, let labels):
            // A field of the rows' own first: most of those asked for are.
            let own = batch.fields[name]
            let isWhole = own?.isComplete(rowCount: rowCount) == true || labels == nil
            let column = isWhole ? own : labels.flatMap { shared(batch, $0)[name] }
            values = column.map { FieldValues($0, rowCount: rowCount) }
        case .encoded(let pages, _):
            guard let directory = readDirectory(pages), let index = directory.index(of: name)
            else { return nil }
            values = FieldValues(directory.entries[index], rowCount: rowCount) { [weak self] page in
                self?.page(page, of: index, directory, pages)
            }
            if values == nil, noted == nil { noted = Self.undecodable }
        }
        fields[key] = values
        return values
    }

    private func page(
        _ page: Int,
        of index: Int,
        _ directory: FieldDirectory,
        _ pages: any FieldPages
    ) -> [UInt8]? {
        note { () throws(SegmentError) in
            try pages.page(
                directory.entries[index].pages[page],
                atAreaOffset: directory.offset(ofPage: page, of: index),
                decoder: decoder
            )
        }
    }

    /// False when it is certain, without reading the field, that no row passes.
    package func mayPass(_ test: TextTest, field name: String) -> Bool {
        guard case .encoded(let pages, _) = block.place, let directory = readDirectory(pages) else {
            return true
        }
        guard let index = directory.index(of: name) else { return test.passesAbsent }
        return directory.entries[index].mayPass(test, rowCount: rowCount) { page in
            self.page(page, of: index, directory, pages)
        }
    }
}
