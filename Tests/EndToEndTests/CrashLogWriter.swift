import WeirCore
import WeirHTTP
import WeirSystem
import WeirTestSupport

/// One writer of logs in the crash test, and what it knows of what it sent.
///
/// Every row carries its number and the attempt it was sent in. Rows stand in fours: four rows of
/// one stream and one nanosecond, so that their order shows. Every batch has an id, as rows of
/// logs are not told apart otherwise; it changes its attempt when it is sent again, and of all
/// attempts exactly one must be found, as a whole.
///
/// Used by one thread at a time.
final class CrashLogWriter: @unchecked Sendable {
    struct Batch {
        let first: Int
        let count: Int
        var attempts = 0
        /// The attempt that was acknowledged, and whether as one seen before.
        var acknowledged: (attempt: Int, isDuplicate: Bool)?
    }

    static let streamCount = 6

    let number: Int
    let startNanoseconds: Int64
    private(set) var batches: [Batch] = []
    private(set) var rowCount = 0
    private(set) var refusals: [String] = []
    private var random: SplitMix64

    init(number: Int, startMilliseconds: Int64, seed: UInt64) {
        self.number = number
        startNanoseconds = startMilliseconds * 1_000_000 + 1
        random = SplitMix64(seed: seed)
    }

    var acknowledgedRows: Int {
        batches.reduce(0) { $0 + ($1.acknowledged == nil ? 0 : $1.count) }
    }

    /// One in five fours belongs to the day before, so that batches span buckets.
    private func time(_ row: Int) -> Int64 {
        let four = row / 4
        let day: Int64 = four % 5 == 0 ? 86_400_000_000_000 : 0
        return startNanoseconds + Int64(four) * 17_000_003 - day
    }

    private func stream(_ row: Int) -> Int { row / 4 % Self.streamCount }

    /// The members of a row that are its fields, as JSON, one each.
    private func fields(_ row: Int, attempt: Int) -> [[UInt8]] {
        var random = SplitMix64(seed: UInt64(row) &* 31 &+ UInt64(number))
        let id = String(random.next(), radix: 16)
        var texts: [(String, String)] = [
            (
                "_msg",
                row % 40 == 7
                    ? "panic: \"wörker\" \(row)\n\tat shop.Cart(Cart.java:\(row % 90))\u{0}"
                    : "order \(row) of wörker \(number) took \(row % 700)ms, id \(id)"
            ),
            ("level", ["info", "warn", "error"][row % 3]),
        ]
        if row % 3 == 0 { texts.append(("trace_id", id + id)) }
        if row % 25 == 0 { texts.append(("only\(row % 4)", "")) }
        var members = texts.map { name, text in
            var writer = JSONWriter()
            writer.value(name)
            var value = JSONWriter()
            value.value(text)
            return writer.bytes + [UInt8(ascii: ":")] + value.bytes
        }
        members.append(Array("\"n\":\(row)".utf8))
        members.append(Array("\"a\":\(attempt)".utf8))
        members.append(Array("\"took\":\(row % 10).50".utf8))
        members.append(Array("\"ok\":\(row % 2 == 0)".utf8))
        return members
    }

    /// Sends what is not acknowledged, then new batches until the server is gone.
    func run(_ base: String, sendsNew: Bool) {
        let http = HTTPClient()
        for index in batches.indices where batches[index].acknowledged == nil {
            guard send(index, base, http) else { return }
        }
        while sendsNew {
            let count: Int =
                switch Int.random(in: 0..<100, using: &random) {
                case 0..<75: Int.random(in: 1...20, using: &random)
                case 75..<97: Int.random(in: 20...200, using: &random)
                default: Int.random(in: 500...1500, using: &random)
                }
            batches.append(Batch(first: rowCount, count: count))
            rowCount += count
            guard send(batches.count - 1, base, http) else { return }
        }
    }

    /// - Returns: False when the server is gone.
    private func send(_ index: Int, _ base: String, _ http: HTTPClient) -> Bool {
        let batch = batches[index]
        var attempts = batch.attempts
        defer { batches[index].attempts = attempts }
        let delivery = CrashDelivery.send(
            to: "\(base)/api/v1/logs",
            http,
            headers: [(name: "X-Weir-Batch-Id", value: "log\(number)-\(index)")],
            attempts: &attempts,
            accepts: { $0.status == 200 },
            body: { body(batch, attempt: $0) }
        )
        switch delivery {
        case .accepted(let attempt, let response):
            batches[index].acknowledged = (
                attempt, response.header("x-weir-duplicate") == "true"
            )
            return true
        case .refused(let answer):
            refusals.append(answer)
            return false
        case .gone: return false
        case .exhausted: return true
        }
    }

