internal import WeirCore
internal import WeirHTTP

/// Where a follower's lines go, in the form its client reads.
///
/// Used by the follower's thread only, but for `isClosed`.
protocol TailOutput: AnyObject, Sendable {
    var isClosed: Bool { get }
    /// Sends what came before, waiting for room; false when the client is gone.
    func write(_ rows: FollowedRows) -> Bool
    /// Sends rows if there is room now.
    func offer(_ rows: FollowedRows) -> HTTPBodyStream.Offer
    /// Says which lines were left out since this was last said; none says only that all is well.
    func offerDropped(_ lines: DroppedLines) -> HTTPBodyStream.Offer
    /// The server ends the tail; `failure` says why, when it is for a fault.
    func finish(failure: String?)
}

/// JSON lines over a streamed answer.
final class JSONLinesOutput: TailOutput {
    private let stream: HTTPBodyStream

    init(_ stream: HTTPBodyStream) { self.stream = stream }

    var isClosed: Bool { stream.isClosed }

    func write(_ rows: FollowedRows) -> Bool {
        // In pieces, so that a long history needs no buffer of its size.
        for start in stride(from: 0, to: rows.rows.count, by: 1000) {
            let part = rows.rows[start..<min(start + 1000, rows.rows.count)]
            guard stream.write(Self.encode(rows.batch, part)) else { return false }
        }
        return !stream.isClosed
    }

    func offer(_ rows: FollowedRows) -> HTTPBodyStream.Offer {
        stream.offer(Self.encode(rows.batch, rows.rows[...]))
    }

    func offerDropped(_ lines: DroppedLines) -> HTTPBodyStream.Offer {
        stream.offer(Array("{\"_dropped\":\(lines.count)}\n".utf8))
    }

    func finish(failure: String?) {
        if let failure {
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("_error", failure)
            writer.endObject()
            _ = stream.offer(writer.bytes + [0x0A])
        }
        stream.finish()
    }

    static func encode(_ batch: RowBatch, _ rows: ArraySlice<UInt32>) -> [UInt8] {
        var encoder = LogLineEncoder(batch)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(rows.count * 384)
        for row in rows { encoder.appendLine(Int(row), to: &bytes) }
        return bytes
    }
}

/// Loki's messages over a WebSocket: `{"streams": […], "dropped_entries": […]}`.
final class LokiTailOutput: TailOutput {
    private static let rowsPerMessage = 2000
    private let socket: WebSocket

    init(_ socket: WebSocket) { self.socket = socket }

    var isClosed: Bool { socket.isClosed }

    func write(_ rows: FollowedRows) -> Bool {
        for message in Self.messages(rows) { socket.send(text: message, evenIfFull: true) }
        return !socket.isClosed
    }

    func offer(_ rows: FollowedRows) -> HTTPBodyStream.Offer {
        guard socket.hasRoom else { return socket.isClosed ? .closed : .full }
        for message in Self.messages(rows) { socket.send(text: message, evenIfFull: true) }
        return .taken
    }

    func offerDropped(_ lines: DroppedLines) -> HTTPBodyStream.Offer {
        guard lines.count > 0 else {
            // The socket pings for itself.
            return socket.isClosed ? .closed : .taken
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("streams")
        writer.beginArray()
        writer.endArray()
        writer.key("dropped_entries")
        writer.beginArray()
        for entry in lines.first {
            writer.beginObject()
            writer.key("labels")
            writer.beginObject()
            for pair in entry.stream.pairs { writer.member(pair.name, pair.value) }
            writer.endObject()
            writer.member("timestamp", String(entry.time))
            writer.endObject()
        }
        writer.endArray()
        // Loki names some of them; how many they are it does not say.
        writer.member("dropped_total", lines.count)
        writer.endObject()
        if socket.send(text: writer.bytes) { return .taken }
        return socket.isClosed ? .closed : .full
    }

    func finish(failure: String?) {
        if let failure {
            socket.close(code: 1011, reason: failure)
        } else {
            socket.close(code: 1001, reason: "the server is stopping")
        }
    }

    static func messages(_ rows: FollowedRows) -> [[UInt8]] {
        stride(from: 0, to: rows.rows.count, by: rowsPerMessage).map { start in
            let end = min(start + rowsPerMessage, rows.rows.count)
            return message(rows.batch, rows.rows[start..<end])
        }
    }

    private static func message(_ batch: RowBatch, _ rows: ArraySlice<UInt32>) -> [UInt8] {
        var encoder = LogLineEncoder(batch)
        var values = [[UInt8]](repeating: [], count: batch.streams.count)
        for row in rows {
            let stream = Int(batch.streamIndexes[Int(row)])
            values[stream].append(contentsOf: values[stream].isEmpty ? "[\"".utf8 : ",[\"".utf8)
            values[stream].append(contentsOf: String(batch.times[Int(row)]).utf8)
            values[stream].append(contentsOf: "\",".utf8)
            encoder.appendBody(Int(row), to: &values[stream])
            values[stream].append(UInt8(ascii: "]"))
        }
        var bytes = Array(#"{"streams":["#.utf8)
        var isFirst = true
        for stream in values.indices where !values[stream].isEmpty {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            bytes.append(contentsOf: #"{"stream":"#.utf8)
            encoder.appendStream(stream, to: &bytes)
            bytes.append(contentsOf: #","values":["#.utf8)
            bytes.append(contentsOf: values[stream])
            bytes.append(contentsOf: "]}".utf8)
        }
        bytes.append(contentsOf: "]}".utf8)
        return bytes
    }
}
