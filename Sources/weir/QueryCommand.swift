import WeirCore
import WeirQuery
import WeirSystem
import WeirTUI
import WeirTerminal

/// `weir query`.
enum QueryCommand {
    static let usage = """
        weir query 'PROMQL' [--range 1h [--step 15s]] [--at T] [--graph|--csv|--json] [--base URL]

        Without --range the value now (or at T); with it a series of values up to then.
        T is seconds since 1970 or RFC 3339. --graph draws a chart of a range (1h if none is
        given). Otherwise a table; --csv and --json for programs.
        """

    static func run(_ arguments: [String]) -> Int32 {
        let parsed: CommandArguments
        do throws(CommandArguments.Failure) {
            parsed = try CommandArguments(
                arguments,
                flags: ["--range", "--step", "--at", "--base"],
                switches: ["--graph", "--csv", "--json"]
            )
        } catch {
            return CommandTable.misuse(error.text, usage)
        }
        guard parsed.positional.count == 1 else {
            return CommandTable.misuse("one expression is wanted", usage)
        }
        let expression = parsed.positional[0]
        let now = HostClock().nowMilliseconds()
        guard let end = parsed["--at"].map({ PrometheusTime.milliseconds($0) }) ?? now else {
            return CommandTable.misuse("--at: no time", usage)
        }
        let rangeText = parsed["--range"] ?? (parsed.has("--graph") ? "1h" : nil)
        let api = HTTPQueryAPI(base: Console.base(parsed["--base"]))
        do throws(APIError) {
            guard let rangeText else {
                let answer = try api.get(
                    path: "/api/v1/query",
                    parameters: [("query", expression), ("time", seconds(end))]
                )
                return show(answer, parsed)
            }
            guard let range = Units.nanoseconds(rangeText).map({ $0 / 1_000_000 }), range > 0 else {
                return CommandTable.misuse("--range: \"\(rangeText)\" is no duration", usage)
            }
            let step: Int64
            if let text = parsed["--step"] {
                guard let asked = Units.nanoseconds(text).map({ $0 / 1_000_000 }), asked > 0 else {
                    return CommandTable.misuse("--step: \"\(text)\" is no duration", usage)
                }
                step = asked
            } else if parsed.has("--graph") {
                step = DashboardRenderer.graphStep(
                    from: end - range,
                    to: end,
                    width: Console.width
                )
            } else {
                step = max(1000, range / 240 / 1000 * 1000)
            }
            let start = end - range
            let answer = try api.get(
                path: "/api/v1/query_range",
                parameters: [
                    ("query", expression), ("start", seconds(start)), ("end", seconds(end)),
                    ("step", seconds(step)),
                ]
            )
            guard parsed.has("--graph") else { return show(answer, parsed) }
            Console.print(
                try DashboardRenderer.renderGraph(
                    answer,
                    title: expression,
                    from: start,
                    to: end,
                    step: step,
                    now: now,
                    size: ScreenSize(width: Console.width, height: 24),
                    style: Console.usesColor ? .ansi : .plain
                )
            )
            return ExitCode.ok
        } catch {
            Console.note("weir: \(error.text)")
            return ExitCode.failed
        }
    }

    private static func seconds(_ milliseconds: Int64) -> String {
        var bytes: [UInt8] = []
        PrometheusTime.append(milliseconds: milliseconds, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func show(_ answer: JSONValue, _ parsed: CommandArguments) -> Int32 {
        if parsed.has("--json") {
            var writer = JSONWriter()
            writer.value(answer)
            Console.print(writer.text)
            return ExitCode.ok
        }
        for warning in answer["warnings"]?.array ?? [] {
            Console.note("weir: warning: \(warning.string ?? "")")
        }
        for info in answer["infos"]?.array ?? [] {
            Console.note("weir: info: \(info.string ?? "")")
        }
        let rows = rows(answer["data"])
        if parsed.has("--csv") {
            Console.print("series,time,value")
            func quoted(_ text: String) -> String {
                let parts = text.split(separator: "\"", omittingEmptySubsequences: false)
                return "\"" + parts.joined(separator: "\"\"") + "\""
            }
            for row in rows {
                let value = row.value.contains(",") ? quoted(row.value) : row.value
                Console.print("\(quoted(row.series)),\(row.time),\(value)")
            }
            return ExitCode.ok
        }
        var table = TextTable(["series", "time", "value"])
        for row in rows { table.append([row.series, row.time, row.value]) }
        Console.print(table.text)
        return ExitCode.ok
    }

    private static func rows(
        _ data: JSONValue?
    ) -> [(series: String, time: String, value: String)] {
        func moment(_ value: JSONValue?) -> String {
            guard let seconds = value?.double else { return "" }
            return TimeText.rfc3339(nanoseconds: Int64((seconds * 1000).rounded()) * 1_000_000)
        }
        guard let result = data?["result"]?.array else { return [] }
        if let type = data?["resultType"]?.string, type == "scalar" || type == "string" {
            return [("", moment(result.first), result.last?.string ?? "")]
        }
        var rows: [(series: String, time: String, value: String)] = []
        for series in result {
            let pairs = (series["metric"]?.members ?? []).map { ($0.key, $0.value.string ?? "") }
            let name = Labels(pairs).description
            let points = series["values"]?.array ?? series["value"].map { [$0] } ?? []
            for point in points {
                let pair = point.array ?? []
                rows.append((name, moment(pair.first), pair.last?.string ?? ""))
            }
            let histograms =
                series["histograms"]?.array ?? series["histogram"].map { [$0] } ?? []
            for point in histograms {
                let pair = point.array ?? []
                rows.append((name, moment(pair.first), pair.last.map(HistogramText.line) ?? ""))
            }
        }
        return rows
    }
}
