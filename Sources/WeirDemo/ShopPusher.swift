internal import Synchronization
internal import WeirHTTP
internal import WeirSystem

/// Pushes the shop's telemetry to a server over HTTP: first the past, then what happens.
package final class ShopPusher: Sendable {
    /// What back-filling did; `samples` are lines where logs were sent.
    package struct Backfill: Sendable {
        package let samples: Int
        package let bytes: Int
        package let seconds: Double
    }

    /// How often the shop is told about when it is live, and in the last hour, in seconds.
    package static let liveStepSeconds = ShopSimulator.tickSeconds
    /// Before that.
    package static let pastStepSeconds: Int64 = 30
    /// How long back the finer step reaches.
    package static let finePastSeconds: Int64 = 3600

    private static let bodyBytes = 1 << 20
    private static let connections = 2
    private static let attemptsMax = 12

    private static let metricsPath = "/write?precision=s"
    private static let logsPath = "/api/v1/logs"
    private static let spansPath = "/v1/traces"

    private let base: String
    private let pushesLogs: Bool
    private let pushesSpans: Bool
    private let seed: UInt64
    private let startSeconds: Int64
    private let simulator: Mutex<ShopSimulator>
    private let lastFailure = Mutex<String?>(nil)
    private let isStopping = Monitor(false)
    private let liveThread = Mutex<Thread?>(nil)

    /// Makes the shop as it was at the start of its past.
    ///
    /// - Parameters:
    ///   - base: The server, `http://127.0.0.1:4040`.
    ///   - seed: Of all chance.
    ///   - now: The end of the past, in seconds since 1970.
    ///   - pastSeconds: How far back the shop's life is told.
    ///   - pushesLogs: Whether logs go with the metrics once the shop is live.
    ///   - pushesSpans: Whether spans do.
    package init(
        base: String,
        seed: UInt64 = 42,
        nowSeconds now: Int64,
        pastSeconds: Int64,
        pushesLogs: Bool = false,
        pushesSpans: Bool = false
    ) {
        self.base = base
        self.pushesLogs = pushesLogs
        self.pushesSpans = pushesSpans
        self.seed = seed
        startSeconds = now - pastSeconds
        simulator = Mutex(
            ShopSimulator(seed: seed, startSeconds: now - pastSeconds, anchorSeconds: now)
        )
    }

    /// How many series the shop has.
    package var seriesCount: Int { simulator.withLock { $0.seriesCount } }
    /// Why the latest live push failed; nil when it did not.
    package var failure: String? { lastFailure.withLock { $0 } }

    /// Sends everything up to `now`, in seconds since 1970, over several connections at once.
    package func backfill(untilSeconds now: Int64) throws(DemoError) -> Backfill {
        try send(to: Self.metricsPath) { outbox in
            simulator.withLock { shop in
                Self.fillMetrics(&shop, outbox, until: now)
            }
        }
    }

    /// Sends the logs of the same time, after or before the metrics.
    ///
    /// - Returns: What was done, in lines.
    package func backfillLogs(untilSeconds now: Int64) throws(DemoError) -> Backfill {
        // A shop of its own: the same seed and times tell the same.
        var shop = ShopSimulator(seed: seed, startSeconds: startSeconds, anchorSeconds: now)
        return try send(to: Self.logsPath) { outbox in
            Self.fillLogs(&shop, outbox, until: now)
        }
    }

    /// Sends the spans of the same time.
    ///
    /// - Returns: What was done, in spans.
    package func backfillSpans(untilSeconds now: Int64) throws(DemoError) -> Backfill {
        var shop = ShopSimulator(seed: seed, startSeconds: startSeconds, anchorSeconds: now)
        return try send(to: Self.spansPath) { outbox in
            Self.fillSpans(&shop, outbox, until: now)
        }
    }

    private func send(
        to path: String,
        _ fill: (Monitor<Outbox>) -> (count: Int, bytes: Int)
    ) throws(DemoError) -> Backfill {
        let started = Stopwatch.monotonicNanoseconds()
        let queue = Monitor(Outbox())
        let url = base + path
        let threads = (0..<Self.connections).map { index in
            Thread(name: "shop-push-\(index)") {
                let client = HTTPClient()
                while let body = queue.wait(until: { $0.next() }) ?? nil {
                    // Room for one more: wakes the simulator.
                    queue.update { _ in }
                    if let reason = Self.send(body, to: url, client, attempts: Self.attemptsMax) {
                        queue.update { $0.failure = reason }
                        return
                    }
                }
            }
        }
        let (count, bytes) = fill(queue)
        queue.update { $0.isClosed = true }
        for thread in threads { thread.join() }
        if let reason = queue.read({ $0.failure }) { throw .request(path: path, reason: reason) }
        let elapsed = Stopwatch.monotonicNanoseconds() - started
        return Backfill(samples: count, bytes: bytes, seconds: Double(elapsed) / 1e9)
    }

    /// Hands a body to the connections when they have room; false when one of them failed.
    private static func hand(_ body: [UInt8], to queue: Monitor<Outbox>) -> Bool {
        let hasRoom =
            queue.wait { outbox -> Bool? in
                if outbox.failure != nil { return false }
                return outbox.bodies.count < connections * 2 ? true : nil
            } ?? false
        if hasRoom { queue.update { $0.bodies.append(body) } }
        return hasRoom
    }

    private static func fillMetrics(
        _ shop: inout ShopSimulator,
        _ queue: Monitor<Outbox>,
        until now: Int64
    ) -> (count: Int, bytes: Int) {
        var total = (count: 0, bytes: 0)
        var body: [UInt8] = []
        while true {
            shop.appendLines(to: &body)
            total.count += shop.seriesCount
            let step = now - shop.seconds > finePastSeconds ? pastStepSeconds : liveStepSeconds
            let isLast = shop.seconds + step > now
            if body.count >= bodyBytes || isLast {
                total.bytes += body.count
                guard hand(body, to: queue) else { break }
                let capacity = body.count + (256 << 10)
                body = []
                body.reserveCapacity(capacity)
            }
            if isLast { break }
            shop.advance(toSeconds: shop.seconds + step)
        }
        return total
    }

    private static func fillLogs(
        _ shop: inout ShopSimulator,
        _ queue: Monitor<Outbox>,
        until now: Int64
    ) -> (count: Int, bytes: Int) {
        var total = (count: 0, bytes: 0)
        var body: [UInt8] = []
        while true {
            total.count += shop.appendLogLines(to: &body)
            let isLast = shop.seconds + ShopSimulator.tickSeconds > now
            if body.count >= bodyBytes || isLast {
                total.bytes += body.count
                guard hand(body, to: queue) else { break }
                let capacity = body.count + (128 << 10)
                body = []
                body.reserveCapacity(capacity)
            }
            if isLast { break }
            shop.advance(toSeconds: shop.seconds + ShopSimulator.tickSeconds)
        }
        return total
    }

    private static func fillSpans(
        _ shop: inout ShopSimulator,
        _ queue: Monitor<Outbox>,
        until now: Int64
    ) -> (count: Int, bytes: Int) {
        var total = (count: 0, bytes: 0)
        var writer = SpanWriter()
        while true {
            shop.appendSpans(to: &writer)
            let isLast = shop.seconds + ShopSimulator.tickSeconds > now
            if writer.byteCount >= bodyBytes || isLast, writer.spanCount > 0 {
                total.count += writer.spanCount
                let body = writer.take()
                total.bytes += body.count
                guard hand(body, to: queue) else { break }
            }
            if isLast { break }
            shop.advance(toSeconds: shop.seconds + ShopSimulator.tickSeconds)
        }
        return total
    }

    /// Goes on pushing as the shop's time passes, on a thread of its own, until `stop`.
    package func startLive() {
        liveThread.withLock { thread in
            thread = Thread(name: "shop-live") { [self] in pushLive(HostClock()) }
        }
    }

    private func pushLive(_ clock: any WallClock) {
        let client = HTTPClient()
        var body: [UInt8] = []
        var logs: [UInt8] = []
        var spans = SpanWriter()
        while true {
            let next = simulator.withLock { $0.seconds } + Self.liveStepSeconds
            let wait = next * 1_000_000_000 - clock.nowNanoseconds()
            let isStopped = isStopping.wait(
                timeoutNanoseconds: max(0, wait),
                until: { $0 ? true : nil }
            )
            if isStopped ?? false { return }
            body.removeAll(keepingCapacity: true)
            logs.removeAll(keepingCapacity: true)
            simulator.withLock { shop in
                // A machine that slept tells all it missed.
                let now = clock.nowNanoseconds() / 1_000_000_000
                while shop.seconds + Self.liveStepSeconds <= now, body.count < Self.bodyBytes {
                    shop.advance(toSeconds: shop.seconds + Self.liveStepSeconds)
                    shop.appendLines(to: &body)
                    if pushesLogs { _ = shop.appendLogLines(to: &logs) }
                    if pushesSpans { shop.appendSpans(to: &spans) }
                }
            }
            guard !body.isEmpty else { continue }
            var reason = Self.send(body, to: base + Self.metricsPath, client, attempts: 3)
            if !logs.isEmpty {
                let other = Self.send(logs, to: base + Self.logsPath, client, attempts: 3)
                reason = reason ?? other
            }
            if spans.spanCount > 0 {
                let body = spans.take()
                let other = Self.send(body, to: base + Self.spansPath, client, attempts: 3)
                reason = reason ?? other
            }
            lastFailure.withLock { $0 = reason }
        }
    }

    /// Ends live pushing; may be called again.
    package func stop() {
        isStopping.update { $0 = true }
        let thread = liveThread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        thread?.join()
    }

    /// Sends one body, again when the server is busy for now.
    ///
    /// - Returns: Why it was not taken; nil when it was.
    private static func send(
        _ body: [UInt8],
        to url: String,
        _ client: HTTPClient,
        attempts: Int
    ) -> String? {
        var reason = ""
        let isProtobuf = url.hasSuffix(spansPath)
        let headers = isProtobuf ? [(name: "Content-Type", value: "application/x-protobuf")] : []
        for attempt in 0..<attempts {
            if attempt > 0 {
                Thread.sleep(nanoseconds: min(1_000_000_000, 50_000_000 << Int64(attempt)))
            }
            do throws(HTTPClientError) {
                let answer = try client.send(
                    HTTPClientRequest(
                        method: "POST",
                        url: url,
                        headers: headers,
                        body: body,
                        timeoutSeconds: 30
                    )
                )
                if (200..<300).contains(answer.status) { return nil }
                let text = String(decoding: answer.body.prefix(300), as: UTF8.self)
                reason = "status \(answer.status): \(text)"
                guard [429, 503].contains(answer.status) else { return reason }
            } catch {
                reason = "\(error)"
                if case .badURL = error { return reason }
            }
        }
        return "\(attempts) times in vain; \(reason)"
    }

    /// Bodies on their way from the simulator to the connections.
    private struct Outbox {
        var bodies: [[UInt8]] = []
        var isClosed = false
        var failure: String?

        /// A body; `.some(nil)` when there will be none any more; nil to wait.
        mutating func next() -> [UInt8]?? {
            if failure != nil { return .some(nil) }
            if !bodies.isEmpty { return bodies.removeFirst() }
            return isClosed ? .some(nil) : nil
        }
    }
}
