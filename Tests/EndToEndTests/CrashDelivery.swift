import WeirHTTP
import WeirSystem

/// How a writer of the crash test gets one batch to a server that may die at any time.
enum CrashDelivery {
    /// At this attempt, counted from 0, the batch was acknowledged.
    case accepted(attempt: Int, HTTPClientResponse)
    /// The server answered with something that it should not.
    case refused(String)
    /// The server is gone, or about to go.
    case gone
    /// It was tried as often as may be.
    case exhausted

    /// A batch is given up, and the test fails, when it was sent this often.
    static let attemptsMax = 16

    /// Sends a batch until it is acknowledged.
    ///
    /// - Parameters:
    ///   - url: Where to.
    ///   - http: The writer's client.
    ///   - headers: The same for each attempt.
    ///   - attempts: How many there were before, and then are.
    ///   - accepts: Whether an answer acknowledges the batch.
    ///   - body: What an attempt sends.
    /// - Returns: How it ended.
    static func send(
        to url: String,
        _ http: HTTPClient,
        headers: [(name: String, value: String)],
        attempts: inout Int,
        accepts: (HTTPClientResponse) -> Bool,
        body: (_ attempt: Int) -> [UInt8]
    ) -> CrashDelivery {
        while attempts < attemptsMax {
            let attempt = attempts
            attempts += 1
            let request = HTTPClientRequest(
                method: "POST",
                url: url,
                headers: headers,
                body: body(attempt),
                timeoutSeconds: 60
            )
            guard let response = try? http.send(request) else { return .gone }
            if accepts(response) { return .accepted(attempt: attempt, response) }
            guard response.status == 429 || response.status == 503 else {
                return .refused(String(decoding: response.body, as: UTF8.self))
            }
            // Nothing was stored, so this was no attempt.
            attempts -= 1
            if response.status == 503 { return .gone }
            Thread.sleep(nanoseconds: 5_000_000)
        }
        return .exhausted
    }
}
