internal import WeirColumns
internal import WeirCore

/// The fields that spans share with others of their streams, as columns of codes.
///
/// Few values stand for many rows, so no row's value is looked at.
struct SharedColumns {
    private struct Column {
        let name: [UInt8]
        var entries = BytesColumn()
        var kinds: [UInt8] = []
        /// Each stream's entry; -1: the stream lacks the field.
        var codes: [Int32]
    }

    private var columns: [Column] = []
    /// Which stream each row is of, in the rows' order.
    private let streams: [UInt32]

    /// - Parameters:
    ///   - references: Of the rows, in order.
    ///   - labels: By reference.
    init(_ references: [UInt32], labels: [Labels]) {
        var streamOfReference: [UInt32: UInt32] = [:]
        var distinct: [Labels] = []
        var streams: [UInt32] = []
        streams.reserveCapacity(references.count)
        var last: (reference: UInt32, stream: UInt32)?
        for reference in references {
            if let last, last.reference == reference {
                streams.append(last.stream)
                continue
            }
            let stream = streamOfReference[reference] ?? UInt32(distinct.count)
            if Int(stream) == distinct.count {
                streamOfReference[reference] = stream
                distinct.append(labels[Int(reference)])
            }
            streams.append(stream)
            last = (reference, stream)
        }
        self.streams = streams
        var indexes: [[UInt8]: Int] = [:]
        var entries: [[ArraySlice<UInt8>: Int32]] = []
        for (stream, labels) in distinct.enumerated() {
            SharedFields.forEach(labels) { name, kind, value in
                let name = Array(labels.bytes[name])
                let index = indexes[name] ?? columns.count
                if index == columns.count {
                    indexes[name] = index
                    columns.append(
                        Column(name: name, codes: Array(repeating: -1, count: distinct.count))
                    )
                    entries.append([:])
                }
                // The digit of the kind in front makes a number another entry than the same text.
                let key = labels.bytes[(value.lowerBound - 1)..<value.upperBound]
                let code = entries[index][key] ?? Int32(columns[index].entries.count)
                if Int(code) == columns[index].entries.count {
                    entries[index][key] = code
                    columns[index].entries.append(labels.bytes[value])
                    columns[index].kinds.append(kind.rawValue)
                }
                columns[index].codes[stream] = code
            }
        }
    }

    /// Whether some row has a field of its own that others share: then columns of both are needed,
    /// which these are not.
    func overlap(_ fields: FieldTable) -> Bool {
        columns.contains { fields[String(decoding: $0.name, as: UTF8.self)] != nil }
    }

    /// Encodes the columns over the rows in `range`.
    ///
    /// - Returns: How many have a value there.
    func encode(
        _ range: Range<Int>,
        with encoder: FieldEncoder,
        directory: inout [UInt8],
        area: inout [UInt8]
    ) -> Int {
        var count = 0
        var codes = [Int32](repeating: -1, count: range.count)
        for column in columns {
            var isPresent = false
            for (place, stream) in streams[range].enumerated() {
                let code = column.codes[Int(stream)]
                codes[place] = code
                if code >= 0 { isPresent = true }
            }
            guard isPresent else { continue }
            count += 1
            encoder.encode(
                CodedColumn(
                    name: String(decoding: column.name, as: UTF8.self),
                    entries: column.entries,
                    kinds: column.kinds,
                    codes: codes
                ),
                directory: &directory,
                area: &area
            )
        }
        return count
    }
}

extension ResolvedBatch {
    /// The same rows, with what their streams hold as fields of their own.
    func dissolvingStreams(_ labels: [Labels]) -> ResolvedBatch {
        ResolvedBatch(
            sequence: sequence,
            references: references,
            times: times,
            columns: columns,
            fields: fields.dissolving(references.map { labels[Int($0)] })
        )
    }
}
