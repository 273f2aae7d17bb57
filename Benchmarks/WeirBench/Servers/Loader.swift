import Synchronization
import WeirHTTP
import WeirSystem

/// Sends request bodies over a number of connections, one thread each.
enum Loader {
    struct Outcome: Sendable {
        var wallSeconds = 0.0
        /// Requests not answered with a 2xx.
        var failures = 0
        /// What the first of them was answered.
        var firstFailure = ""
    }

    static func send(
        _ bodies: [[UInt8]],
        to base: String,
        path: String = "/write",
        contentType: String = "text/plain",
        headers: [(name: String, value: String)] = [],
        connections: Int = 2
    ) -> Outcome {
        let next = Counting()
        let failed = Mutex(Outcome())
        let url = base + path
        let all = [(name: "Content-Type", value: contentType)] + headers
        let begin = Stopwatch.monotonicNanoseconds()
        let threads = (0..<connections).map { index in
            Thread(name: "load-\(index)") {
                let client = HTTPClient()
                while let place = next.take(below: bodies.count) {
                    let failure = post(bodies[place], to: url, all, client)
                    guard let failure else { continue }
                    failed.withLock { outcome in
                        if outcome.failures == 0 { outcome.firstFailure = failure }
                        outcome.failures += 1
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        var outcome = failed.withLock { $0 }
        outcome.wallSeconds = Double(Stopwatch.monotonicNanoseconds() - begin) / 1e9
        return outcome
    }

    /// Sends one body; a server that says it is busy is asked again, as every client does.
    private static func post(
        _ body: [UInt8],
        to url: String,
        _ headers: [(name: String, value: String)],
        _ client: HTTPClient
    ) -> String? {
        var last = ""
        for _ in 0..<200 {
            do throws(HTTPClientError) {
                let response = try client.send(
                    HTTPClientRequest(
                        method: "POST",
                        url: url,
                        headers: headers,
                        body: body,
                        timeoutSeconds: 120
                    )
                )
                if (200..<300).contains(response.status) { return nil }
                last = String(decoding: response.body.prefix(300), as: UTF8.self)
                guard response.status == 429 || response.status == 503 else { return last }
                Thread.sleep(nanoseconds: 50_000_000)
            } catch {
                return "\(error)"
            }
        }
        return last
    }

    /// Deals out places, each once.
    private final class Counting: Sendable {
        private let value = Atomic<Int>(0)

        func take(below count: Int) -> Int? {
            let place = value.add(1, ordering: .relaxed).oldValue
            return place < count ? place : nil
        }
    }
}
