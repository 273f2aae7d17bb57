internal import Synchronization
internal import WeirHTTP

/// What the logs screen wants to follow; two that are equal are one tail.
package struct TailRequest: Hashable, Sendable {
    package let query: String
    /// Milliseconds since 1970: where the history begins.
    package let since: Int64
    package let limit: Int
}

/// What has arrived since it was last asked.
package struct TailBatch: Sendable {
    /// The newest lines, oldest first; no more than fit on any screen's list.
    package var lines: [[UInt8]] = []
    /// How many came, those included that are not in `lines` any more.
    package var received = 0
    /// How many the server left out, as it said.
    package var dropped = 0
    package var failure: String?

    package init() {}
}

/// A tail being read, on a thread that does nothing else, so that it never lags behind.
///
/// Lines go into a list of the newest few thousand; a screen that draws more slowly than they come
/// misses lines, and knows how many.
package final class LogTail: Sendable {
    package static let linesMax = 5000

    package let request: TailRequest
    private let batch = Mutex(TailBatch())
    private let cancellation = HTTPCancellation()

    /// Begins to read at once.
    package init(_ request: TailRequest, base: String, token: String?) {
        self.request = request
        let parameters = [
            ("query", request.query), ("since", TimeText.nanoseconds(request.since)),
            ("limit", String(request.limit)),
        ]
        let url =
            (base.hasSuffix("/") ? String(base.dropLast()) : base) + "/api/v1/logs/tail?"
            + PercentEncoding.form(parameters)
        let isStarted = BackgroundThread.start { [self] in read(url, token) }
        if !isStarted { batch.withLock { $0.failure = "no thread left" } }
    }

    /// Ends it, within a second.
    package func cancel() { cancellation.cancel() }

    /// What has come since the last call.
    package func take() -> TailBatch? {
        batch.withLock { batch in
            guard batch.received > 0 || batch.dropped > 0 || batch.failure != nil else {
                return nil
            }
            let taken = batch
            batch = TailBatch()
            return taken
        }
    }

    private func read(_ url: String, _ token: String?) {
        var request = HTTPClientRequest(url: url, timeoutSeconds: 1e9)
        if let token { request.headers.append(("Authorization", "Bearer \(token)")) }
        var splitter = LineSplitter()
        var refusal: [UInt8] = []
        do throws(HTTPClientError) {
            let response = try HTTPClient().sendStreaming(
                request,
                cancellation: cancellation
            ) { [self] status, bytes in
                guard status == 200 else {
                    refusal += bytes.prefix(4096)
                    return true
                }
                add(splitter.take(bytes))
                return true
            }
            let text = String(decoding: refusal, as: UTF8.self)
            batch.withLock { batch in
                batch.failure =
                    batch.failure
                    ?? (response.status == 200 ? "the server ended the tail" : text)
            }
        } catch {
            guard !cancellation.isCancelled else { return }
            batch.withLock { $0.failure = "\(error)" }
        }
    }

    private func add(_ lines: [[UInt8]]) {
        batch.withLock { batch in
            for line in lines {
                switch TailNote(json: line) {
                case nil:
                    batch.received += 1
                    batch.lines.append(line)
                case .dropped(let count): batch.dropped += count
                case .failed(let reason): batch.failure = reason
                }
            }
            if batch.lines.count > 2 * Self.linesMax {
                batch.lines.removeFirst(batch.lines.count - Self.linesMax)
            }
        }
    }
}
