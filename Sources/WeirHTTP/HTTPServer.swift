internal import CMicroHTTPD
internal import Glibc
internal import Synchronization
internal import WeirSystem

/// An HTTP/1.1 server over libmicrohttpd: epoll, one thread a core, requests that sleep without
/// holding a thread.
///
/// Runs from `init` until `stop`.
@safe
package final class HTTPServer: Sendable {
    /// The running daemon and the texts it borrows.
    @safe
    private struct Daemon: @unchecked Sendable {
        let handle: OpaquePointer
        let acceptor: Acceptor
        let texts: [UnsafeMutablePointer<CChar>]
    }

    private let core: ServerCore
    private let daemon: Mutex<Daemon?>

    /// Where it listens: `127.0.0.1:43211`.
    package let address: String
    package let port: Int

    /// Binds, listens and serves.
    package init(
        _ configuration: HTTPServerConfiguration,
        handler: any HTTPHandler
    ) throws(HTTPServerError) {
        try Self.checkTLS(configuration)
        let socket = try ListenSocket(configuration.listen)
        let core = ServerCore(handler: handler, configuration: configuration)
        core.startWatch()
        self.core = core
        self.address = socket.address.description
        self.port = Int(socket.address.port)

        let key = unsafe configuration.tlsKey.flatMap { unsafe strdup($0) }
        let certificate = unsafe configuration.tlsCertificate.flatMap { unsafe strdup($0) }
        var settings = unsafe weir_mhd_settings()
        let cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let threads = configuration.threadCount > 0 ? configuration.threadCount : cores
        // A pool of one is no pool to MHD; two small threads do no harm.
        unsafe settings.thread_count = UInt32(clamping: max(2, threads))
        unsafe settings.connections_max = UInt32(clamping: max(16, configuration.connectionsMax))
        unsafe settings.connections_per_address_max =
            UInt32(clamping: max(0, configuration.connectionsPerAddressMax))
        unsafe settings.idle_seconds_max = UInt32(clamping: max(1, configuration.idleSecondsMax))
        unsafe settings.connection_memory_bytes =
            max(4096, configuration.connectionMemoryBytes)
        unsafe settings.key = UnsafePointer(key)
        unsafe settings.certificate = UnsafePointer(certificate)
        unsafe settings.handle = MicroHTTPD.handle
        unsafe settings.begin = MicroHTTPD.begin
        unsafe settings.complete = MicroHTTPD.complete
        unsafe settings.connect = MicroHTTPD.connect
        // SAFETY: `core` is kept by this server, which stops the daemon before it lets go.
        unsafe settings.context = Unmanaged.passUnretained(core).toOpaque()
        let texts = unsafe [key, certificate].compactMap { unsafe $0 }
        guard let handle = unsafe weir_mhd_start(&settings) else {
            let reason = unsafe String(cString: strerror(errno))
            unsafe Self.release(texts)
            core.stopWatch()
            daemon = Mutex(nil)
            throw .cannotStart(
                reason: configuration.tlsKey == nil
                    ? reason : "the certificate and key do not work together, or \(reason)"
            )
        }
        let acceptor = unsafe Acceptor(socket: socket, daemon: handle)
        daemon = unsafe Mutex(Daemon(handle: handle, acceptor: acceptor, texts: texts))
    }

    deinit { stop(drainSeconds: 0) }

    package var statistics: HTTPServerStatistics { core.statistics }

    /// Stops: no new connection at once, up to `drainSeconds` for the requests in hand, then 503
    /// for those that still wait, and the end of every connection.
    ///
    /// Blocks until done, little longer than `drainSeconds`. Answers given later are ignored.
    /// May be called again.
    package func stop(drainSeconds: Double) {
        let taken = daemon.withLock { daemon -> Daemon? in
            let taken = daemon
            daemon = nil
            return taken
        }
        guard let taken else { return }
        core.isDraining.store(true, ordering: .sequentiallyConsistent)
        taken.acceptor.stop()
        // They last as long as their clients like; nothing of theirs is worth waiting for.
        core.webSockets.stop()
        waitUntilIdle(seconds: drainSeconds)
        core.isStopping.store(true, ordering: .sequentiallyConsistent)
        core.abortSleepers()
        // Time for the last answers to go out.
        waitUntilIdle(seconds: min(1, drainSeconds))
        // SAFETY: nothing sleeps any more and nothing may fall asleep: every suspension looks at
        // `isStopping` under the lock that `abortSleepers` has since taken.
        unsafe MHD_stop_daemon(taken.handle)
        core.stopWatch()
        unsafe Self.release(taken.texts)
    }

    private static func release(_ texts: [UnsafeMutablePointer<CChar>]) {
        for index in unsafe texts.indices { unsafe free(texts[index]) }
    }

    private func waitUntilIdle(seconds: Double) {
        let deadline =
            Stopwatch.monotonicNanoseconds() + Int64(min(max(seconds, 0), 1e6) * 1_000_000_000)
        while core.requestsInHand.load(ordering: .relaxed) > 0,
            Stopwatch.monotonicNanoseconds() < deadline
        {
            Thread.sleep(nanoseconds: 2_000_000)
        }
    }

    private static func checkTLS(_ configuration: HTTPServerConfiguration) throws(HTTPServerError) {
        switch (configuration.tlsCertificate, configuration.tlsKey) {
        case (nil, nil): return
        case (nil, _): throw .badTLS(reason: "a key is given, but no certificate")
        case (_, nil): throw .badTLS(reason: "a certificate is given, but no key")
        case (let certificate?, let key?):
            guard certificate.contains("-----BEGIN CERTIFICATE-----") else {
                throw .badTLS(reason: "the certificate is not in PEM format")
            }
            guard key.contains("PRIVATE KEY-----") else {
                throw .badTLS(reason: "the key is not in PEM format")
            }
            guard MHD_is_feature_supported(.FEATURE_TLS).rawValue != 0 else {
                throw .badTLS(reason: "this libmicrohttpd was built without TLS")
            }
        }
    }
}
