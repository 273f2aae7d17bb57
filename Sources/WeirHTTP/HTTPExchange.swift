internal import Synchronization

/// One request in hand: its head, its body, and the place where the answer goes.
///
/// Answer exactly once, from any thread; later answers are ignored. An exchange that is let go
/// without an answer gets a 500, so that no client waits for ever.
package final class HTTPExchange: Sendable {
    package let head: HTTPRequestHead
    private let heldBody: Mutex<[UInt8]>
    private let request: RequestContext

    init(head: HTTPRequestHead, body: [UInt8], request: RequestContext) {
        self.head = head
        self.heldBody = Mutex(body)
        self.request = request
    }

    deinit {
        request.respond(
            .error(
                500,
                error: "internal",
                reason: "the request was dropped without an answer",
                hint: "this is a defect of the server; its log may say more"
            )
        )
    }

    /// The whole decoded body; empty once it was taken.
    package var body: [UInt8] { heldBody.withLock { $0 } }

    /// The body, which the exchange then no longer holds.
    package func takeBody() -> [UInt8] {
        heldBody.withLock { body in
            let taken = body
            body = []
            return taken
        }
    }

    /// Query items, followed by those of a form body: as Prometheus's API takes parameters.
    package var parameters: HTTPQuery {
        guard head.contentType == "application/x-www-form-urlencoded" else { return head.query }
        return head.query.appending(HTTPQuery(parsing: body))
    }

    /// Gives the answer.
    ///
    /// Never blocks, never fails: when the client has left it is dropped.
    package func respond(_ response: HTTPResponse) { request.respond(response) }

    /// Says whether the client is known to have left.
    package var isClientGone: Bool { request.isClientGone }

    /// Calls `body` once, on some thread of the server's, when the client leaves before the whole
    /// answer is sent; at once when it has left already.
    ///
    /// Must not block.
    package func onClientGone(_ body: @escaping @Sendable () -> Void) {
        request.onClientGone(body)
    }
}
