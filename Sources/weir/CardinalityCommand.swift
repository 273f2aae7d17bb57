import WeirCore
import WeirTUI

/// `weir cardinality`.
enum CardinalityCommand {
    static let usage = """
        weir cardinality [--limit 10] [--unread-days 30] [--json] [--base URL]

        What costs among the active series: metrics, labels and pairs by series and by bytes, the
        series that began and ended, and the metrics that no query has read for so many days.
        """

    /// The lists of the answer, and what stands above them.
    private static let lists = [
        ("metricsBySeries", "metric", "series"), ("metricsByBytes", "metric", "label bytes"),
        ("labelsByValues", "label", "values"), ("labelsByBytes", "label", "value bytes"),
        ("pairsBySeries", "pair", "series"), ("metricsByBegun", "metric", "begun in an hour"),
        ("metricsByEnded", "metric", "ended in an hour"),
    ]

    static func run(_ arguments: [String]) -> Int32 {
        do throws(CommandArguments.Failure) {
            let parsed = try CommandArguments(
                arguments,
                flags: ["--base", "--limit", "--unread-days"],
                switches: ["--json"]
            )
            do throws(APIError) {
                let answer = try HTTPQueryAPI(base: Console.base(parsed["--base"])).get(
                    path: "/api/v1/status/cardinality",
                    parameters: [
                        ("limit", parsed["--limit"] ?? "10"),
                        ("unread_days", parsed["--unread-days"] ?? "30"),
                    ]
                )
                if parsed.has("--json") {
                    var writer = JSONWriter()
                    writer.value(answer)
                    Console.print(writer.text)
                } else {
                    show(answer["data"] ?? .null)
                }
                return ExitCode.ok
            } catch {
                Console.note("weir: \(error.text)")
                return ExitCode.failed
            }
        } catch {
            return CommandTable.misuse(error.text, usage)
        }
    }

    private static func show(_ data: JSONValue) {
        func number(_ name: String, of value: JSONValue?) -> Int { value?[name]?.int ?? 0 }
        let churn = data["churn"]
        Console.print(
            "\(number("series", of: data)) active series of \(number("metrics", of: data)) metrics, "
                + "\(number("labelPairs", of: data)) pairs of label and value\n"
                + "begun in the last hour \(number("begunInHour", of: churn)), in the last day "
                + "\(number("begunInDay", of: churn)); ended in the last hour "
                + "\(number("endedInHour", of: churn))"
        )
        for (name, what, count) in lists { show(data[name], what, count) }
        let unread = data["unread"]
        Console.print(
            "\nnot read by any query for \(number("days", of: unread)) days: "
                + "\(number("metrics", of: unread)) metrics with \(number("series", of: unread)) series"
        )
        show(unread?["top"], "metric", "series")
    }

    private static func show(_ list: JSONValue?, _ what: String, _ count: String) {
        guard let entries = list?.array, !entries.isEmpty else { return }
        var table = TextTable([what, count])
        for entry in entries {
            table.append([entry["name"]?.string ?? "", String(entry["value"]?.int ?? 0)])
        }
        Console.print("\n\(table.text)")
    }
}
