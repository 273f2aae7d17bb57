internal import WeirColumns
internal import WeirCore

/// Sorts rows with fields and encodes them into blocks, field by field.
///
/// Keep one per thread.
final class FieldBlockPacker {
    private let encoder: PageEncoder
    private let fieldEncoder: FieldEncoder
    private var scratch: [UInt64] = []

    init(encoder: PageEncoder) {
        self.encoder = encoder
        fieldEncoder = FieldEncoder(encoder: encoder)
    }

    /// A field's values in one batch.
    private struct Part {
        /// The batch's first row among all rows.
        let firstRow: Int
        let column: FieldColumn
    }

    /// One value: its place in the order, and where it is.
    private struct Reference {
        var place: UInt32
        var part: UInt32
        var index: UInt32
    }

    /// Encodes all rows of `batches`, which are in journal order.
    ///
    /// - Returns: The streams, ascending, of which the blocks' runs are ordinals; and the blocks.
    func pack(
        _ batches: [ResolvedBatch],
        order: StreamOrder
    ) -> (labels: [Labels], blocks: [FieldBlock]) {
        var rows = RowOrder(batches, ranks: order.ranks, isKept: nil)
        guard !rows.isEmpty else { return ([], []) }
        rows.sort(keepsLastOfEqualTimes: false)
        let labels = rows.streamReferences.map { order.labels[Int($0)] }
        var places = [UInt32](repeating: 0, count: rows.sorted.count)
        for (place, row) in rows.sorted.enumerated() { places[Int(row)] = UInt32(place) }
        let fields = Self.fields(of: batches)
        let ranges = Self.cut(fields.map(\.parts), places: places)
        var directories = ranges.map { _ in (count: 0, bytes: [UInt8]()) }
        var areas = ranges.map { _ in [UInt8]() }
        for field in fields {
            let references = Self.references(field.parts, places: places)
            var next = 0
            for (block, range) in ranges.enumerated() where next < references.count {
                var column = FieldColumn(name: field.name)
                while next < references.count, Int(references[next].place) < range.upperBound {
                    let reference = references[next]
                    column.append(
                        Int(reference.place) - range.lowerBound,
                        valueAt: Int(reference.index),
                        of: field.parts[Int(reference.part)].column
                    )
                    next += 1
                }
                guard column.count > 0 else { continue }
                directories[block].count += 1
                fieldEncoder.encode(
                    column,
                    rowCount: range.count,
                    directory: &directories[block].bytes,
                    area: &areas[block]
                )
            }
        }
        let blocks = ranges.indices.map { index in
            var directory: [UInt8] = []
            UInt64(directories[index].count).appendVarint(to: &directory)
            directory.append(contentsOf: directories[index].bytes)
            return makeBlock(rows, ranges[index], directory: directory, area: areas[index])
        }
        return (labels, blocks)
    }

    private func makeBlock(
        _ rows: RowOrder,
        _ range: Range<Int>,
        directory: [UInt8],
        area: [UInt8]
    ) -> FieldBlock {
        let times = Array(rows.sortedTimes[range])
        var page: [UInt8] = []
        var body: [UInt8] = []
        IntegerRun.encode(
            times.span,
            findsUnit: true,
            head: &page,
            body: &body,
            scratch: &scratch
        )
        page.append(contentsOf: body)
        var runs: [FieldBlockHead.Run] = []
        let first = rows.starts.partitioningIndex { $0 > range.lowerBound } - 1
        for stream in first..<(rows.starts.count - 1) {
            let lower = max(rows.starts[stream], range.lowerBound)
            let upper = min(rows.starts[stream + 1], range.upperBound)
            guard lower < range.upperBound else { break }
            if upper > lower { runs.append(.init(stream: stream, rowCount: upper - lower)) }
        }
        var least = Int64.max
        var greatest = Int64.min
        for time in times {
            least = min(least, time)
            greatest = max(greatest, time)
        }
        return FieldBlock(
            head: FieldBlockHead(runs: runs),
            timeRange: least...greatest,
            times: encoder.encode(page),
            directory: encoder.encode(directory, matching: .only),
            area: area
        )
    }

    /// Each field with its parts, in the order the fields came.
    private static func fields(
        of batches: [ResolvedBatch]
    ) -> [(name: String, parts: [Part])] {
        var fields: [(name: String, parts: [Part])] = []
        var known: [String: Int] = [:]
        var firstRow = 0
        for batch in batches {
            for column in batch.fields.columns {
                let part = Part(firstRow: firstRow, column: column)
                if let index = known[column.name] {
                    fields[index].parts.append(part)
                } else {
                    known[column.name] = fields.count
                    fields.append((column.name, [part]))
                }
            }
            firstRow += batch.rowCount
        }
        return fields
    }

    /// A field's values in the order of their places.
    private static func references(_ parts: [Part], places: [UInt32]) -> [Reference] {
        let count = parts.reduce(0) { $0 + $1.column.count }
        if count > places.count / 16 {
            // Laid out by place, which costs a pass over all places and no sorting.
            var slots = [Reference](
                repeating: Reference(place: .max, part: 0, index: 0),
                count: places.count
            )
            for (number, part) in parts.enumerated() {
                for (index, row) in part.column.rows.enumerated() {
                    let place = places[part.firstRow + Int(row)]
                    slots[Int(place)] = Reference(
                        place: place,
                        part: UInt32(number),
                        index: UInt32(index)
                    )
                }
            }
            if count < places.count { slots.removeAll { $0.place == .max } }
            return slots
        }
        var references: [Reference] = []
        references.reserveCapacity(count)
        for (number, part) in parts.enumerated() {
            for (index, row) in part.column.rows.enumerated() {
                references.append(
                    Reference(
                        place: places[part.firstRow + Int(row)],
                        part: UInt32(number),
                        index: UInt32(index)
                    )
                )
            }
        }
        references.sort { $0.place < $1.place }
        return references
    }

    /// Cuts the rows into blocks of about equal size within the limits.
    private static func cut(_ fields: [[Part]], places: [UInt32]) -> [Range<Int>] {
        var valueBytes = [UInt32](repeating: 0, count: places.count)
        for parts in fields {
            let count = parts.reduce(0) { $0 + $1.column.count }
            let extra = count < places.count / 64 ? FieldBlockLimits.rareValueBytes : 0
            for part in parts {
                let ends = part.column.values.ends
                var start: UInt32 = 0
                for (index, row) in part.column.rows.enumerated() {
                    let end = ends[index]
                    valueBytes[Int(places[part.firstRow + Int(row)])] += end - start + UInt32(extra)
                    start = end
                }
            }
        }
        let blockCount = (places.count + FieldBlockLimits.rowsMax - 1) / FieldBlockLimits.rowsMax
        let rowsTarget = (places.count + blockCount - 1) / blockCount
        var ranges: [Range<Int>] = []
        var start = 0
        var bytes = 0
        for place in places.indices {
            let isFull =
                place - start == rowsTarget
                || (place > start
                    && bytes + Int(valueBytes[place]) > FieldBlockLimits.valueBytesMax)
            if isFull {
                ranges.append(start..<place)
                start = place
                bytes = 0
            }
            bytes += Int(valueBytes[place])
        }
        ranges.append(start..<places.count)
        return ranges
    }
}
