import WeirCore
import WeirTUI

/// `weir targets`.
enum TargetsCommand {
    static let usage = """
        weir targets [--dropped] [--json] [--base URL]

        Lists what the server scrapes, and how the last scrape went. Exits 1 when a target is down.

          --dropped      those that relabelling dropped instead
          --json         what the server says, as it is
        """

    static func run(_ arguments: [String]) -> Int32 {
        do throws(CommandArguments.Failure) {
            let parsed = try CommandArguments(
                arguments,
                flags: ["--base", "--addr"],
                switches: ["--json", "--dropped"]
            )
            return list(parsed)
        } catch {
            return CommandTable.misuse(error.text, usage)
        }
    }

    private static func list(_ parsed: CommandArguments) -> Int32 {
        let isDropped = parsed.has("--dropped")
        do throws(APIError) {
            let answer = try HTTPQueryAPI(base: Console.base(parsed["--addr"] ?? parsed["--base"]))
                .get(
                    path: "/api/v1/targets",
                    parameters: [("state", isDropped ? "dropped" : "active")]
                )
            if parsed.has("--json") {
                var writer = JSONWriter()
                writer.value(answer)
                Console.print(writer.text)
                return ExitCode.ok
            }
            guard !isDropped else {
                var table = TextTable(["job", "address", "labels"])
                for target in answer["data"]?["droppedTargets"]?.array ?? [] {
                    let labels = labels(target["discoveredLabels"])
                    table.append([
                        target["scrapePool"]?.string ?? "", labels["__address__"] ?? "",
                        labels.dropping(["__address__", "job"]).description,
                    ])
                }
                Console.print(table.text)
                return ExitCode.ok
            }
            let targets = answer["data"]?["activeTargets"]?.array ?? []
            Console.print(text(targets))
            let isDown = targets.contains { $0["health"]?.string == "down" }
            return isDown ? ExitCode.failed : ExitCode.ok
        } catch {
            Console.note("weir: \(error.text)")
            return ExitCode.failed
        }
    }

    private static func text(_ targets: [JSONValue]) -> String {
        guard !targets.isEmpty else { return "nothing is scraped" }
        var table = TextTable(["health", "job", "url", "last scrape", "took", "labels", "error"])
        for target in targets {
            let seconds = target["lastScrapeDuration"]?.double ?? 0
            table.append([
                target["health"]?.string ?? "", target["scrapePool"]?.string ?? "",
                target["scrapeUrl"]?.string ?? "", target["lastScrape"]?.string ?? "",
                Units.text(nanoseconds: Int64(seconds * 1000) * 1_000_000),
                labels(target["labels"]).dropping(["job"]).description,
                target["lastError"]?.string ?? "",
            ])
        }
        return table.text
    }

    private static func labels(_ value: JSONValue?) -> Labels {
        Labels((value?.members ?? []).map { ($0.key, $0.value.string ?? "") })
    }
}
