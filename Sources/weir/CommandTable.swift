import WeirCore
import WeirServer

/// Exit codes, as docs/operating.md promises them.
enum ExitCode {
    static let ok: Int32 = 0
    static let failed: Int32 = 1
    static let usage: Int32 = 2
}

/// One subcommand.
struct Command: Sendable {
    let name: String
    let summary: String
    let usage: String
    let run: @Sendable ([String]) -> Int32
}

/// Every subcommand, and the way to it.
enum CommandTable {
    static let all: [Command] = [
        Command(
            name: "serve",
            summary: "run the server",
            usage: ServeCommand.usage,
            run: ServeCommand.run
        ),
        Command(
            name: "demo",
            summary: "run a server with a simulated shop and look at it",
            usage: DemoCommand.usage,
            run: DemoCommand.run
        ),
        Command(
            name: "tui",
            summary: "dashboards, logs, traces and alerts in the terminal",
            usage: TUICommand.usage,
            run: TUICommand.run
        ),
        Command(
            name: "query",
            summary: "ask in PromQL",
            usage: QueryCommand.usage,
            run: QueryCommand.run
        ),
        Command(
            name: "logs",
            summary: "search and follow logs in LogQL",
            usage: LogsCommand.usage,
            run: LogsCommand.run
        ),
        Command(
            name: "traces",
            summary: "search traces in TraceQL",
            usage: TracesCommand.usage,
            run: TracesCommand.run
        ),
        Command(
            name: "trace",
            summary: "show one trace as a waterfall",
            usage: TraceCommand.usage,
            run: TraceCommand.run
        ),
        Command(
            name: "exemplars",
            summary: "list measured values with their traces",
            usage: ExemplarsCommand.usage,
            run: ExemplarsCommand.run
        ),
        Command(
            name: "alerts",
            summary: "list alerts",
            usage: AlertsCommand.usage,
            run: AlertsCommand.run
        ),
        Command(
            name: "rules",
            summary: "check rule files",
            usage: RulesCommand.usage,
            run: RulesCommand.run
        ),
        Command(
            name: "dashboards",
            summary: "check or print dashboards",
            usage: DashboardsCommand.usage,
            run: DashboardsCommand.run
        ),
        Command(
            name: "status",
            summary: "how the server is doing",
            usage: StatusCommand.usage,
            run: StatusCommand.run
        ),
        Command(
            name: "cardinality",
            summary: "what costs among the active series",
            usage: CardinalityCommand.usage,
            run: CardinalityCommand.run
        ),
        Command(
            name: "queries",
            summary: "queries that run, and those that cost most",
            usage: QueriesCommand.usage,
            run: QueriesCommand.run
        ),
        Command(
            name: "import",
            summary: "send a file of samples to a server",
            usage: ImportCommand.usage,
            run: ImportCommand.run
        ),
        Command(
            name: "export",
            summary: "print samples as they are kept",
            usage: ExportCommand.usage,
            run: ExportCommand.run
        ),
        Command(
            name: "targets",
            summary: "what is scraped, and how it goes",
            usage: TargetsCommand.usage,
            run: TargetsCommand.run
        ),
        Command(
            name: "inspect",
            summary: "describe a segment or journal file",
            usage: StorageCommands.inspectUsage,
            run: StorageCommands.inspect
        ),
        Command(
            name: "check",
            summary: "verify every checksum in a data folder",
            usage: StorageCommands.checkUsage,
            run: StorageCommands.check
        ),
        Command(
            name: "snapshot",
            summary: "make a consistent copy of the data",
            usage: StorageCommands.snapshotUsage,
            run: StorageCommands.snapshot
        ),
        Command(
            name: "completion",
            summary: "print shell completions",
            usage: "weir completion bash|zsh|fish",
            run: CompletionCommand.run
        ),
        Command(
            name: "version",
            summary: "print the version",
            usage: "weir version",
            run: { _ in
                Console.print("weir \(WeirVersion.text)")
                return ExitCode.ok
            }
        ),
    ]

    static func run(_ arguments: [String]) -> Int32 {
        guard let name = arguments.first else {
            Console.note(overview)
            return ExitCode.usage
        }
        let rest = Array(arguments.dropFirst())
        if ["help", "--help", "-h"].contains(name) { return help(rest.first) }
        if name == "--version" { return run(["version"]) }
        guard let command = all.first(where: { $0.name == name }) else {
            let nearest = EditDistance.nearest(to: name, among: all.map(\.name))
            Console.note(
                "weir: no command \"\(name)\"" + (nearest.map { "; did you mean \($0)?" } ?? "")
            )
            return ExitCode.usage
        }
        if rest.contains("--help") || rest.contains("-h") { return help(name) }
        return command.run(rest)
    }

    private static var overview: String {
        let lines = all.map { command in
            let padding = String(repeating: " ", count: 12 - command.name.count)
            return "  \(command.name)\(padding)\(command.summary)"
        }
        return
            "weir: metrics, logs and traces in one process\n\nusage: weir COMMAND [arguments]\n\n"
            + lines.joined(separator: "\n") + "\n\n`weir help COMMAND` tells more."
    }

    private static func help(_ name: String?) -> Int32 {
        guard let name else {
            Console.print(overview)
            return ExitCode.ok
        }
        guard let command = all.first(where: { $0.name == name }) else {
            Console.note("weir: no command \"\(name)\"")
            return ExitCode.usage
        }
        Console.print("\(command.name): \(command.summary)\n\n\(command.usage)")
        return ExitCode.ok
    }

    /// Says how a command is used, and fails as misuse.
    static func misuse(_ reason: String, _ usage: String) -> Int32 {
        Console.note("weir: \(reason)\n\n\(usage)")
        return ExitCode.usage
    }
}
