import WeirCore
import WeirSystem
import WeirTUI

/// `weir exemplars`.
enum ExemplarsCommand {
    static let usage = """
        weir exemplars 'PROMQL' [--since 1h] [--until T] [--limit 50] [--json] [--base URL]

        The measured values that name a trace, of the series that an expression asks for, such as
        'traces_spanmetrics_latency_bucket{service="checkout"}'; the greatest first.

          --since        how far back, or a time (1h)
          --until        up to this time: a duration back, RFC 3339, or seconds (now)
          --limit        at most so many (50)
          --json         what the server says, as it is
        """

    static func run(_ arguments: [String]) -> Int32 {
        let parsed: CommandArguments
        do throws(CommandArguments.Failure) {
            parsed = try CommandArguments(
                arguments.map { $0 == "-n" ? "--limit" : $0 },
                flags: ["--since", "--until", "--limit", "--base", "--addr"],
                switches: ["--json"]
            )
        } catch {
            return CommandTable.misuse(error.text, usage)
        }
        guard parsed.positional.count == 1 else {
            return CommandTable.misuse("one expression is wanted; put it in quotes", usage)
        }
        let limit = parsed["--limit"] ?? "50"
        guard let count = Int(limit), count > 0 else {
            return CommandTable.misuse("--limit: \"\(limit)\" is no number", usage)
        }
        guard let span = CommandTime.span(parsed) else {
            return CommandTable.misuse("--since, --until: no duration and no time", usage)
        }
        let query = parsed.positional[0]
        let api = HTTPQueryAPI(base: Console.base(parsed["--addr"] ?? parsed["--base"]))
        do throws(APIError) {
            let answer = try api.get(
                path: "/api/v1/query_exemplars",
                parameters: [("query", query)] + span.map { ($0.0, seconds($0.1)) }
            )
            if parsed.has("--json") {
                var writer = JSONWriter()
                writer.value(answer)
                Console.print(writer.text)
                return ExitCode.ok
            }
            guard let data = answer["data"] else { throw .malformed("no data") }
            Console.print(text(try Exemplar.list(data), count: count))
            return ExitCode.ok
        } catch {
            return CommandTable.refused(error, query: query)
        }
    }

    /// Prometheus's paths take seconds.
    private static func seconds(_ nanoseconds: String) -> String {
        let value = Int64(nanoseconds) ?? 0
        let rest = String(value / 1_000_000 % 1000)
        let padding = String(repeating: "0", count: max(0, 3 - rest.utf8.count))
        return "\(value / 1_000_000_000).\(padding)\(rest)"
    }

    static func text(_ exemplars: [Exemplar], count: Int) -> String {
        guard !exemplars.isEmpty else { return "no exemplars in this time" }
        var table = TextTable(["time", "value", "trace", "span", "series"])
        let hidden = ["__name__", "le"]
        for one in exemplars.sorted(by: { $0.value > $1.value }).prefix(count) {
            let series = one.series.filter { !hidden.contains($0.name) }
                .map { "\($0.name)=\($0.value)" }.joined(separator: " ")
            table.append([
                TraceText.moment(one.time * 1_000_000), one.value.description, one.traceID,
                one.spanID ?? "-", series,
            ])
        }
        return table.text
    }
}
