internal import WeirCore

/// The fields of a journaled batch.
///
/// Layout: docs/format/journal.md.
enum JournalFields {
    private static let isCompleteFlag: UInt8 = 1

    static func append(_ fields: FieldTable, rowCount: Int, to output: inout [UInt8]) {
        UInt64(fields.columns.count).appendVarint(to: &output)
        for column in fields.columns {
            let name = column.name.utf8
            UInt64(name.count).appendVarint(to: &output)
            output.append(contentsOf: name)
            let kind = column.commonKind
            let isComplete = column.isComplete(rowCount: rowCount)
            output.append((isComplete ? isCompleteFlag : 0) | (kind?.rawValue ?? 0) << 1)
            if !isComplete {
                UInt64(column.count).appendVarint(to: &output)
                var previous: UInt32 = 0
                output.appendVarints(count: column.count) { index in
                    let row = column.row(at: index)
                    defer { previous = row }
                    return UInt64(row &- previous)
                }
            }
            if kind == nil { output.append(contentsOf: column.kinds) }
            let ends = column.values.ends
            var start: UInt32 = 0
            output.appendVarints(count: ends.count) { index in
                defer { start = ends[index] }
                return UInt64(ends[index] &- start)
            }
            output.append(contentsOf: column.values.bytes)
        }
    }

    static func read(
        _ reader: inout ByteReader,
        rowCount: Int
    ) throws(DecodeError) -> FieldTable {
        var table = FieldTable()
        for _ in 0..<(try reader.readCount(limit: reader.remaining)) {
            let nameCount = try reader.readCount(limit: reader.remaining)
            let name = String(decoding: try reader.readBytes(count: nameCount), as: UTF8.self)
            let start = reader.offset
            let flags = try reader.readByte()
            var rows: [UInt32]?
            var count = rowCount
            if flags & isCompleteFlag == 0 {
                count = try reader.readCount(limit: rowCount)
                var listed: [UInt32] = []
                listed.reserveCapacity(count)
                var row = 0
                for index in 0..<count {
                    let step = try reader.readCount(limit: rowCount)
                    row += step
                    guard row < rowCount, index == 0 || step > 0 else {
                        throw .notCanonical(offset: reader.offset)
                    }
                    listed.append(UInt32(row))
                }
                rows = listed
            }
            let kinds: [UInt8]
            if flags >> 1 == 0 {
                kinds = try reader.readBytes(count: count)
            } else {
                kinds = Array(repeating: flags >> 1, count: count)
            }
            guard kinds.allSatisfy({ FieldKind(rawValue: $0) != nil }), table[name] == nil else {
                throw .notCanonical(offset: start)
            }
            var ends: [UInt32] = []
            ends.reserveCapacity(count)
            var end = 0
            for _ in 0..<count {
                end += try reader.readCount(limit: reader.remaining)
                guard end <= reader.remaining else {
                    throw .truncated(offset: reader.offset, needed: end - reader.remaining)
                }
                ends.append(UInt32(end))
            }
            guard let values = BytesColumn(ends: ends, bytes: try reader.readBytes(count: end))
            else { throw .notCanonical(offset: start) }
            table.append(FieldColumn(name: name, rows: rows, kinds: kinds, values: values))
        }
        return table
    }
}
