import Synchronization
import WeirHTTP
import WeirSystem

/// A follower that counts, while lines are written at a steady rate.
struct TailMeasure {
    var sent = 0
    var received = 0
    /// Lines the server said it left out.
    var dropped = 0
    var serverSeconds = 0.0
    var wallSeconds = 0.0

    /// Writes `rate` lines a second for `seconds`, ten requests a second.
    static func measure(
        _ server: Server,
        rate: Int,
        seconds: Int,
        seed: UInt64
    ) throws(BenchError) -> TailMeasure {
        let (_, set) = LogData.set(count: rate * seconds, seed: seed)
        let perBody = rate / 10
        let bodies = recut(set.bodies, linesPerBody: perBody)
        let counts = Mutex((lines: 0, dropped: 0))
        let stop = HTTPCancellation()
        let url = server.base + "/api/v1/logs/tail?query=%7B%7D&since=0"
        let reader = Thread(name: "tail-reader") {
            var counter = LineCounter()
            _ = try? HTTPClient().sendStreaming(
                HTTPClientRequest(url: url, timeoutSeconds: 120),
                cancellation: stop
            ) { _, bytes in
                counter.take(bytes)
                let (lines, dropped) = (counter.lines, counter.dropped)
                counts.withLock { $0 = (lines, dropped) }
                return true
            }
        }
        Thread.sleep(nanoseconds: 300_000_000)
        var measure = TailMeasure()
        let before = server.child.processorSeconds
        let begin = Stopwatch.monotonicNanoseconds()
        for (place, body) in bodies.enumerated() {
            let due = begin + Int64(place) * 100_000_000
            let wait = due - Stopwatch.monotonicNanoseconds()
            if wait > 0 { Thread.sleep(nanoseconds: wait) }
            let outcome = Loader.send([body], to: server.base, path: set.path, connections: 1)
            if outcome.failures > 0 { throw .request(path: set.path, reason: outcome.firstFailure) }
        }
        measure.sent = rate * seconds
        measure.wallSeconds = Double(Stopwatch.monotonicNanoseconds() - begin) / 1e9
        for _ in 0..<50 {
            let (lines, dropped) = counts.withLock { $0 }
            if lines + dropped >= measure.sent { break }
            Thread.sleep(nanoseconds: 100_000_000)
        }
        measure.serverSeconds = server.child.processorSeconds - before
        stop.cancel()
        reader.join()
        (measure.received, measure.dropped) = counts.withLock { $0 }
        return measure
    }

    private static func recut(_ bodies: [[UInt8]], linesPerBody: Int) -> [[UInt8]] {
        var cut: [[UInt8]] = []
        var current: [UInt8] = []
        var lines = 0
        for body in bodies {
            for byte in body {
                current.append(byte)
                guard byte == 0x0A else { continue }
                lines += 1
                if lines == linesPerBody {
                    cut.append(current)
                    current = []
                    lines = 0
                }
            }
        }
        if !current.isEmpty { cut.append(current) }
        return cut
    }

    /// Counts JSON lines, and what lines that begin with `{"_dropped":` say.
    private struct LineCounter {
        var lines = 0
        var dropped = 0
        private var head: [UInt8] = []
        private static let mark = Array("{\"_dropped\":".utf8)

        mutating func take(_ bytes: [UInt8]) {
            for byte in bytes {
                if byte != 0x0A {
                    if head.count < 40 { head.append(byte) }
                    continue
                }
                if head.starts(with: Self.mark) {
                    let digits = head.dropFirst(Self.mark.count).prefix { $0 >= 0x30 && $0 <= 0x39 }
                    dropped += Int(String(decoding: digits, as: UTF8.self)) ?? 0
                } else if !head.isEmpty {
                    lines += 1
                }
                head.removeAll(keepingCapacity: true)
            }
        }
    }
}

extension Bench {
    /// A follower of everything, at 50,000 lines a second.
    mutating func measureTail() throws(BenchError) {
        progress("logs: tail")
        let rate = 50_000
        let seconds = options.isShort ? 3 : 10
        let weir = try start(.weir, in: freshFolder())
        let tail = try TailMeasure.measure(weir, rate: rate, seconds: seconds, seed: options.seed)
        weir.stop()
        try SmallFile.removeTree(weir.folder)
        report.begin("a follower of all, while \(rate) lines a second are written for \(seconds) s")
        report.add("lines written", Double(tail.sent), .count)
        report.add("lines received", Double(tail.received), .count)
        report.add("lines the server said it left out", Double(tail.dropped), .count)
        report.add(
            "lines uncounted",
            Double(tail.sent - tail.received - tail.dropped),
            .count,
            reach: 0
        )
        report.add("wall", tail.wallSeconds, .seconds)
        report.add(
            "server CPU, ingest and tail, a second",
            tail.serverSeconds / tail.wallSeconds,
            .seconds
        )
    }
}
