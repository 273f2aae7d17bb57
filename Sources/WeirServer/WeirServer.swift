internal import Glibc
internal import Synchronization
internal import WeirAlerts
internal import WeirHTTP
package import WeirStore
package import WeirSystem

/// Why a server did not start.
package enum ServerError: Error, Hashable {
    case store(StoreError)
    case rules(reason: String)
    case scraping(reason: String)
    case listen(reason: String)
}

/// A whole Weir: store, HTTP, rules and its own telemetry, from `init` until `stop`.
package final class WeirServer: Sendable {
    private let parts: ServerParts
    private let http: HTTPServer
    private let syslog: SyslogListener?
    private let push: PushListeners
    private let selfThread = Mutex<Thread?>(nil)
    private let isStopping = Monitor(false)
    private let log: StoreLog

    /// Where it listens: `127.0.0.1:4040`.
    package var address: String { http.address }
    package var port: Int { http.port }
    /// The ports syslog is taken at; nil where it is not.
    package var syslogPorts: (udp: Int?, tcp: Int?) { syslog?.ports ?? (nil, nil) }
    /// The ports Graphite is taken at; nil where it is not.
    package var graphitePorts: (udp: Int?, tcp: Int?) { push.graphitePorts }
    /// The UDP port StatsD is taken at; nil where it is not.
    package var statsdPort: Int? { push.statsdPort }
    /// What replaying the journal found.
    package var replayReport: StoreReplayReport { parts.store.replayReport }

    /// Opens the store, reads the rules, listens.
    ///
    /// Ready to serve when it returns.
    package init(
        _ configuration: ServerConfiguration,
        fileSystem: any FileSystem = HostFileSystem(),
        clock: any WallClock = HostClock(),
        log: @escaping StoreLog
    ) throws(ServerError) {
        self.log = log
        let store: Store
        do throws(StoreError) {
            var options = configuration.storeOptions
            options.scanThreadCount = max(1, ProcessStatus.coreCount() - 1)
            store = try Store(
                options: options,
                fileSystem: fileSystem,
                clock: clock,
                log: log
            ) { error in
                // What the kernel kept of unsynced pages is unknown after a failed sync.
                log("stopping at once: \(error)")
                _exit(70)
            }
        } catch {
            throw .store(error)
        }
        do throws(ServerError) {
            parts = try ServerParts(
                configuration: configuration,
                store: store,
                clock: clock,
                log: log
            )
        } catch {
            store.stop()
            throw error
        }
        var httpConfiguration = HTTPServerConfiguration(listen: configuration.listen)
        httpConfiguration.connectionsMax = configuration.connectionsMax
        httpConfiguration.connectionsPerAddressMax = configuration.connectionsPerAddressMax
        do throws(ServerError) {
            if !configuration.tlsCertificate.isEmpty || !configuration.tlsKey.isEmpty {
                httpConfiguration.tlsCertificate = try Self.readPEM(configuration.tlsCertificate)
                httpConfiguration.tlsKey = try Self.readPEM(configuration.tlsKey)
            }
            do throws(HTTPServerError) {
                http = try HTTPServer(httpConfiguration, handler: RequestHandler(parts))
            } catch {
                throw ServerError.listen(reason: "\(error)")
            }
            do throws(ServerError) {
                syslog = try Self.listenForSyslog(parts)
            } catch {
                http.stop(drainSeconds: 0)
                throw error
            }
            do throws(SocketError) {
                push = try PushListeners(
                    configuration,
                    intake: parts.metricIntake,
                    clock: clock
                )
            } catch {
                http.stop(drainSeconds: 0)
                syslog?.stop()
                throw ServerError.listen(reason: error.description)
            }
        } catch {
            store.stop()
            throw error
        }
        parts.httpServer.withLock { $0 = http }
        parts.scraper?.start()
        parts.ruleLoop.start()
        for problem in parts.ruleLoop.load.problems { log("rules: \(problem)") }
        if configuration.selfInterval > 0 {
            selfThread.withLock { $0 = Thread(name: "weir-self") { self.storeSelfMetrics() } }
        }
    }

    private static func listenForSyslog(
        _ parts: ServerParts
    ) throws(ServerError) -> SyslogListener? {
        let configuration = parts.configuration
        guard !configuration.syslogUDP.isEmpty || !configuration.syslogTCP.isEmpty else {
            return nil
        }
        do throws(SocketError) {
            return try SyslogListener(
                udp: configuration.syslogUDP,
                tcp: configuration.syslogTCP,
                intake: parts.logIntake,
                telemetry: parts.telemetry,
                clock: parts.clock,
                limits: configuration.logLimits
            )
        } catch {
            throw .listen(reason: "syslog: \(error)")
        }
    }

    private static func readPEM(_ path: String) throws(ServerError) -> String {
        do throws(FileError) {
            return String(
                decoding: try HostFileSystem().readFile(path, bytesMax: 1 << 20),
                as: UTF8.self
            )
        } catch {
            throw .listen(reason: error.description)
        }
    }

    private func storeSelfMetrics() {
        let interval = parts.configuration.selfInterval
        while true {
            // At whole multiples of the interval, so that points line up.
            let now = parts.clock.nowNanoseconds()
            let wait = interval - now % interval
            if isStopping.wait(timeoutNanoseconds: wait, until: { $0 ? true : nil }) ?? false {
                return
            }
            let at = now + wait
            parts.store.append(parts.selfMetrics().batch(at: at, instance: address)) { _ in }
        }
    }

    /// Reads the rule files and the scrape configuration again, and opens the query log again.
    package func reload() {
        parts.queryLog?.reopen()
        if let problem = parts.reloadScraping() { log("scraping: \(problem); all stays as it was") }
        for problem in parts.ruleLoop.reload().problems { log("rules: \(problem)") }
    }

    /// Stops accepting, finishes what is in hand, flushes, closes.
    ///
    /// Bounded: little more than `drainSeconds` and one flush.
    package func stop(drainSeconds: Double = 5) {
        isStopping.update { $0 = true }
        parts.scraper?.stop()
        // They would go on for ever.
        parts.tailHub.stop()
        http.stop(drainSeconds: drainSeconds)
        syslog?.stop()
        push.stop()
        selfThread.withLock { thread in
            thread?.join()
            thread = nil
        }
        parts.ruleLoop.stop()
        parts.parsePool.stop()
        parts.queryPool.stop()
        parts.adminPool.stop()
        parts.spanMetrics?.stop()
        parts.store.stop()
    }
}
