import WeirCore
import WeirHTTP
import WeirQuery
import WeirSystem

/// `weir export`.
enum ExportCommand {
    static let usage = """
        weir export ['SELECTOR' …] [--start T] [--end T] [--format json|openmetrics|prometheus|line]
                    [--base URL]

        Prints samples as they are kept, of all series or of those that a selector finds, such as
        '{job="node"}'. json has a line a series, as VictoriaMetrics exports it; openmetrics is
        what `promtool tsdb create-blocks-from openmetrics` reads; line protocol cuts a metric's
        name at its first underscore. T is seconds since 1970 or RFC 3339.
        """

    static func run(_ arguments: [String]) -> Int32 {
        let parsed: CommandArguments
        do throws(CommandArguments.Failure) {
            parsed = try CommandArguments(
                arguments,
                flags: ["--start", "--end", "--format", "--base"]
            )
        } catch {
            return CommandTable.misuse(error.text, usage)
        }
        var parameters = [("format", parsed["--format"] ?? "json")]
        for name in ["start", "end"] {
            guard let text = parsed["--" + name] else { continue }
            guard PrometheusTime.milliseconds(text) != nil else {
                return CommandTable.misuse("--\(name): \"\(text)\" is no time", usage)
            }
            parameters.append((name, text))
        }
        let selectors = parsed.positional.isEmpty ? ["{__name__!=\"\"}"] : parsed.positional
        parameters += selectors.map { ("match[]", $0) }
        let query = parameters.map {
            "\(PercentEncoding.encode($0.0))=\(PercentEncoding.encode($0.1))"
        }.joined(separator: "&")
        var refusal: [UInt8] = []
        do throws(HTTPClientError) {
            let response = try HTTPClient().sendStreaming(
                HTTPClientRequest(
                    method: "GET",
                    url: "\(Console.base(parsed["--base"]))/api/v1/export?\(query)",
                    timeoutSeconds: 86_400
                )
            ) { status, bytes in
                guard status == 200 else {
                    refusal += bytes.prefix(4096)
                    return true
                }
                return Console.write(bytes)
            }
            guard response.status == 200 else {
                let reason = try? JSONParser.parse(refusal)["reason"]?.string
                let text = reason ?? String(decoding: refusal, as: UTF8.self)
                Console.note("weir: \(response.status): \(text)")
                return ExitCode.failed
            }
            return ExitCode.ok
        } catch {
            // A reader that left, such as `head`, wanted no more.
            if case .cancelled = error { return ExitCode.ok }
            Console.note("weir: \(error)")
            return ExitCode.failed
        }
    }
}
