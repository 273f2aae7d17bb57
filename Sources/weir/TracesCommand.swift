import WeirCore
import WeirSystem
import WeirTUI

/// `weir traces`.
enum TracesCommand {
    static let usage = """
        weir traces ['TRACEQL'] [--since 1h] [--until T] [--limit 20] [--sort recent|duration]
                    [--json] [--base URL]

        The traces that have spans of the kind asked for, such as
        '{resource.service.name="checkout" && duration>500ms}' or '{status=error} >> {kind=client}';
        without a query, all. `weir trace ID` shows one.

          --since        how far back, or a time (1h)
          --until        up to this time: a duration back, RFC 3339, or seconds (now)
          --limit        at most so many (20)
          --sort         recent, the newest first, or duration, the longest first (recent)
          --json         what the server says, as it is
        """

    static func run(_ arguments: [String]) -> Int32 {
        let parsed: CommandArguments
        do throws(CommandArguments.Failure) {
            parsed = try CommandArguments(
                arguments.map { $0 == "-n" ? "--limit" : $0 },
                flags: ["--since", "--until", "--limit", "--sort", "--base", "--addr"],
                switches: ["--json"]
            )
        } catch {
            return CommandTable.misuse(error.text, usage)
        }
        guard parsed.positional.count <= 1 else {
            return CommandTable.misuse("one query is wanted; put it in quotes", usage)
        }
        let limit = parsed["--limit"] ?? "20"
        guard let count = Int(limit), (1...10_000).contains(count) else {
            return CommandTable.misuse("--limit: \"\(limit)\" is not within 1 to 10000", usage)
        }
        let sort = parsed["--sort"] ?? "recent"
        guard ["recent", "duration"].contains(sort) else {
            return CommandTable.misuse("--sort: recent or duration is wanted", usage)
        }
        guard let span = CommandTime.span(parsed) else {
            return CommandTable.misuse("--since, --until: no duration and no time", usage)
        }
        let query = parsed.positional.first ?? "{}"
        let api = HTTPQueryAPI(base: Console.base(parsed["--addr"] ?? parsed["--base"]))
        do throws(APIError) {
            let answer = try api.get(
                path: "/api/v1/traces/search",
                parameters: [("q", query)] + span + [("limit", limit), ("sort", sort)]
            )
            if parsed.has("--json") {
                var writer = JSONWriter()
                writer.value(answer)
                Console.print(writer.text)
                return ExitCode.ok
            }
            Console.print(text(try TraceSummary.list(answer)))
            return ExitCode.ok
        } catch {
            return CommandTable.refused(error, query: query)
        }
    }

    /// The table, without a heading where there is nothing.
    static func text(_ traces: [TraceSummary]) -> String {
        guard !traces.isEmpty else { return "no traces in this time" }
        var table = TextTable([
            "trace", "start", "duration", "root", "spans", "errors", "matched", "services",
        ])
        for trace in traces {
            table.append([
                trace.traceID, TraceText.moment(trace.start), TraceText.duration(trace.duration),
                "\(trace.rootService) \(trace.rootName)", String(trace.spanCount),
                trace.errorCount > 0 ? String(trace.errorCount) : "-", String(trace.matched),
                trace.servicesText,
            ])
        }
        return table.text
    }
}

/// Times of commands that look back.
enum CommandTime {
    /// `--since` and `--until` as the API takes them; nil when one of them is no time.
    static func span(_ parsed: CommandArguments) -> [(String, String)]? {
        guard let start = moment(parsed["--since"] ?? "1h") else { return nil }
        let end: String
        if let until = parsed["--until"] {
            guard let moment = moment(until) else { return nil }
            end = moment
        } else {
            end = String(HostClock().nowNanoseconds())
        }
        return [("start", start), ("end", end)]
    }

    /// Nanoseconds since 1970; durations look back from now.
    static func moment(_ text: String) -> String? {
        if let past = Units.nanoseconds(text), text != "0" {
            return String(max(0, HostClock().nowNanoseconds() - past))
        }
        return MomentText.milliseconds(text).map { "\($0)000000" }
    }
}

extension CommandTable {
    /// Says why the server did not answer, with a mark below the mistake in a query.
    static func refused(_ error: APIError, query: String) -> Int32 {
        if let marked = QueryMark(query: query, reason: error.text) {
            Console.note("weir: \(error.text)\n\(marked.text)")
        } else {
            Console.note("weir: \(error.text)")
        }
        if case .refused(400, _, _) = error { return ExitCode.usage }
        return ExitCode.failed
    }
}