    private func body(_ batch: Batch, attempt: Int) -> [UInt8] {
        var body: [UInt8] = []
        for row in batch.first..<(batch.first + batch.count) {
            body += Array(
                "{\"service\":\"crash\(number)\",\"host\":\"h\(stream(row))\",\"time\":\(time(row))"
                    .utf8
            )
            for member in fields(row, attempt: attempt) {
                body.append(UInt8(ascii: ","))
                body += member
            }
            body += [UInt8(ascii: "}"), UInt8(ascii: "\n")]
        }
        return body
    }

    /// What was found of the writer's rows.
    struct Finding {
        var missing = 0
        var doubled = 0
        /// Rows of a batch of which another attempt was kept, or that differ from what was sent.
        var wrong = 0
        /// Rows that stand before one that was sent before them.
        var misplaced = 0
        var notes: [String] = []

        var isClean: Bool { missing + doubled + wrong + misplaced == 0 }
    }

    /// Compares what a server has with what was acknowledged.
    func verify(_ client: WeirClient) throws -> Finding {
        var attempts = [UInt16](repeating: 0, count: rowCount)
        var finding = Finding()
        for stream in 0..<Self.streamCount {
            let query = "{service=\"crash\(number)\", host=\"h\(stream)\"}"
            let response = try client.get(
                "/api/v1/logs/query?query=\(PercentEncoding.encode(query))&start=0&direction=forward"
            )
            guard response.status == 200 else {
                throw EndToEnd.Failure(description: String(decoding: response.body, as: UTF8.self))
            }
            var last: (time: Int64, row: Int) = (.min, -1)
            for line in response.body.split(separator: UInt8(ascii: "\n")) {
                let line = Array(line)
                guard let row = Self.number(behind: "\"n\":", in: line),
                    let attempt = Self.number(behind: "\"a\":", in: line), row < rowCount,
                    attempt < CrashDelivery.attemptsMax, self.stream(row) == stream,
                    isSame(line, row: row, attempt: attempt)
                else {
                    finding.wrong += 1
                    finding.notes.append(String(decoding: line.prefix(400), as: UTF8.self))
                    continue
                }
                if attempts[row] & (1 << UInt16(attempt)) != 0 { finding.doubled += 1 }
                attempts[row] |= 1 << UInt16(attempt)
                let place = (time(row), row)
                if place < last { finding.misplaced += 1 }
                last = place
            }
        }
        for batch in batches {
            guard let acknowledged = batch.acknowledged else { continue }
            let first = attempts[batch.first]
            for row in batch.first..<(batch.first + batch.count) {
                let found = attempts[row]
                if found == 0 {
                    finding.missing += 1
                } else if found.nonzeroBitCount > 1 {
                    finding.doubled += 1
                } else if found != first {
                    finding.wrong += 1
                }
            }
            let attempt = first.trailingZeroBitCount
            let isAsTold =
                acknowledged.isDuplicate
                ? attempt < acknowledged.attempt : attempt == acknowledged.attempt
            if first != 0, !isAsTold {
                finding.wrong += 1
                finding.notes.append("\(batch): attempt \(attempt) was found")
            }
        }
        return finding
    }

    /// Whether the line says what was sent, byte for byte, whatever the order of its members.
    private func isSame(_ line: [UInt8], row: Int, attempt: Int) -> Bool {
        let expected =
            fields(row, attempt: attempt) + [
                Array("\"_time\":\"\(TimeText.rfc3339(nanoseconds: time(row)))\"".utf8),
                Array(
                    "\"_stream\":{\"host\":\"h\(stream(row))\",\"service\":\"crash\(number)\"}".utf8
                ),
            ]
        let byteCount = expected.reduce(1) { $0 + $1.count + 1 }
        return line.count == byteCount && expected.allSatisfy { Self.find($0, in: line) != nil }
    }

    private static func find(_ needle: [UInt8], in line: [UInt8]) -> Int? {
        guard let first = needle.first, needle.count <= line.count else { return nil }
        for start in 0...(line.count - needle.count)
        where line[start] == first && line[start..<(start + needle.count)].elementsEqual(needle) {
            return start
        }
        return nil
    }

    private static func number(behind key: String, in line: [UInt8]) -> Int? {
        guard let start = find(Array(key.utf8), in: line) else { return nil }
        let digits = line[(start + key.utf8.count)...].prefix { (0x30...0x39).contains($0) }
        return Int(String(decoding: digits, as: UTF8.self))
    }
}
