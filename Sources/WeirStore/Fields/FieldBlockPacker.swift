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

    /// Encodes all rows of `batches`, which are in journal order.
    ///
    /// - Returns: The streams, ascending, of which the blocks' runs are ordinals; and the blocks.
    func pack(
        _ batches: [ResolvedBatch],
        order: StreamOrder,
        schema: StreamSchema
    ) -> (labels: [Labels], blocks: [FieldBlock]) {
        var rows = RowOrder(batches, ranks: order.ranks, isKept: nil)
        guard !rows.isEmpty else { return ([], []) }
        var fingerprints: [UInt32] = []
        if schema.isOrderedByTrace {
            fingerprints = rows.sortByTrace(batches)
        } else {
            rows.sort(keepsLastOfEqualTimes: false)
        }
        let labels =
            schema.isOrderedByTrace
            ? [Labels.empty] : rows.streamReferences.map { order.labels[Int($0)] }
        var places = [UInt32](
            repeating: Self.noPlace,
            count: batches.reduce(0) { $0 + $1.rowCount }
        )
        for (place, row) in rows.sorted.enumerated() { places[Int(row)] = UInt32(place) }
        var batches = batches
        var shared: SharedColumns?
        if schema.isOrderedByTrace {
            let columns = SharedColumns(rows.sortedReferences, labels: order.labels)
            if batches.contains(where: { columns.overlap($0.fields) }) {
                batches = batches.map { $0.dissolvingStreams(order.labels) }
            } else {
                shared = columns
            }
        }
        let fields = Self.parts(of: batches)
        fieldEncoder.startAnew()
        let ranges = Self.cut(
            fields,
            places: places,
            rowCount: rows.sorted.count,
            rowsMax: FieldBlockLimits.rows(of: schema)
        )
        var directories = ranges.map { _ in (count: 0, bytes: [UInt8]()) }
        var areas = ranges.map { _ in [UInt8]() }
        for parts in fields {
            let hints = FieldHints(
                isFiltered: !schema.isOrderedByTrace || !Self.ids.contains(parts[0].column.name),
                codesRepeat: schema.isOrderedByTrace
            )
            // End to end, so that gathering has one column to look into.
            var column = FieldColumn(name: parts[0].column.name)
            column.reserveCapacity(for: parts.lazy.map(\.column))
            for part in parts { column.append(contentsOf: part.column, firstRow: part.firstRow) }
            // Where each row has a value, values are found as rows are.
            let isWhole = column.isComplete(rowCount: places.count)
            let (valuePlaces, indexes) =
                isWhole ? ([], rows.sorted) : Self.order(column, places: places)
            var next = 0
            for (block, range) in ranges.enumerated() {
                let start = next
                if isWhole {
                    next = range.upperBound
                } else {
                    while next < indexes.count, Int(valuePlaces[next]) < range.upperBound {
                        next += 1
                    }
                }
                guard start < next else { continue }
                directories[block].count += 1
                fieldEncoder.encode(
                    column.gathering(
                        indexes[start..<next],
                        rows: isWhole
                            ? nil
                            : valuePlaces[start..<next].map { $0 - UInt32(range.lowerBound) }
                    ),
                    rowCount: range.count,
                    hints: hints,
                    directory: &directories[block].bytes,
                    area: &areas[block]
                )
            }
        }
        if let shared {
            for (block, range) in ranges.enumerated() {
                directories[block].count += shared.encode(
                    range,
                    with: fieldEncoder,
                    directory: &directories[block].bytes,
                    area: &areas[block]
                )
            }
        }
        let blocks = ranges.indices.map { index in
            var directory: [UInt8] = []
            UInt64(directories[index].count).appendVarint(to: &directory)
            directory.append(contentsOf: directories[index].bytes)
            return makeBlock(
                rows,
                ranges[index],
                traces: Self.distinct(fingerprints, ranges[index]),
                directory: directory,
                area: areas[index]
            )
        }
        return (labels, blocks)
    }

    /// Fields of spans that the trace index, or the reading of eight bytes a row, finds faster than a
    /// filter is worth.
    private static let ids: Set<String> = [SpanField.traceID, SpanField.spanID, SpanField.parentID]

    /// The place of a row that is left out, as it is there twice.
    private static let noPlace = UInt32.max

    private static func distinct(_ fingerprints: [UInt32], _ range: Range<Int>) -> [UInt32] {
        guard !fingerprints.isEmpty else { return [] }
        var distinct: [UInt32] = []
        // A trace's rows stand side by side.
        for fingerprint in fingerprints[range] where distinct.last != fingerprint {
            distinct.append(fingerprint)
        }
        return distinct
    }

    private func makeBlock(
        _ rows: RowOrder,
        _ range: Range<Int>,
        traces: [UInt32],
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
            area: area,
            traces: traces
        )
    }

    /// A field's values in one batch, whose first row is `firstRow` among all rows.
    typealias Part = (firstRow: Int, column: FieldColumn)

    /// Each field's parts, in the order the fields came.
    private static func parts(of batches: [ResolvedBatch]) -> [[Part]] {
        var fields: [[Part]] = []
        var known: [FieldName: Int] = [:]
        var firstRow = 0
        for batch in batches {
            for column in batch.fields.columns where column.count > 0 {
                let name = FieldName(column.name)
                if let index = known[name] {
                    fields[index].append((firstRow, column))
                } else {
                    known[name] = fields.count
                    fields.append([(firstRow, column)])
                    // The field is likely to be in all of them.
                    fields[fields.count - 1].reserveCapacity(batches.count)
                }
            }
            firstRow += batch.rowCount
        }
        return fields
    }

    /// The values of `column` in the order of their rows' places.
    private static func order(
        _ column: FieldColumn,
        places: [UInt32]
    ) -> (places: [UInt32], indexes: [UInt32]) {
        var valuePlaces: [UInt32] = []
        var indexes: [UInt32] = []
        valuePlaces.reserveCapacity(column.count)
        indexes.reserveCapacity(column.count)
        if column.count > places.count / 16 {
            // Laid out by place, which costs a pass over all places and no sorting.
            var byPlace = [UInt32](repeating: .max, count: places.count)
            for index in 0..<column.count {
                let place = places[Int(column.row(at: index))]
                if place != noPlace { byPlace[Int(place)] = UInt32(index) }
            }
            for place in 0..<byPlace.count where byPlace[place] != .max {
                valuePlaces.append(UInt32(place))
                indexes.append(byPlace[place])
            }
            return (valuePlaces, indexes)
        }
        var order: [(place: UInt32, index: UInt32)] = []
        for index in 0..<column.count where places[Int(column.row(at: index))] != noPlace {
            order.append((places[Int(column.row(at: index))], UInt32(index)))
        }
        order.sort { $0.place < $1.place }
        for (place, index) in order {
            valuePlaces.append(place)
            indexes.append(index)
        }
        return (valuePlaces, indexes)
    }

    /// Cuts the rows into blocks of about equal size within the limits.
    private static func cut(
        _ fields: [[Part]],
        places: [UInt32],
        rowCount: Int,
        rowsMax: Int
    ) -> [Range<Int>] {
        var rowBytes = [UInt32](repeating: 0, count: places.count)
        // What stands once per field and block must stay well below a page's limit: a reader that
        // cannot read the directory has lost the block.
        let counts = fields.map { parts in parts.reduce(0) { $0 + $1.column.count } }
        let entryBytes = fields.map {
            $0[0].column.name.utf8.count + FieldBlockLimits.rareValueBytes
        }
        let commonBytes = fields.indices.reduce(0) { sum, field in
            sum + (counts[field] < places.count / 64 ? 0 : entryBytes[field])
        }
        let areAllRare = commonBytes > FieldBlockLimits.directoryBytesMax
        for (field, parts) in fields.enumerated() {
            let isRare = areAllRare || counts[field] < places.count / 64
            let extra = isRare ? entryBytes[field] : 0
            for part in parts {
                let (column, ends) = (part.column, part.column.values.ends)
                var start: UInt32 = 0
                for index in 0..<ends.count {
                    let end = ends[index]
                    let row = part.firstRow &+ Int(column.row(at: index))
                    rowBytes[row] &+= end &- start &+ UInt32(extra)
                    start = end
                }
            }
        }
        var valueBytes = [UInt32](repeating: 0, count: rowCount)
        for row in places.indices where places[row] != noPlace {
            valueBytes[Int(places[row])] = rowBytes[row]
        }
        let blockCount = (rowCount + rowsMax - 1) / rowsMax
        let rowsTarget = (rowCount + blockCount - 1) / blockCount
        var ranges: [Range<Int>] = []
        var start = 0
        var bytes = 0
        for place in 0..<rowCount {
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
        ranges.append(start..<rowCount)
        return ranges
    }
}
