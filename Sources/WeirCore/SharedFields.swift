/// Fields that many rows share, as the labels of their stream: where spans come from, on their way
/// in.
///
/// A label has the field's name; its value is a digit, the field's kind, and the field's bytes. They
/// are so until the rows are put into blocks, where they become fields like all others: a process
/// that sends spans costs the journal its attributes once, and not once for each span.
package enum SharedFields {
    /// Appends one field to the bytes of labels; names come in ascending order of bytes, each once.
    package static func append(
        name: Span<UInt8>,
        kind: FieldKind,
        value: Span<UInt8>,
        to labels: inout [UInt8]
    ) {
        UInt64(name.count).appendVarint(to: &labels)
        // SAFETY: the buffers are copied inside the closures.
        unsafe name.withUnsafeBufferPointer { unsafe labels.append(contentsOf: $0) }
        UInt64(value.count + 1).appendVarint(to: &labels)
        labels.append(UInt8(ascii: "0") + kind.rawValue)
        unsafe value.withUnsafeBufferPointer { unsafe labels.append(contentsOf: $0) }
    }

    /// Calls `body` with each field: where its name and its value lie in the labels' bytes.
    ///
    /// Labels that are no fields are passed over.
    package static func forEach(
        _ labels: Labels,
        _ body: (_ name: Range<Int>, _ kind: FieldKind, _ value: Range<Int>) -> Void
    ) {
        labels.forEachPair { name, value in
            guard let digit = labels.bytes[value].first, digit >= UInt8(ascii: "0"),
                let kind = FieldKind(rawValue: digit - UInt8(ascii: "0"))
            else { return }
            body(name, kind, (value.lowerBound + 1)..<value.upperBound)
        }
    }

    /// One field of a stream, or nil.
    package static func value(
        of name: String,
        in labels: Labels
    ) -> (kind: FieldKind, bytes: ArraySlice<UInt8>)? {
        guard let range = labels.valueRange(of: name), let digit = labels.bytes[range].first,
            digit >= UInt8(ascii: "0"), let kind = FieldKind(rawValue: digit - UInt8(ascii: "0"))
        else { return nil }
        return (kind, labels.bytes[range].dropFirst())
    }
}

extension RowBatch {
    /// The same rows, of one stream without labels: what their streams held are fields of theirs.
    package func dissolvingStreams() -> RowBatch {
        var batch = RowBatch(signal: signal)
        batch.streams = [.empty]
        batch.firstLines = [0]
        batch.streamIndexes = Array(repeating: 0, count: rowCount)
        batch.times = times
        batch.columns = columns
        batch.fields = fields.dissolving(streamIndexes.map { streams[Int($0)] })
        return batch
    }
}

extension FieldTable {
    /// These fields and those that the rows share; `streams` has one for each row.
    ///
    /// A row's own field stands before one that is shared.
    package func dissolving(_ streams: [Labels]) -> FieldTable {
        var shared = FieldTable()
        for (row, labels) in streams.enumerated() {
            let bytes = labels.bytes
            SharedFields.forEach(labels) { name, kind, value in
                let index = shared.index(of: bytes.span.extracting(name), hint: -1)
                if self[shared[index].name]?.index(ofRow: row) == nil {
                    shared.set(index, row: row, kind: kind, value: bytes.span.extracting(value))
                }
            }
        }
        var table = FieldTable()
        for column in columns {
            table.append(shared[column.name].map { column.merging($0) } ?? column)
        }
        for column in shared.columns where column.count > 0 && self[column.name] == nil {
            table.append(column)
        }
        return table
    }
}

extension FieldColumn {
    /// The values of both, which have no row in common.
    fileprivate func merging(_ other: FieldColumn) -> FieldColumn {
        var merged = FieldColumn(name: name)
        var (i, j) = (0, 0)
        while i < count || j < other.count {
            if j == other.count || (i < count && row(at: i) < other.row(at: j)) {
                merged.append(Int(row(at: i)), valueAt: i, of: self)
                i += 1
            } else {
                merged.append(Int(other.row(at: j)), valueAt: j, of: other)
                j += 1
            }
        }
        return merged
    }
}
