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
    let webSockets = WebSocketSet()
    private let nextNumber = Atomic<UInt64>(1)
    /// Requests that were suspended and are not over, by number.
    private let sleepers = Mutex<[UInt64: RequestContext]>([:])
    /// Open connections, by descriptor.
    private let connections = Mutex<[Int32: ConnectionContext]>([:])
    private let watch = Mutex<DepartureWatch?>(nil)

    init(handler: any HTTPHandler, configuration: HTTPServerConfiguration) {
        self.handler = handler
        self.configuration = configuration
        self.isTLS = configuration.tlsKey != nil
    }

    /// Must be called before the first request.
    func startWatch() {
        let watch = DepartureWatch(
            onDeparture: { [weak self] number in
                self?.sleepers.withLock { $0[number] }?.clientLeft()
            },
            onTick: { [weak self] in self?.cutOverdue() }
        )
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

    func opened(_ connection: ConnectionContext) {
        connections.withLock { $0[connection.descriptor] = connection }
    }

    /// Must be called before the descriptor is closed.
    func closed(_ connection: ConnectionContext) {
        connections.withLock { _ = $0.removeValue(forKey: connection.descriptor) }
    }

    /// Cuts connections that wait too long for a whole head.
    private func cutOverdue() {
        let now = Stopwatch.monotonicNanoseconds()
        let limit = Int64(max(1, configuration.headSecondsMax)) * 1_000_000_000
        // Under the lock no descriptor in the table can be closed, and so none be another's.
        connections.withLock { connections in
            for connection in connections.values
            where connection.isOverdue(nowNanoseconds: now, limitNanoseconds: limit) {
                connection.cut()
            }
        }
    }

    /// Wakes every sleeping request with a 503, or ends its stream.
    func abortSleepers() {
        let sleeping = sleepers.withLock { Array($0.values) }
        for request in sleeping { request.abort() }
    }

    var statistics: HTTPServerStatistics {
        var statistics = HTTPServerStatistics()
        statistics.requests = requests.load(ordering: .relaxed)
        statistics.requestsInHand = requestsInHand.load(ordering: .relaxed)
        statistics.bodyBytesInHand = bodyBytesInHand.load(ordering: .relaxed)
        statistics.receivedBytes = receivedBytes.load(ordering: .relaxed)
        statistics.connections = connections.withLock { $0.count }
        statistics.brokenRequests = brokenRequests.load(ordering: .relaxed)
        return statistics
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
