import Synchronization
import WeirHTTP
import WeirSystem

/// A handler made of two closures.
struct ClosureHandler: HTTPHandler {
    var onAccept: @Sendable (HTTPRequestHead) -> HTTPAdmission = { _ in
        .read(bodyBytesMax: 1 << 20)
    }
    let onHandle: @Sendable (HTTPExchange) -> Void

    func accept(_ head: HTTPRequestHead) -> HTTPAdmission { onAccept(head) }
    func handle(_ exchange: HTTPExchange) { onHandle(exchange) }
}

/// Starts a server on a free port of the loopback.
func startServer(
    accept: (@Sendable (HTTPRequestHead) -> HTTPAdmission)? = nil,
    configure: (inout HTTPServerConfiguration) -> Void = { _ in },
    handle: @escaping @Sendable (HTTPExchange) -> Void
) throws -> HTTPServer {
    var configuration = HTTPServerConfiguration(listen: "127.0.0.1:0")
    configuration.threadCount = 2
    configure(&configuration)
    var handler = ClosureHandler(onHandle: handle)
    if let accept { handler.onAccept = accept }
    return try HTTPServer(configuration, handler: handler)
}

/// Answers with what it got: method, path, and the body's length and text.
@Sendable func echo(_ exchange: HTTPExchange) {
    let body = String(decoding: exchange.body, as: UTF8.self)
    exchange.respond(.text("\(exchange.head.method) \(exchange.head.path) \(body)"))
}

/// Waits, up to many seconds, for something another thread brings about.
func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<5000 {
        if condition() { return true }
        Thread.sleep(nanoseconds: 2_000_000)
    }
    return false
}
