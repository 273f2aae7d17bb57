import WeirCore
import WeirTUI

/// `weir alerts`.
enum AlertsCommand {
    static let usage = """
        weir alerts [--json] [--base URL]

        Lists alerts that are pending or firing; exits 0 whether there are any or not.
        """

    static func run(_ arguments: [String]) -> Int32 {
        do throws(CommandArguments.Failure) {
            let parsed = try CommandArguments(arguments, flags: ["--base"], switches: ["--json"])
            return list(parsed)
        } catch {
            return CommandTable.misuse(error.text, usage)
        }
    }

    private static func list(_ parsed: CommandArguments) -> Int32 {
        do throws(APIError) {
            let answer = try HTTPQueryAPI(base: Console.base(parsed["--base"]))
                .get(path: "/api/v1/alerts", parameters: [])
            if parsed.has("--json") {
                var writer = JSONWriter()
                writer.value(answer)
                Console.print(writer.text)
                return ExitCode.ok
            }
            var table = TextTable(["state", "alert", "since", "value", "labels", "summary"])
            for alert in answer["data"]?["alerts"]?.array ?? [] {
                let labels = Labels(
                    (alert["labels"]?.members ?? []).map { ($0.key, $0.value.string ?? "") }
                )
                table.append([
                    alert["state"]?.string ?? "", labels["alertname"] ?? "",
                    alert["activeAt"]?.string ?? "", alert["value"]?.string ?? "",
                    labels.dropping(["alertname", "__name__"]).description,
                    alert["annotations"]?["summary"]?.string ?? "",
                ])
            }
            Console.print(table.text)
            return ExitCode.ok
        } catch {
            Console.note("weir: \(error.text)")
            return ExitCode.failed
        }
    }
}
