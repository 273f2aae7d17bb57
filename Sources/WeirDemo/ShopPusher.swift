internal import Synchronization
internal import WeirHTTP
internal import WeirSystem

/// Pushes the shop's telemetry to a server over HTTP: first the past, then what happens.
package final class ShopPusher: Sendable {
    /// What back-filling did.
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

    private let url: String
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
    package init(base: String, seed: UInt64 = 42, nowSeconds now: Int64, pastSeconds: Int64) {
        url = base + "/write?precision=s"
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
        let started = Stopwatch.monotonicNanoseconds()
        let queue = Monitor(Outbox())
        let threads = (0..<Self.connections).map { index in
            Thread(name: "shop-push-\(index)") { [url] in
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
        let (samples, bytes) = fill(queue, until: now)
        queue.update { $0.isClosed = true }
        for thread in threads { thread.join() }
        if let reason = queue.read({ $0.failure }) {
            throw .request(path: "/write", reason: reason)
        }
        let elapsed = Stopwatch.monotonicNanoseconds() - started
        return Backfill(samples: samples, bytes: bytes, seconds: Double(elapsed) / 1e9)
    }

    private func fill(_ queue: Monitor<Outbox>, until now: Int64) -> (samples: Int, bytes: Int) {
        simulator.withLock { shop in
            var total = (samples: 0, bytes: 0)
            var body: [UInt8] = []
            func hand(_ body: [UInt8]) -> Bool {
                total.bytes += body.count
                return queue.wait { outbox in
                    if outbox.failure != nil { return false }
                    guard outbox.bodies.count < Self.connections * 2 else { return nil }
                    return true
                } ?? false
            }
            while true {
                shop.appendLines(to: &body)
                total.samples += shop.seriesCount
                let step =
                    now - shop.seconds > Self.finePastSeconds
                    ? Self.pastStepSeconds : Self.liveStepSeconds
                let isLast = shop.seconds + step > now
                if body.count >= Self.bodyBytes || isLast {
                    guard hand(body) else { break }
                    let full = body
                    queue.update { $0.bodies.append(full) }
                    body = []
                    body.reserveCapacity(full.count + (256 << 10))
                }
                if isLast { break }
                shop.advance(toSeconds: shop.seconds + step)
            }
            return total
        }
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
        while true {
            let next = simulator.withLock { $0.seconds } + Self.liveStepSeconds
            let wait = next * 1_000_000_000 - clock.nowNanoseconds()
            let isStopped = isStopping.wait(
                timeoutNanoseconds: max(0, wait),
                until: { $0 ? true : nil }
            )
            if isStopped ?? false { return }
            body.removeAll(keepingCapacity: true)
            simulator.withLock { shop in
                // A machine that slept tells all it missed.
                let now = clock.nowNanoseconds() / 1_000_000_000
                while shop.seconds + Self.liveStepSeconds <= now, body.count < Self.bodyBytes {
                    shop.advance(toSeconds: shop.seconds + Self.liveStepSeconds)
                    shop.appendLines(to: &body)
                }
            }
            guard !body.isEmpty else { continue }
            let reason = Self.send(body, to: url, client, attempts: 3)
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
        for attempt in 0..<attempts {
            if attempt > 0 {
                Thread.sleep(nanoseconds: min(1_000_000_000, 50_000_000 << Int64(attempt)))
            }
            do throws(HTTPClientError) {
                let answer = try client.send(
                    HTTPClientRequest(method: "POST", url: url, body: body, timeoutSeconds: 30)
                )
                if answer.status == 204 { return nil }
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
