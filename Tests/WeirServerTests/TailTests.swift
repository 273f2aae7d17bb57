import Synchronization
import Testing
import WeirCore
import WeirSystem
import WeirTestSupport

@testable import WeirHTTP
@testable import WeirServer

/// Following logs: what comes before, what arrives, and what a slow reader does not get.
@Suite struct TailTests {
    @Test func linesAreWrittenAsTheFormatSays() {
        let batch = logBatch([
            (
                1_767_323_045_123_456_789, ["service": "x"],
                [("", .text, "the \"body\""), ("n", .number, "1.50"), ("ok", .boolean, "true")]
            ),
            (0, ["service": "x"], [("n", .number, "+5"), ("tags", .json, "[1,2]")]),
            (-1, ["service": "y"], [("", .text, "a\u{1}ü")]),
        ])
        let text = String(
            decoding: JSONLinesOutput.encode(batch, [0, 1, 2]),
            as: UTF8.self
        )
        #expect(
            text == """
                {"_time":"2026-01-02T03:04:05.123456789Z","_stream":{"service":"x"},"_msg":"the \\"body\\"","n":1.50,"ok":true}
                {"_time":"1970-01-01T00:00:00Z","_stream":{"service":"x"},"n":"+5","tags":[1,2]}
                {"_time":"1969-12-31T23:59:59.999999999Z","_stream":{"service":"y"},"_msg":"a\\u0001ü"}

                """
        )
    }

    @Test(arguments: [
        ("0", true), ("-0.5e+3", true), ("12", true), ("1.", false), ("01", false), ("+1", false),
        (".5", false), ("1e", false), ("", false), ("-", false), ("1 ", false), ("NaN", false),
    ])
    func numbersAreThoseOfJSON(text: String, isNumber: Bool) {
        #expect(LogBytes.isJSONNumber(Array(text.utf8)[...]) == isNumber)
    }

    @Test func badUTF8IsShownReplaced() {
        var bytes: [UInt8] = []
        LogBytes.appendString([0x61, 0xFF, 0x62], to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "\"a\u{FFFD}b\"")
    }

    @Test func lokiMessagesGroupLinesByStream() {
        let batch = logBatch([
            (1, ["service": "x"], [("", .text, "one")]),
            (2, ["service": "y"], [("", .text, "two")]),
            (3, ["service": "x"], [("", .text, "three")]),
        ])
        let messages = LokiTailOutput.messages(FollowedRows(batch: batch, rows: [0, 1, 2]))
        #expect(
            messages.map { String(decoding: $0, as: UTF8.self) } == [
                #"{"streams":[{"stream":{"service":"x"},"values":[["1","one"],["3","three"]]},"#
                    + #"{"stream":{"service":"y"},"values":[["2","two"]]}]}"#
            ]
        )
    }

    @Test func noLineIsLostOrDoubledBetweenHistoryAndLive() {
        let hub = TailHub()
        let output = ListOutput()
        let log = CommittedLog()
        // Some batches before, some while the history is read, some after.
        for _ in 0..<5 { log.commit(to: hub) }
        #expect(
            hub.follow(AllRows(), output: output) {
                for _ in 0..<5 { log.commit(to: hub) }
                let read = log.read()
                for _ in 0..<5 { log.commit(to: hub) }
                return read
            }
        )
        for _ in 0..<200 { log.commit(to: hub) }
        #expect(eventually { output.times.count == 215 })
        #expect(output.times == Array(0..<215))
        hub.stop()
        #expect(hub.followerCount == 0)
        #expect(output.isFinished)
    }

    @Test func linesLeftOutAreCounted() {
        let hub = TailHub()
        let output = ListOutput()
        output.setFull(true)
        let log = CommittedLog()
        #expect(hub.follow(OddTimes(), output: output) { TailHistory(rows: .none, sequence: 0) })
        for _ in 0..<100 { log.commit(to: hub) }
        // Long enough for the thread to have met the full output, not that it matters.
        Thread.sleep(nanoseconds: 20_000_000)
        output.setFull(false)
        for _ in 0..<100 { log.commit(to: hub) }
        #expect(eventually { output.times.count + output.dropped == 100 })
        #expect(output.times.allSatisfy { $0 % 2 == 1 })
        #expect(output.times == output.times.sorted())
        hub.stop()
    }

    @Test func aFollowerWhoseClientLeavesIsForgotten() {
        let hub = TailHub()
        let output = ListOutput()
        #expect(hub.follow(AllRows(), output: output) { TailHistory(rows: .none, sequence: 0) })
        output.close()
        CommittedLog().commit(to: hub)
        #expect(eventually { hub.followerCount == 0 })
        hub.stop()
        #expect(!hub.follow(AllRows(), output: output) { TailHistory(rows: .none, sequence: 0) })
    }

    @Test func aTailOverHTTPGetsItsLinesAndEndsWithTheServer() throws {
        let hub = TailHub()
        let log = CommittedLog()
        log.commit(to: hub)
        let server = try HTTPServer(
            HTTPServerConfiguration(listen: "127.0.0.1:0"),
            handler: TailHandler(hub: hub, log: log)
        )
        let lines = SeenLines()
        let thread = Thread(name: "reader") {
            _ = try? HTTPClient().sendStreaming(
                HTTPClientRequest(url: "http://127.0.0.1:\(server.port)/", timeoutSeconds: 60)
            ) { _, bytes in
                lines.append(bytes)
                return true
            }
        }
        #expect(eventually { hub.followerCount == 1 })
        for _ in 0..<50 { log.commit(to: hub) }
        #expect(eventually { lines.count == 51 })
        hub.stop()
        server.stop(drainSeconds: 5)
        thread.join()
        #expect(lines.count == 51)
    }

    @Test func aTailOverAWebSocketGetsItsLines() throws {
        let hub = TailHub()
        let log = CommittedLog()
        let server = try HTTPServer(
            HTTPServerConfiguration(listen: "127.0.0.1:0"),
            handler: TailHandler(hub: hub, log: log)
        )
        let client = try #require(RawWebSocket(port: server.port, path: "/ws"))
        #expect(eventually { hub.followerCount == 1 })
        log.commit(to: hub)
        let text = try #require(client.receive()?.text)
        #expect(text == #"{"streams":[{"stream":{"service":"x"},"values":[["0","line"]]}]}"#)
        hub.stop()
        #expect(client.receive()?.closeCode == 1001)
        server.stop(drainSeconds: 1)
    }
}

