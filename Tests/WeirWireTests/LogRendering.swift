import WeirCore
import WeirWire

/// Shows parsed logs as text that tables of cases can hold.
enum LogRendering {
    /// A moment in 2026.
    static let now: Int64 = 1_790_000_000_000_000_000

    static func options() -> LogOptions { LogOptions(now: now) }

    /// One line a row: `labels|time|field=value …`, where text is quoted, the body is called `body`,
    /// and a time of arrival is `now`.
    static func rows(_ result: LogResult) -> [String] {
        let batch = result.batch
        return (0..<batch.rowCount).map { row in
            let time = batch.times[row] == now ? "now" : String(batch.times[row])
            let labels = batch.streams[Int(batch.streamIndexes[row])].description
            let fields = batch.fields.columns.compactMap { column -> String? in
                guard let index = column.index(ofRow: row) else { return nil }
                let name = column.name.isEmpty ? "body" : column.name
                let text = String(decoding: column.values[index], as: UTF8.self)
                guard FieldKind(rawValue: column.kinds[index]) == .text else {
                    return "\(name)=\(text)"
                }
                var quoted: [UInt8] = []
                JSONWriter.appendString(text, to: &quoted)
                return "\(name)=\(String(decoding: quoted, as: UTF8.self))"
            }
            return "\(labels)|\(time)|\(fields.joined(separator: " "))"
        }
    }

    /// `line: reason` of each refusal; `#record` where there are no lines.
    static func refusals(_ result: LogResult) -> [String] {
        result.refusals.map {
            ($0.line > 0 ? "\($0.line)" : "#\($0.record)") + ": \($0.error.description)"
        }
    }

    /// Whether a batch holds together, whatever was sent.
    static func isConsistent(_ result: LogResult) -> Bool {
        let batch = result.batch
        return batch.streamIndexes.count == batch.rowCount
            && batch.firstLines.count == batch.streams.count
            && batch.streamIndexes.allSatisfy { Int($0) < batch.streams.count }
            && Set(batch.streams).count == batch.streams.count
            && batch.fields.columns.allSatisfy { column in
                column.count > 0 && zip(column.rows, column.rows.dropFirst()).allSatisfy { $0 < $1 }
                    && column.rows.allSatisfy { Int($0) < batch.rowCount }
            }
    }
}

/// Protobuf messages for tests, written by hand.
struct Message {
    var bytes: [UInt8] = []

    func varint(_ number: Int, _ value: UInt64) -> Message {
        var message = self
        UInt64(number << 3).appendVarint(to: &message.bytes)
        value.appendVarint(to: &message.bytes)
        return message
    }

    func fixed64(_ number: Int, _ value: UInt64) -> Message {
        var message = self
        UInt64(number << 3 | 1).appendVarint(to: &message.bytes)
        message.bytes.appendLittleEndian(value)
        return message
    }

    func fixed32(_ number: Int, _ value: UInt32) -> Message {
        var message = self
        UInt64(number << 3 | 5).appendVarint(to: &message.bytes)
        message.bytes.appendLittleEndian(value)
        return message
    }

    func bytes(_ number: Int, _ value: [UInt8]) -> Message {
        var message = self
        UInt64(number << 3 | 2).appendVarint(to: &message.bytes)
        UInt64(value.count).appendVarint(to: &message.bytes)
        message.bytes += value
        return message
    }

    func text(_ number: Int, _ value: String) -> Message { bytes(number, Array(value.utf8)) }
    func message(_ number: Int, _ value: Message) -> Message { bytes(number, value.bytes) }

    /// `bytes` as a snappy block of literals.
    var snappy: [UInt8] {
        var output: [UInt8] = []
        UInt64(bytes.count).appendVarint(to: &output)
        for start in stride(from: 0, to: bytes.count, by: 60) {
            let piece = bytes[start..<min(start + 60, bytes.count)]
            output.append(UInt8((piece.count - 1) << 2))
            output += piece
        }
        return output
    }
}
