internal import CMicroHTTPD
internal import Synchronization
internal import WeirSystem

/// One request as libmicrohttpd sees it, from its first line to its completion.
///
/// `intake` and `head` belong to the connection's thread; all that other threads touch is behind
/// `shared`. The lock is held while a connection is suspended or resumed, so that these two never
/// come in the wrong order, and is never held while code of the handler's runs.
@safe
final class RequestContext: @unchecked Sendable {
    /// What happens to the bytes of the body.
    private enum Intake {
        /// The access handler has not been called yet.
        case undecided
        case reading(BodyReader)
        /// The body is thrown away, and `response` given at its end.
        case discarding(HTTPResponse)
        /// The handler has the request.
        case handed
    }

    private struct Shared {
        var state = ExchangeState()
        var response: HTTPResponse?
        var isClientGone = false
        var departureCallbacks: [@Sendable () -> Void] = []
        var stream: HTTPBodyStream?
    }

    let number: UInt64
    let connection: OpaquePointer
    private let core: ServerCore
    /// For what outlives the request.
    var serverCore: ServerCore { core }
    private let target: String
    private let shared = Mutex(Shared())
    private var intake = Intake.undecided
    private var head: HTTPRequestHead?
    private var startedNanoseconds: Int64 = 0
    private var chargedBytes = 0
    private var discardedBytes = 0
    private var isCounted = false
    private var isRegistered = false
    private var transport: ConnectionContext?

    init(target: String, connection: OpaquePointer, core: ServerCore) {
        self.target = target
        unsafe self.connection = connection
        self.core = core
        self.number = core.makeNumber()
    }

    // MARK: - From the connection's thread

    /// One call of libmicrohttpd's access handler.
    ///
    /// - Returns: False to cut the connection.
    func advance(method: String, bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        switch intake {
        case .undecided: return begin(method: method)
        case .reading(let reader):
            guard bytes.isEmpty else { return unsafe read(bytes, reader) }
            return hand(over: reader)
        case .discarding(let response):
            guard bytes.isEmpty else { return unsafe discard(bytes) }
            return queue(response)
        case .handed: return perform { $0.polled() }
        }
    }

    private func begin(method: String) -> Bool {
        isCounted = true
        transport = unsafe MicroHTTPD.context(of: connection)
        transport?.headArrived()
        core.requests.add(1, ordering: .relaxed)
        core.requestsInHand.add(1, ordering: .relaxed)
        let head = HTTPRequestHead(
            method: method,
            target: target,
            headers: unsafe MicroHTTPD.headers(of: connection),
            remoteAddress: unsafe RemoteAddress(weir_mhd_client(connection)),
            isTLS: core.isTLS
        )
        self.head = head
        if head.hasBody { startedNanoseconds = Stopwatch.monotonicNanoseconds() }
        switch admit(head) {
        case .success(let reader): intake = .reading(reader)
        case .failure(let refusal):
            // An answer before the body ends the connection, and may be lost when the client is
            // still sending: it is given only where the client waits for it, or would send more
            // than is worth throwing away.
            let claim = head.contentLength ?? 0
            if head.hasBody, head.expectsContinue || claim > core.configuration.discardedBytesMax {
                var response = refusal.response
                response.closesConnection = true
                return queue(response)
            }
            intake = .discarding(refusal.response)
        }
        return true
    }

    private struct Refusal: Error {
        let response: HTTPResponse
    }

    private func admit(_ head: HTTPRequestHead) -> Result<BodyReader, Refusal> {
        if core.isStopping.load(ordering: .acquiring) {
            return .failure(Refusal(response: ServerCore.stoppingResponse))
        }
        let bodyBytesMax: Int
        let passingThrough: [String]
        switch core.handler.accept(head) {
        case .refuse(let response): return .failure(Refusal(response: response))
        case .read(let limit, let names):
            bodyBytesMax = limit
            passingThrough = names
        }
        let encodingHeader = head.header("content-encoding")
        let isPassedThrough = encodingHeader.map { passingThrough.contains($0.lowercased()) }
        guard
            let encoding = isPassedThrough == true
                ? .identity : BodyEncoding(header: encodingHeader)
        else {
            let response = HTTPResponse.error(
                415,
                error: "unknown_encoding",
                reason: "Content-Encoding \(encodingHeader ?? "") is not understood",
                hint: "send the body as gzip, deflate, or without Content-Encoding"
            )
            return .failure(Refusal(response: response.adding("Accept-Encoding", "gzip, deflate")))
        }
        let claim = head.contentLength
        if encoding == .identity, let claim, claim > bodyBytesMax {
            return .failure(Refusal(response: BodyError.tooLarge(limit: bodyBytesMax).response))
        }
        return .success(
            BodyReader(encoding: encoding, bytesMax: bodyBytesMax, claimedCount: claim)
        )
    }

    private func read(_ bytes: UnsafeBufferPointer<UInt8>, _ reader: BodyReader) -> Bool {
        core.receivedBytes.add(bytes.count, ordering: .relaxed)
        guard !isTooSlow else { return false }
        do throws(BodyError) {
            try unsafe reader.append(bytes)
            let growth = reader.bytes.count - chargedBytes
            chargedBytes += growth
            let limit = core.configuration.bodiesBytesMax
            if core.bodyBytesInHand.add(growth, ordering: .relaxed).newValue > limit {
                throw .busy(limit: limit)
            }
        } catch {
            refuseRest(error.response)
        }
        return true
    }

