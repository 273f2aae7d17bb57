import Glibc
import WeirCore
import WeirHTTP
import WeirSystem
import WeirTUI

/// `weir logs`.
enum LogsCommand {
    static let usage = """
        weir logs ['LOGQL'] [-f] [--since 1h] [--until T] [-n N] [--fields a,b]
                  [--json|--raw|--csv] [--base URL]

        The newest lines that match, the newest last. The query is LogQL such as
        '{service="checkout"} |= "timeout" | level="error"', a bare pipeline such as
        '| status >= 500', a trace id, or words that the line contains as they stand.

          -f, --follow   stays, and prints what arrives; says what had to be left out
          --since        how far back, or a time (1h)
          --until        up to this time: a duration back, RFC 3339, or seconds (now)
          -n, --limit    at most so many lines; 0 for all
                         (100 on a terminal, else all; with -f 20)
          --fields       only the time and these; _msg is the line
          --json         rows as they are sent: a JSON object a line
          --raw          the lines alone
          --csv          comma-separated values
        """

    private static let followSeconds = 1e9
    private static let short = ["-f": "--follow", "-n": "--limit"]

    static func run(_ arguments: [String]) -> Int32 {
        let parsed: CommandArguments
        do throws(CommandArguments.Failure) {
            parsed = try CommandArguments(
                arguments.map { Self.short[$0] ?? $0 },
                flags: ["--since", "--until", "--limit", "--fields", "--base", "--addr"],
                switches: ["--follow", "--json", "--raw", "--csv"]
            )
        } catch {
            return CommandTable.misuse(error.text, usage)
        }
        // A query may begin with a dash only in LogQL's own marks, where it never does.
        if let unknown = parsed.positional.first(where: { $0.hasPrefix("-") }) {
            return CommandTable.misuse("unknown flag \(unknown)", usage)
        }
        let forms: [LogsPrinter.Form] = [
            parsed.has("--json") ? .json : nil, parsed.has("--raw") ? .raw : nil,
            parsed.has("--csv") ? .csv : nil,
        ].compactMap { $0 }
        guard forms.count <= 1 else {
            return CommandTable.misuse("--json, --raw and --csv exclude each other", usage)
        }
        var limit: Int?
        if let text = parsed["--limit"] {
            guard let count = Int(text), count >= 0 else {
                return CommandTable.misuse("--limit: \"\(text)\" is no number of lines", usage)
            }
            limit = count
        }
        let since = parsed["--since"] ?? "1h"
        guard let start = moment(since) else {
            return CommandTable.misuse("--since: \"\(since)\" is no duration and no time", usage)
        }
        var end: String?
        if let until = parsed["--until"] {
            guard !parsed.has("--follow") else {
                return CommandTable.misuse("-f has no --until", usage)
            }
            guard let moment = moment(until) else {
                return CommandTable.misuse("--until: \"\(until)\" is no time", usage)
            }
            end = moment
        }
        let printer = LogsPrinter(
            form: forms.first ?? .text,
            fields: parsed["--fields"].map { $0.split(separator: ",").map(String.init) },
            usesColor: Console.usesColor && forms.isEmpty
        )
        let base = Console.base(parsed["--addr"] ?? parsed["--base"])
        let query = parsed.positional.joined(separator: " ")
        guard Console.write(Array(printer.head.utf8)) else { return ExitCode.ok }
        if parsed.has("--follow") {
            // Ctrl-C is how a tail ends: quietly, and well.
            signal(SIGINT) { _ in _exit(0) }
            // Whoever started this may have had it blocked.
            var interrupt = sigset_t()
            unsafe sigemptyset(&interrupt)
            unsafe sigaddset(&interrupt, SIGINT)
            unsafe pthread_sigmask(SIG_UNBLOCK, &interrupt, nil)
            return stream(
                base + "/api/v1/logs/tail",
                [("query", query), ("since", start), ("limit", String(limit ?? 20))],
                printer,
                timeoutSeconds: followSeconds
            )
        }
        var parameters = [("query", query), ("start", start)]
        if let end { parameters.append(("end", end)) }
        // With a limit the newest are wanted, and the newest come first: held back and turned
        // over. Without one they come in their order, however many they are.
        let wanted = limit ?? (Console.isTerminal ? 100 : 0)
        parameters.append(("direction", wanted > 0 ? "backward" : "forward"))
        if wanted > 0 { parameters.append(("limit", String(wanted))) }
        return stream(
            base + "/api/v1/logs/query",
            parameters,
            printer,
            timeoutSeconds: 3600,
            isReversed: wanted > 0
        )
    }

    /// A moment as the API takes it: nanoseconds since 1970; durations look back from now.
    private static func moment(_ text: String) -> String? {
        if let past = Units.nanoseconds(text), text != "0" {
            return String(max(0, HostClock().nowNanoseconds() - past))
        }
        return MomentText.milliseconds(text) == nil ? nil : text
    }

    /// Prints an answer as it comes.
    private static func stream(
        _ url: String,
        _ parameters: [(String, String)],
        _ printer: LogsPrinter,
        timeoutSeconds: Double,
        isReversed: Bool = false
    ) -> Int32 {
        let form = parameters.map { name, value in
            "\(name)=\(PercentEncoding.encode(value))"
        }.joined(separator: "&")
        var splitter = LineSplitter()
        var held: [[UInt8]] = []
        var refusal: [UInt8] = []
        var failure: String?
        var isReaderGone = false
        let response: HTTPClientResponse
        do throws(HTTPClientError) {
            response = try HTTPClient().sendStreaming(
                HTTPClientRequest(url: "\(url)?\(form)", timeoutSeconds: timeoutSeconds)
            ) { status, bytes in
                guard status == 200 else {
                    refusal += bytes.prefix(1 << 16)
                    return true
                }
                var output: [UInt8] = []
                for line in splitter.take(bytes) {
                    switch TailNote(json: line) {
                    case nil:
                        if isReversed {
                            held.append(line)
                        } else {
                            printer.append(line, to: &output)
                        }
                    case .dropped(0): break
                    case .dropped(let count): Console.note("weir: \(count) lines left out")
                    case .failed(let reason): failure = reason
                    }
                }
                if output.isEmpty || Console.write(output) { return true }
                isReaderGone = true
                return false
            }
        } catch {
            if isReaderGone { return ExitCode.ok }
            Console.note("weir: \(reason(error))")
            return ExitCode.failed
        }
        guard response.status == 200 else {
            let parsed = (try? JSONParser.parse(refusal)) ?? .null
            let reason = parsed["reason"]?.string ?? "status \(response.status)"
            if let marked = QueryMark(query: parameters[0].1, reason: reason) {
                Console.note("weir: \(reason)\n\(marked.text)")
            } else {
                Console.note("weir: \(reason)" + (parsed["hint"]?.string.map { "; \($0)" } ?? ""))
            }
            return response.status == 400 ? ExitCode.usage : ExitCode.failed
        }
        var output: [UInt8] = []
        for line in held.reversed() { printer.append(line, to: &output) }
        _ = Console.write(output)
        guard let failure else { return ExitCode.ok }
        Console.note("weir: \(failure)")
        return ExitCode.failed
    }

    private static func reason(_ error: HTTPClientError) -> String {
        switch error {
        case .unreachable(let url, let reason):
            "cannot reach \(url.prefix { $0 != "?" }): \(reason)"
        case .badURL(let url): "\(url) is no URL"
        default: "\(error)"
        }
    }
}
