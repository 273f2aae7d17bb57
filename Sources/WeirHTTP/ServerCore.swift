internal import Synchronization
internal import WeirSystem

/// What all requests of one server share.
final class ServerCore: Sendable {
    let handler: any HTTPHandler
    let configuration: HTTPServerConfiguration
    let isTLS: Bool
    /// Still serving, but every answer closes its connection.
    let isDraining = Atomic<Bool>(false)
    /// No request may be suspended any more.
    let isStopping = Atomic<Bool>(false)
    let requests = Atomic<Int>(0)
    let requestsInHand = Atomic<Int>(0)
    let bodyBytesInHand = Atomic<Int>(0)
    let receivedBytes = Atomic<Int>(0)
    let brokenRequests = Atomic<Int>(0)
    private let nextNumber = Atomic<UInt64>(1)
    /// Requests that were suspended and are not over, by number.
    private let sleepers = Mutex<[UInt64: RequestContext]>([:])
    private let watch = Mutex<DepartureWatch?>(nil)

    init(handler: any HTTPHandler, configuration: HTTPServerConfiguration) {
        self.handler = handler
        self.configuration = configuration
        self.isTLS = configuration.tlsKey != nil
    }

    /// Must be called before the first request.
    func startWatch() {
        let watch = DepartureWatch { [weak self] number in
            self?.sleepers.withLock { $0[number] }?.clientLeft()
        }
        self.watch.withLock { $0 = watch }
    }

    func stopWatch() {
        let watch = watch.withLock { watch in
            let taken = watch
            watch = nil
            return taken
        }
        watch?.stop()
    }

    func makeNumber() -> UInt64 { nextNumber.add(1, ordering: .relaxed).oldValue }

    /// Called before a request may sleep; a server that stops finds it here.
    func register(_ request: RequestContext) {
        sleepers.withLock { $0[request.number] = request }
    }

    func unregister(_ request: RequestContext) {
        sleepers.withLock { _ = $0.removeValue(forKey: request.number) }
    }

    func watchForDeparture(_ request: RequestContext, descriptor: Int32) {
        watch.withLock { $0?.arm(descriptor, number: request.number) }
    }

    /// Wakes every sleeping request with a 503, or ends its stream.
    func abortSleepers() {
        let sleeping = sleepers.withLock { Array($0.values) }
        for request in sleeping { request.abort() }
    }

    var statistics: HTTPServerStatistics {
        HTTPServerStatistics(
            requests: requests.load(ordering: .relaxed),
            requestsInHand: requestsInHand.load(ordering: .relaxed),
            bodyBytesInHand: bodyBytesInHand.load(ordering: .relaxed),
            receivedBytes: receivedBytes.load(ordering: .relaxed),
            brokenRequests: brokenRequests.load(ordering: .relaxed)
        )
    }

    static let stoppingResponse: HTTPResponse = {
        var response = HTTPResponse.error(
            503,
            error: "stopping",
            reason: "the server is stopping",
            hint: "send the request again in a few seconds"
        )
        response.headers.append(("Retry-After", "5"))
        response.closesConnection = true
        return response
    }()
}