    private func refuseRest(_ response: HTTPResponse) {
        uncharge()
        intake = .discarding(response)
    }

    private func uncharge() {
        core.bodyBytesInHand.subtract(chargedBytes, ordering: .relaxed)
        chargedBytes = 0
    }

    private var isTooSlow: Bool {
        let elapsed = Stopwatch.monotonicNanoseconds() - startedNanoseconds
        return elapsed > Int64(core.configuration.bodySecondsMax) * 1_000_000_000
    }

    private func discard(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        discardedBytes += bytes.count
        return discardedBytes <= core.configuration.discardedBytesMax && !isTooSlow
    }

    private func hand(over reader: BodyReader) -> Bool {
        let body: [UInt8]
        do throws(BodyError) {
            body = try reader.finish()
        } catch {
            return queue(error.response)
        }
        guard let head else { return false }
        intake = .handed
        // The exchange dies here unless the handler kept it; its last word must come first.
        do {
            let exchange = HTTPExchange(head: head, body: body, request: self)
            core.handler.handle(exchange)
        }
        return perform { $0.handlerReturned() }
    }

    /// Takes one step of the state machine and does on the connection what it asks.
    private func perform(_ event: (inout ExchangeState) -> ExchangeState.Action) -> Bool {
        if !isRegistered, shared.withLock({ $0.state.isOpen }) {
            // Before `isStopping` is looked at, so that a server that stops finds either the flag
            // respected or the request listed.
            core.register(self)
            isRegistered = true
        }
        let response = shared.withLock { shared -> HTTPResponse? in
            switch event(&shared.state) {
            case .suspend:
                if core.isStopping.load(ordering: .sequentiallyConsistent) {
                    _ = shared.state.respond()
                    _ = shared.state.polled()
                    return ServerCore.stoppingResponse
                }
                let descriptor = unsafe weir_mhd_socket(connection)
                core.watchForDeparture(self, descriptor: descriptor)
                // SAFETY: called from the access handler, as MHD asks; every resume takes this
                // same lock, and so comes after.
                unsafe MHD_suspend_connection(connection)
                return nil
            case .queue:
                let response = shared.response
                shared.response = nil
                return response
            case .resume, .none: return nil
            }
        }
        return response.map { queue($0) } ?? true
    }

    private func queue(_ response: HTTPResponse) -> Bool {
        var response = response
        if core.isDraining.load(ordering: .relaxed) { response.closesConnection = true }
        if case .stream(let stream) = response.body {
            core.register(self)
            isRegistered = true
            shared.withLock { $0.stream = stream }
            if core.isStopping.load(ordering: .sequentiallyConsistent) { stream.close() }
        }
        if case .upgrade = response.body, core.isDraining.load(ordering: .relaxed) {
            response = ServerCore.stoppingResponse
        }
        return unsafe MicroHTTPD.queue(response, on: connection, of: self)
    }

    /// Called before the stream's connection sleeps.
    func watchStream() {
        core.watchForDeparture(self, descriptor: unsafe weir_mhd_socket(connection))
    }

    /// The request is over; libmicrohttpd forgets it.
    func complete(isBroken: Bool) {
        let (callbacks, stream) = shared.withLock { shared in
            shared.state.complete()
            shared.response = nil
            if isBroken { shared.isClientGone = true }
            let callbacks = isBroken ? shared.departureCallbacks : []
            shared.departureCallbacks = []
            let stream = shared.stream
            shared.stream = nil
            return (callbacks, stream)
        }
        if isRegistered { core.unregister(self) }
        transport?.requestCompleted()
        stream?.close()
        for callback in callbacks { callback() }
        uncharge()
        intake = .handed
        if isCounted {
            core.requestsInHand.subtract(1, ordering: .relaxed)
            if isBroken { core.brokenRequests.add(1, ordering: .relaxed) }
        }
    }

    // MARK: - From any thread

    func respond(_ response: HTTPResponse) {
        let isTaken = shared.withLock { shared in
            guard shared.state.isOpen else { return false }
            shared.response = response
            if shared.state.respond() == .resume { unsafe MHD_resume_connection(connection) }
            return true
        }
        // A stream that nobody will read must not keep its producer waiting.
        if !isTaken, case .stream(let stream) = response.body { stream.close() }
    }

    /// The server stops: answers 503 if nothing was answered, and ends a stream.
    func abort() {
        respond(ServerCore.stoppingResponse)
        shared.withLock { $0.stream }?.close()
    }

    var isClientGone: Bool { shared.withLock { $0.isClientGone } }

    func onClientGone(_ body: @escaping @Sendable () -> Void) {
        let isGone = shared.withLock { shared in
            if !shared.isClientGone, shared.state.phase != .completed {
                shared.departureCallbacks.append(body)
            }
            return shared.isClientGone
        }
        if isGone { body() }
    }

    /// The client closed its connection while it slept.
    func clientLeft() {
        let (callbacks, stream) = shared.withLock { shared in
            guard shared.state.phase != .completed else {
                return ([@Sendable () -> Void](), HTTPBodyStream?.none)
            }
            shared.isClientGone = true
            let callbacks = shared.departureCallbacks
            shared.departureCallbacks = []
            return (callbacks, shared.stream)
        }
        // Wakes the connection, which finds the stream closed and ends.
        stream?.close()
        for callback in callbacks { callback() }
    }
}
