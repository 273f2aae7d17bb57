import WeirCore
import WeirHTTP
import WeirTUI

/// `weir queries`.
enum QueriesCommand {
    static let usage = """
        weir queries [--top] [--cancel ID] [--limit 10] [--lifetime 10m] [--json] [--base URL]

        The queries that run or wait; with --top those that cost most among the last 20,000, within
        --lifetime; with --cancel, ends one.
        """

    static func run(_ arguments: [String]) -> Int32 {
        do throws(CommandArguments.Failure) {
            let parsed = try CommandArguments(
                arguments,
                flags: ["--base", "--cancel", "--limit", "--lifetime"],
                switches: ["--top", "--json"]
            )
            let base = Console.base(parsed["--base"])
            if let id = parsed["--cancel"] { return cancel(id, base: base) }
            return list(parsed, base: base)
        } catch {
            return CommandTable.misuse(error.text, usage)
        }
    }

    private static func list(_ parsed: CommandArguments, base: String) -> Int32 {
        let isTop = parsed.has("--top")
        do throws(APIError) {
            let answer = try HTTPQueryAPI(base: base).get(
                path: "/api/v1/status/\(isTop ? "top_queries" : "active_queries")",
                parameters: isTop
                    ? [
                        ("topN", parsed["--limit"] ?? "10"),
                        ("maxLifetime", parsed["--lifetime"] ?? "10m"),
                    ] : []
            )
            if parsed.has("--json") {
                var writer = JSONWriter()
                writer.value(answer)
                Console.print(writer.text)
            } else if isTop {
                showTop(answer)
            } else {
                showActive(answer)
            }
            return ExitCode.ok
        } catch {
            Console.note("weir: \(error.text)")
            return ExitCode.failed
        }
    }

    private static func showActive(_ answer: JSONValue) {
        var table = TextTable(["id", "seconds", "rows", "from", "path", "query"])
        for query in answer["data"]?.array ?? [] {
            table.append([
                query["id"]?.string ?? "", seconds(query["durationSeconds"]),
                String(query["rowsRead"]?.int ?? 0), query["remoteAddress"]?.string ?? "",
                query["path"]?.string ?? "", query["query"]?.string ?? "",
            ])
        }
        Console.print(table.text)
    }

    private static func showTop(_ answer: JSONValue) {
        for (name, member, what) in [
            ("topBySumDuration", "sumDurationSeconds", "seconds in all"),
            ("topByAvgDuration", "avgDurationSeconds", "seconds each"),
            ("topBySumRows", "sumRows", "rows"), ("topByCount", "count", "times"),
        ] {
            var table = TextTable([what, "times", "range", "query"])
            for query in answer[name]?.array ?? [] {
                table.append([
                    member.hasSuffix("Seconds")
                        ? seconds(query[member]) : String(Int(query[member]?.double ?? 0)),
                    String(query["count"]?.int ?? 0),
                    "\(query["timeRangeSeconds"]?.int ?? 0)s", query["query"]?.string ?? "",
                ])
            }
            Console.print(table.text + "\n")
        }
    }

    private static func seconds(_ value: JSONValue?) -> String {
        (((value?.double ?? 0) * 1000).rounded() / 1000).description
    }

    private static func cancel(_ id: String, base: String) -> Int32 {
        let request = HTTPClientRequest(
            method: "POST",
            url: "\(base)/api/v1/admin/queries/cancel?id=\(PercentEncoding.encode(id))",
            timeoutSeconds: 60
        )
        do throws(HTTPClientError) {
            let response = try HTTPClient().send(request)
            guard response.status == 200 else {
                Console.note("weir: \(String(decoding: response.body, as: UTF8.self))")
                return ExitCode.failed
            }
            return ExitCode.ok
        } catch {
            Console.note("weir: \(error)")
            return ExitCode.failed
        }
    }
}