/// A batch of rows: time, labels, and fields by name, the body's being empty.
func logBatch(
    _ rows: [(Int64, KeyValuePairs<String, String>, [(String, FieldKind, String)])]
) -> RowBatch {
    var batch = RowBatch(signal: .logs)
    for (row, (time, labels, fields)) in rows.enumerated() {
        let labels = Labels(labels)
        let index = batch.streams.firstIndex(of: labels) ?? batch.streams.count
        if index == batch.streams.count {
            batch.streams.append(labels)
            batch.firstLines.append(row + 1)
        }
        batch.streamIndexes.append(UInt32(index))
        batch.times.append(time)
        for (name, kind, value) in fields {
            batch.fields.set(name, row: row, kind: kind, value: value)
        }
    }
    return batch
}

private struct AllRows: LogFollowFilter {
    func rows(of batch: RowBatch) -> FollowedRows {
        FollowedRows(batch: batch, rows: Array(0..<UInt32(batch.rowCount)))
    }
}

private struct OddTimes: LogFollowFilter {
    func rows(of batch: RowBatch) -> FollowedRows {
        let rows = (0..<UInt32(batch.rowCount)).filter { batch.times[Int($0)] % 2 == 1 }
        return FollowedRows(batch: batch, rows: rows)
    }
}

/// A store of one line a batch, the nth with time n: visible first, then published.
private final class CommittedLog: Sendable {
    private let commits = Mutex(())
    private let count = Mutex(0)

    /// One at a time; between its two steps the batch can be read and is not published.
    func commit(to hub: TailHub) {
        commits.withLock { _ in
            let number = count.withLock { count in
                count += 1
                return count
            }
            let batch = logBatch([(Int64(number - 1), ["service": "x"], [("", .text, "line")])])
            hub.publish(batch, sequence: UInt64(number))
        }
    }

    func read() -> TailHistory {
        let count = count.withLock { $0 }
        let batch = logBatch(
            (0..<count).map { (Int64($0), ["service": "x"], [("", .text, "line")]) }
        )
        return TailHistory(
            rows: FollowedRows(batch: batch, rows: Array(0..<UInt32(count))),
            sequence: UInt64(count)
        )
    }
}

/// Remembers what it is given.
private final class ListOutput: TailOutput {
    private struct State {
        var times: [Int64] = []
        var dropped = 0
        var isFull = false
        var isClosed = false
        var isFinished = false
    }

    private let state = Mutex(State())

    var times: [Int64] { state.withLock { $0.times } }
    var dropped: Int { state.withLock { $0.dropped } }
    var isFinished: Bool { state.withLock { $0.isFinished } }
    var isClosed: Bool { state.withLock { $0.isClosed } }
    func setFull(_ isFull: Bool) { state.withLock { $0.isFull = isFull } }
    func close() { state.withLock { $0.isClosed = true } }
    func finish(failure: String?) { state.withLock { $0.isFinished = true } }

    func write(_ rows: FollowedRows) -> Bool {
        state.withLock { state in
            state.times += rows.rows.map { rows.batch.times[Int($0)] }
            return !state.isClosed
        }
    }

    func offer(_ rows: FollowedRows) -> HTTPBodyStream.Offer {
        state.withLock { state in
            if state.isClosed { return .closed }
            if state.isFull { return .full }
            state.times += rows.rows.map { rows.batch.times[Int($0)] }
            return .taken
        }
    }

    func offerDropped(_ lines: DroppedLines) -> HTTPBodyStream.Offer {
        state.withLock { state in
            if state.isClosed { return .closed }
            if state.isFull { return .full }
            state.dropped += lines.count
            return .taken
        }
    }
}

/// Tails everything: `/ws` over a WebSocket, else as JSON lines.
private struct TailHandler: HTTPHandler {
    let hub: TailHub
    let log: CommittedLog

    func accept(_ head: HTTPRequestHead) -> HTTPAdmission { .read(bodyBytesMax: 0) }

    func handle(_ exchange: HTTPExchange) {
        let (hub, log) = (hub, log)
        guard exchange.head.path == "/ws" else {
            let stream = HTTPBodyStream()
            exchange.respond(.stream(stream, contentType: "application/x-ndjson"))
            _ = hub.follow(AllRows(), output: JSONLinesOutput(stream)) { log.read() }
            return
        }
        let opening = WebSocketOpening(onOpen: { socket in
            _ = hub.follow(AllRows(), output: LokiTailOutput(socket)) {
                TailHistory(rows: .none, sequence: 0)
            }
        })
        exchange.respond(WebSocketHandshake.response(to: exchange.head, opening: opening))
    }
}

/// Counts lines that are not heartbeats.
private final class SeenLines: Sendable {
    private let text = Mutex("")
    var count: Int {
        text.withLock { text in
            text.split(separator: "\n").count { !$0.contains("_dropped") }
        }
    }
    func append(_ bytes: [UInt8]) {
        text.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
    }
}

private func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<5000 {
        if condition() { return true }
        Thread.sleep(nanoseconds: 2_000_000)
    }
    return false
}
