import WeirCore
import WeirWire

/// Shows parsed spans as text that tables of cases can hold.
enum SpanRendering {
    static func options() -> SpanOptions { SpanOptions(now: LogRendering.now) }

    /// One line a span: `start|field=value …` by name, where text is quoted and bytes are marked.
    static func rows(_ result: SpanResult) -> [String] {
        let batch = result.batch.dissolvingStreams()
        return (0..<batch.rowCount).map { row in
            let fields = batch.fields.columns.compactMap { column -> String? in
                guard let index = column.index(ofRow: row) else { return nil }
                let text = String(decoding: column.values[index], as: UTF8.self)
                switch FieldKind(rawValue: column.kinds[index]) {
                case .text:
                    var quoted: [UInt8] = []
                    JSONWriter.appendString(text, to: &quoted)
                    return "\(column.name)=\(String(decoding: quoted, as: UTF8.self))"
                case .bytes: return "\(column.name)=bytes:\(text)"
                default: return "\(column.name)=\(text)"
                }
            }
            return "\(batch.times[row])|\(fields.sorted().joined(separator: " "))"
        }
    }

    static func refusals(_ result: SpanResult) -> [String] {
        result.refusals.map {
            ($0.line > 0 ? "\($0.line)" : "#\($0.record)") + ": \($0.error.description)"
        }
    }

    /// Whether a result holds together, whatever was sent.
    static func isConsistent(_ result: SpanResult) -> Bool {
        let batch = result.batch
        return batch.streamIndexes.count == batch.rowCount && result.facts.count == batch.rowCount
            && batch.streamIndexes.allSatisfy { Int($0) < batch.streams.count }
            && (result.isTooLarge || batch.rowCount + result.refusedCount == result.recordCount)
            && zip(batch.times, result.facts).allSatisfy { $0 == $1.start }
            && batch.fields.columns.allSatisfy { column in
                column.count > 0 && zip(column.rows, column.rows.dropFirst()).allSatisfy { $0 < $1 }
                    && column.rows.allSatisfy { Int($0) < batch.rowCount }
                    && column.kinds.allSatisfy { FieldKind(rawValue: $0) != nil }
            }
    }
}

/// Structures of thrift's binary protocol for tests, written by hand.
struct Thrift {
    var bytes: [UInt8] = []

    private func field(_ kind: UInt8, _ id: Int, _ value: [UInt8]) -> Thrift {
        Thrift(bytes: bytes + [kind, UInt8(id >> 8), UInt8(id & 255)] + value)
    }

    private static func big(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64((count - 1 - $0) * 8)) }
    }

    func i64(_ id: Int, _ value: Int64) -> Thrift {
        field(10, id, Self.big(UInt64(bitPattern: value), 8))
    }
    func i32(_ id: Int, _ value: Int) -> Thrift { field(8, id, Self.big(UInt64(value), 4)) }
    func bool(_ id: Int, _ value: Bool) -> Thrift { field(2, id, [value ? 1 : 0]) }
    func double(_ id: Int, _ value: Double) -> Thrift {
        field(4, id, Self.big(value.bitPattern, 8))
    }
    func bytes(_ id: Int, _ value: [UInt8]) -> Thrift {
        field(11, id, Self.big(UInt64(value.count), 4) + value)
    }
    func text(_ id: Int, _ value: String) -> Thrift { bytes(id, Array(value.utf8)) }
    func structure(_ id: Int, _ value: Thrift) -> Thrift { field(12, id, value.bytes + [0]) }
    func list(_ id: Int, _ values: [Thrift]) -> Thrift {
        field(
            15,
            id,
            [12] + Self.big(UInt64(values.count), 4) + values.flatMap { $0.bytes + [0] }
        )
    }

    /// The end of the outermost structure.
    var whole: [UInt8] { bytes + [0] }
}
