import WeirCore
import WeirSystem
import WeirTUI

/// `weir trace`.
enum TraceCommand {
    static let usage = """
        weir trace ID [--span ID] [--logs] [--metrics] [--all] [--json] [--width N] [--base URL]

        One trace as a waterfall: its spans as a tree, how long each took, how much of that was its
        own, and when. Full bars decided how long the trace took; `!` marks errors, `?` a span that
        never came. Four and more siblings of one name are one line with their number.

          --span         only this span and those below it, with its attributes and events
          --logs         the log lines of the trace, or of that span
          --metrics      rate, errors and p99 of the service of that span (the first one) around it
          --all          repeats one by one
          --json         what the server says, as it is; with --logs or --metrics their answers
          --width        columns (the terminal's, else 120)
        """

    static func run(_ arguments: [String]) -> Int32 {
        let parsed: CommandArguments
        do throws(CommandArguments.Failure) {
            parsed = try CommandArguments(
                arguments,
                flags: ["--span", "--width", "--base", "--addr"],
                switches: ["--json", "--logs", "--metrics", "--all"]
            )
        } catch {
            return CommandTable.misuse(error.text, usage)
        }
        guard parsed.positional.count == 1 else {
            return CommandTable.misuse("one trace id is wanted", usage)
        }
        guard let id = TraceText.traceID(parsed.positional[0]) else {
            return CommandTable.misuse(
                "\"\(parsed.positional[0])\" is no trace id: up to 32 hexadecimal digits",
                usage
            )
        }
        var width = Console.width
        if let text = parsed["--width"] {
            guard let columns = Int(text), (40...1000).contains(columns) else {
                return CommandTable.misuse("--width: \"\(text)\" is not within 40 to 1000", usage)
            }
            width = columns
        }
        let api = HTTPQueryAPI(base: Console.base(parsed["--addr"] ?? parsed["--base"]))
        let request = Request(id: id, span: parsed["--span"], width: width)
        do throws(APIError) {
            if parsed.has("--json") { return try printJSON(request, parsed, api) }
            return try print(request, parsed, api)
        } catch {
            Console.note("weir: \(error.text)")
            return ExitCode.failed
        }
    }

    private struct Request {
        let id: String
        /// As it was given: a beginning is enough.
        let span: String?
        let width: Int

        var path: String { "/api/v1/traces/\(id)" }
        var parameters: [(String, String)] { span.map { [("span", $0)] } ?? [] }
    }

    private static func printJSON(
        _ request: Request,
        _ parsed: CommandArguments,
        _ api: HTTPQueryAPI
    ) throws(APIError) -> Int32 {
        var paths: [String] = []
        if parsed.has("--logs") { paths.append("/logs") }
        if parsed.has("--metrics") { paths.append("/metrics") }
        for path in paths.isEmpty ? [""] : paths {
            let answer = try api.get(
                path: request.path + path,
                parameters: path.isEmpty ? [] : request.parameters
            )
            var writer = JSONWriter()
            writer.value(answer)
            Console.print(writer.text)
        }
        return ExitCode.ok
    }

    private static func print(
        _ request: Request,
        _ parsed: CommandArguments,
        _ api: HTTPQueryAPI
    ) throws(APIError) -> Int32 {
        let tree = TraceTree(try TraceModel(try api.get(path: request.path, parameters: [])))
        var span: Int?
        if let wanted = request.span {
            guard let place = tree.place(of: wanted.lowercased()) else {
                Console.note("weir: trace \(request.id) has no span \(wanted)")
                return ExitCode.failed
            }
            span = place
        }
        TracePrinter.print(
            tree,
            span: span,
            width: request.width,
            style: Console.usesColor ? .ansi : .plain,
            isWhole: parsed.has("--all")
        ) { text in Console.write(Array(text.utf8)) }
        if let span { printDetails(tree.trace.spans[span], tree.trace) }
        // From here on a span is named in full.
        let parameters = span.map { [("span", tree.trace.spans[$0].id)] } ?? []
        if parsed.has("--logs") {
            let lines = try TraceLogLine.list(
                try api.get(path: request.path + "/logs", parameters: parameters)
            )
            Console.print("\nlog lines: \(lines.count)")
            for line in lines { Console.print("  \(line.text)") }
        }
        if parsed.has("--metrics") {
            let metrics = try SpanMetrics(
                try api.get(path: request.path + "/metrics", parameters: parameters)
            )
            Console.print("\nmetrics of \(metrics.service) around it:")
            for line in metrics.lines { Console.print("  \(line)") }
        }
        return ExitCode.ok
    }

    private static func printDetails(_ span: TraceSpan, _ trace: TraceModel) {
        Console.print(
            "\nspan \(span.id)  \(span.service) \(span.name)"
                + (span.kind.isEmpty ? "" : "  \(span.kind)")
        )
        for (name, value) in TraceText.details(span, of: trace) {
            let lines = value.split(separator: "\n", omittingEmptySubsequences: false)
            Console.print("  \(name)  \(lines.first ?? "")")
            for line in lines.dropFirst() { Console.print("      \(line)") }
        }
    }
}
