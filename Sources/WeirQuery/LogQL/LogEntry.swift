internal import WeirColumns
package import WeirCore

/// One row of a log query's answer.
package struct LogEntry: Sendable {
    /// A field as it is after the pipeline.
    package struct Field: Hashable, Sendable {
        package let name: String
        package let kind: FieldKind
        package let value: [UInt8]
    }

    /// Nanoseconds.
    package let time: Int64
    /// The labels of the stream it came from.
    package let stream: Labels
    /// The stream's labels that stages left.
    package let streamPairs: [(name: String, value: String)]
    /// Stored fields that stages left, and labels that stages made, in that order; without the
    /// body.
    package let fields: [Field]
    /// Bytes as they came in, or as stages made them.
    package let line: [UInt8]

    /// All labels in one set under the names LogQL gives them, as Loki's answers have it.
    package var labels: Labels {
        var pairs: [(String, String)] = []
        pairs.reserveCapacity(streamPairs.count + fields.count)
        for field in fields {
            pairs.append(
                (LogNames.sanitized(field.name), String(decoding: field.value, as: UTF8.self))
            )
        }
        // Of equal names the stream's own wins over a field's.
        for pair in streamPairs { pairs.append((pair.name, pair.value)) }
        return Labels(pairs)
    }
}

extension LogRowState {
    /// The row as an answer shows it.
    func entry() throws(QueryError) -> LogEntry {
        let number = Int(try view.streamNumbers()[row])
        let stream = number >= 0 ? view.streams.labels[number] : Labels.empty
        var fields: [LogEntry.Field] = []
        let madeNames = Set(made.map(\.name))
        for name in try view.fieldNames() where !name.isEmpty {
            let shown = LogNames.sanitized(name)
            guard isVisible(shown), !madeNames.contains(shown) else { continue }
            var text: [UInt8] = []
            guard let kind = try view.field(name)?.appendText(at: row, to: &text) else { continue }
            fields.append(LogEntry.Field(name: name, kind: kind, value: text))
        }
        for one in made where !one.value.isEmpty {
            fields.append(LogEntry.Field(name: one.name, kind: .text, value: one.value))
        }
        for name in [LogNames.error, LogNames.errorDetails] {
            if let value = try value(name) {
                fields.append(LogEntry.Field(name: name, kind: .text, value: value))
            }
        }
        let pairs = LogStreams.pairs(stream).filter {
            isVisible($0.name) && !madeNames.contains($0.name)
        }
        return LogEntry(
            time: try view.times()[row],
            stream: stream,
            streamPairs: pairs,
            fields: fields,
            line: try line()
        )
    }
}
