import WeirCore
import WeirServer
import WeirStore
import WeirSystem

/// `weir serve`.
enum ServeCommand {
    static var usage: String {
        """
        weir serve [--config FILE] [--print-config] [--SETTING VALUE]...

        Settings come from flags, over WEIR_… variables, over weir.yaml, over these defaults:
        \(ConfigurationReader.help)

        TERM and INT stop it in order; HUP reads the rule files and
        the scrape configuration again, and opens the query log again.
        """
    }

    static func run(_ arguments: [String]) -> Int32 {
        let configuration: ServerConfiguration
        do throws(ConfigurationError) {
            configuration = try ConfigurationReader.read(
                arguments: arguments.filter { $0 != "--print-config" },
                environment: Console.environment
            )
        } catch {
            Console.note("weir: \(error)")
            return ExitCode.usage
        }
        if arguments.contains("--print-config") {
            Console.print(ConfigurationReader.print(configuration), terminator: "")
            return ExitCode.ok
        }
        Allocator.tune()
        Signals.prepare()
        let log: @Sendable (String) -> Void = { message in
            let now = TimeText.rfc3339(nanoseconds: HostClock().nowNanoseconds())
            Console.note("\(now) \(message)")
        }
        let server: WeirServer
        do throws(ServerError) {
            server = try WeirServer(configuration, log: log)
        } catch {
            Console.note("weir: cannot serve: \(explain(error))")
            return ExitCode.failed
        }
        let replay = server.replayReport
        let replayed = replay.batches > 0 ? ", \(replay.rows) rows replayed from the journal" : ""
        let ports = server.syslogPorts
        if let port = ports.udp { log("syslog: UDP port \(port)") }
        if let port = ports.tcp { log("syslog: TCP port \(port)") }
        if let port = server.graphitePorts.udp { log("graphite: UDP port \(port)") }
        if let port = server.graphitePorts.tcp { log("graphite: TCP port \(port)") }
        if let port = server.statsdPort { log("statsd: UDP port \(port)") }
        log("weir \(WeirVersion.text) serves \(configuration.data) at \(server.address)\(replayed)")
        while Signals.wait() == .reload {
            log("reading the rule files and the scrape configuration again")
            server.reload()
        }
        log("stopping")
        server.stop()
        log("stopped")
        return ExitCode.ok
    }

    private static func explain(_ error: ServerError) -> String {
        switch error {
        case .store(StoreError.locked(let path)): "another process has \(path) open"
        case .store(StoreError.file(let error)): error.description
        case .store(let error): "\(error)"
        case .rules(let reason): "rule state: \(reason)"
        case .scraping(let reason): "scraping: \(reason)"
        case .listen(let reason): reason
        }
    }
}
