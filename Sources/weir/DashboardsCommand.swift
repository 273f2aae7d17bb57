import WeirCore
import WeirQuery
import WeirSystem
import WeirTUI
import WeirTerminal

/// `weir dashboards`.
enum DashboardsCommand {
    static let usage = """
        weir dashboards lint FILE...
        weir dashboards render NAME [--size 120x40] [--at T] [--range 1h] [--var NAME=VALUE]
                               [--whole] [--color] [--dashboards DIR] [--base URL]

        `render` prints the frame a person would see; NAME may be a file. --whole prints all rows
        of a long dashboard, whatever the height.
        """

    static func run(_ arguments: [String]) -> Int32 {
        switch arguments.first {
        case "lint": return lint(Array(arguments.dropFirst()))
        case "render":
            do throws(CommandArguments.Failure) {
                return render(
                    try CommandArguments(
                        Array(arguments.dropFirst()),
                        flags: ["--size", "--at", "--range", "--var", "--dashboards", "--base"],
                        switches: ["--whole", "--color"]
                    )
                )
            } catch {
                return CommandTable.misuse(error.text, usage)
            }
        default: return CommandTable.misuse("lint or render is wanted", usage)
        }
    }

    private static func lint(_ paths: [String]) -> Int32 {
        guard !paths.isEmpty else { return CommandTable.misuse("files are wanted", usage) }
        var isSound = true
        for path in paths {
            let findings = DashboardLinter.lint(path: path)
            for finding in findings {
                Console.print(finding.description)
                if finding.severity == .error { isSound = false }
            }
            if findings.isEmpty { Console.print("\(path): ok") }
        }
        return isSound ? ExitCode.ok : ExitCode.failed
    }

    private static func render(_ parsed: CommandArguments) -> Int32 {
        guard parsed.positional.count == 1 else {
            return CommandTable.misuse("one dashboard is wanted", usage)
        }
        let now = HostClock().nowMilliseconds()
        guard let at = parsed["--at"].map({ PrometheusTime.milliseconds($0) }) ?? now,
            let size = ScreenSize(parsed["--size"] ?? "120x40")
        else { return CommandTable.misuse("--at or --size cannot be read", usage) }
        let range = parsed["--range"].flatMap { Units.nanoseconds($0) }.map { $0 / 1_000_000 }
        var variables: [String: String] = [:]
        if let pair = parsed["--var"]?.split(separator: "=", maxSplits: 1), pair.count == 2 {
            variables[String(pair[0])] = String(pair[1])
        }
        let name = parsed.positional[0]
        let dashboard: Dashboard
        do throws(DashboardError) {
            dashboard =
                name.hasSuffix(".yaml")
                ? try DashboardLibrary.load(path: name)
                : try DashboardLibrary(folder: parsed["--dashboards"] ?? "dashboards")
                    .dashboard(name)
        } catch {
            Console.note("weir: \(error.line.map { "line \($0): " } ?? "")\(error.text)")
            return ExitCode.failed
        }
        Console.print(
            DashboardRenderer.render(
                dashboard,
                api: HTTPQueryAPI(base: Console.base(parsed["--base"])),
                size: size,
                at: at,
                range: range,
                style: parsed.has("--color") ? .ansi : .plain,
                variables: variables,
                isWhole: parsed.has("--whole")
            )
        )
        return ExitCode.ok
    }
}
