import Glibc
import WeirDemo
import WeirSystem

/// `weir demo`.
enum DemoCommand {
    static let usage = """
        weir demo [--keep] [--listen HOST:PORT] [--data DIR] [--history 6h]
                  [--dashboards DIR] [--rules DIR]

        Starts a server in a temporary folder and a simulated shop that pushes to it: the last
        hours at once, then live. Opens the shop's dashboards. Without a terminal it prints them
        with the firing alerts and a summary, and ends.

          --keep         no dashboards: stays up until ctrl-C, for curl
          --listen       where the server listens (a free port of 127.0.0.1)
          --data         keeps the data in this folder (a temporary one, removed afterwards)
          --history      how much of the past is filled in (6h)
          --dashboards, --rules
                         folders (here, else those of the package the program was built in)
        """

    private static let firingSecondsMax = 45
    /// How old the server is before its own dashboard is drawn, in nanoseconds.
    private static let ownPast: Int64 = 20_000_000_000

    static func run(_ arguments: [String]) -> Int32 {
        let options: DemoOptions
        do throws(DemoOptions.Failure) {
            options = try DemoOptions(arguments)
        } catch {
            if error.isMisuse { return CommandTable.misuse(error.text, usage) }
            Console.note("weir: \(error.text)")
            return ExitCode.failed
        }
        // Asked for between the steps; every way out below stops the server.
        Signals.prepare()
        do throws(DemoError) {
            return try run(options)
        } catch {
            Console.note("weir: \(error)")
            return ExitCode.failed
        }
    }

    private static func run(_ options: DemoOptions) throws(DemoError) -> Int32 {
        var serverOptions = DemoServer.Options(program: options.program, rules: options.rules)
        serverOptions.listen = options.listen
        serverOptions.dataFolder = options.dataFolder
        let server = try DemoServer(serverOptions)
        defer { server.stop() }
        Console.note("weir serve is up at \(server.base)")
        let now = HostClock().nowNanoseconds() / 1_000_000_000
        let pusher = ShopPusher(
            base: server.base,
            nowSeconds: now,
            pastSeconds: options.pastSeconds,
            pushesLogs: true,
            pushesSpans: true
        )
        defer { pusher.stop() }
        let backfill: ShopPusher.Backfill
        let logs: ShopPusher.Backfill
        let spans: ShopPusher.Backfill
        do throws(DemoError) {
            backfill = try pusher.backfill(untilSeconds: now)
            logs = try pusher.backfillLogs(untilSeconds: now)
            spans = try pusher.backfillSpans(untilSeconds: now)
        } catch {
            guard server.isRunning else {
                throw .server(reason: "ended by itself", log: server.log)
            }
            throw error
        }
        Console.note(
            "back-filled \(DemoReport.duration(seconds: options.pastSeconds)) of a shop with"
                + " \(pusher.seriesCount) series: \(DemoReport.grouped(backfill.samples)) samples"
                + " in \(DemoReport.decimal(backfill.seconds, 1)) s,"
                + " \(DemoReport.grouped(logs.samples)) log lines"
                + " in \(DemoReport.decimal(logs.seconds, 1)) s, and"
                + " \(DemoReport.grouped(spans.samples)) spans"
                + " in \(DemoReport.decimal(spans.seconds, 1)) s"
        )
        pusher.startLive()
        if Signals.waitForAny(timeoutNanoseconds: 0) { return ExitCode.failed }
        if options.isKept { return keep(server, pusher) }
        if isatty(STDIN_FILENO) == 1, Console.isTerminal { return show(options, server) }
        return try report(options, server, pusher, backfill, logs, spans)
    }

    /// The dashboards in the terminal: `weir tui` as a process of its own, so that the server is
    /// stopped and its folder removed however that one ends.
    private static func show(_ options: DemoOptions, _ server: DemoServer) -> Int32 {
        let arguments = [
            "tui", "--base", server.base, "--dashboards", options.dashboards, "shop",
        ]
        guard let screen = SpawnedProcess(options.program, arguments, .inherited) else {
            Console.note("weir: cannot start \(options.program) tui")
            return ExitCode.failed
        }
        while true {
            switch screen.state {
            case .running: break
            case .suspended: SpawnedProcess.suspendSelf()
            case .ended: return screen.outcome == 0 ? ExitCode.ok : ExitCode.failed
            }
            if Signals.waitForAny(timeoutNanoseconds: 50_000_000) {
                screen.stop(timeoutSeconds: 3)
                return ExitCode.ok
            }
        }
    }

    /// Up until a signal comes.
    private static func keep(_ server: DemoServer, _ pusher: ShopPusher) -> Int32 {
        Console.print(DemoReport.keptText(base: server.base, dataFolder: server.dataFolder))
        var told: String?
        while server.isRunning {
            if Signals.waitForAny(timeoutNanoseconds: 500_000_000) {
                Console.note("stopping")
                return ExitCode.ok
            }
            if let failure = pusher.failure, failure != told {
                Console.note("weir: pushing failed: \(failure)")
            }
            told = pusher.failure
        }
        Console.note("weir: the server ended; it said:\n\(server.log)")
        return ExitCode.failed
    }

    /// All of it as text.
    private static func report(
        _ options: DemoOptions,
        _ server: DemoServer,
        _ pusher: ShopPusher,
        _ backfill: ShopPusher.Backfill,
        _ logs: ShopPusher.Backfill,
        _ spans: ShopPusher.Backfill
    ) throws(DemoError) -> Int32 {
        var report = DemoReport(base: server.base, dashboardsFolder: options.dashboards)
        Console.note("waiting for an alert to fire")
        for _ in 0..<(firingSecondsMax * 4) {
            if try report.isAnyFiring() { break }
            guard server.isRunning else {
                throw .server(reason: "ended by itself", log: server.log)
            }
            if Signals.waitForAny(timeoutNanoseconds: 250_000_000) { return ExitCode.failed }
        }
        report.printDashboards { $0 != DemoReport.ownDashboard }
        _ = try server.request("POST", "/api/v1/admin/flush")
        _ = try server.request("POST", "/api/v1/admin/merge")
        // So that the server has had a past to tell about, and these queries and this merge in it.
        let rest = max(3 * 1_000_000_000, ownPast - server.ageNanoseconds)
        if Signals.waitForAny(timeoutNanoseconds: rest) { return ExitCode.failed }
        report.ownRange = server.ageNanoseconds / 1_000_000
        report.printDashboards { $0 == DemoReport.ownDashboard }
        try report.printAlerts()
        try report.printLogs(logs)
        try report.printTraces(spans)
        try report.printSummary(backfill)
        if let failure = pusher.failure { report.missing.append("live pushing failed: \(failure)") }
        pusher.stop()
        server.stop()
        for reason in report.missing { Console.note("weir: \(reason)") }
        return report.missing.isEmpty ? ExitCode.ok : ExitCode.failed
    }
}
