import WeirCore
import WeirDemo
import WeirSystem
import WeirTUI

extension DemoReport {
    private static let errors = #"{service=~".+"} | level=~"(?i)error""#

    /// What the logs take, and what they answer: counts by level, the newest errors, one trace.
    mutating func printLogs(_ backfill: ShopPusher.Backfill) throws(DemoError) {
        Self.printTitle("Logs")
        guard
            try printStorage(
                "logs",
                row: "line",
                rows: "lines",
                allRows: "log lines",
                wire: "JSON lines",
                backfill
            )
        else { return }
        try printLevels()
        let errors = try printErrors()
        let traces = errors.compactMap { $0["trace_id"] }
        // One that several services tell of, if there is one.
        let shared = traces.last { trace in traces.count { $0 == trace } > 1 }
        guard let trace = shared ?? traces.last else {
            missing.append("no error line has a trace_id")
            return
        }
        try printTrace(trace)
    }

    private mutating func printLevels() throws(DemoError) {
        let started = Stopwatch.monotonicNanoseconds()
        let answer = try ask(
            "/api/v1/logs/hits",
            [("query", #"{service=~".+"}"#), ("since", "1h")]
        )
        let elapsed = Stopwatch.monotonicNanoseconds() - started
        var counts: [LogLevel: Int] = [:]
        for one in answer["hits"]?.array ?? [] {
            let level = LogLevel(one["fields"]?.members?.first?.value.string ?? "")
            counts[level, default: 0] += one["total"]?.int ?? 0
        }
        if counts.isEmpty { missing.append("/api/v1/logs/hits counts nothing") }
        let texts = LogLevel.allCases.compactMap { level -> String? in
            counts[level].map { "\(Self.grouped($0)) \(level.rawValue)" }
        }
        Self.printPair(
            "in the last hour",
            texts.joined(separator: ", ") + "  (\(Self.milliseconds(elapsed)))"
        )
    }

    private mutating func printErrors() throws(DemoError) -> [LogRow] {
        let started = Stopwatch.monotonicNanoseconds()
        let rows = try search(Self.errors, limit: 60)
        let elapsed = Stopwatch.monotonicNanoseconds() - started
        if rows.isEmpty { missing.append("no error lines are found") }
        Console.print("\nthe newest errors  (\(Self.milliseconds(elapsed)))")
        for row in rows.suffix(8) { Self.print(row) }
        return rows
    }

    private mutating func printTrace(_ trace: String) throws(DemoError) {
        let started = Stopwatch.monotonicNanoseconds()
        let rows = try search(#"{service=~".+"} | trace_id="\#(trace)""#, limit: 20)
        let elapsed = Stopwatch.monotonicNanoseconds() - started
        if rows.isEmpty { missing.append("trace \(trace) is not found") }
        Console.print("\ntrace \(trace)  (\(Self.milliseconds(elapsed)))")
        for row in rows { Self.print(row) }
    }

    /// The newest rows, oldest first.
    private func search(_ query: String, limit: Int) throws(DemoError) -> [LogRow] {
        do throws(APIError) {
            let lines = try api.lines(
                path: "/api/v1/logs/query",
                parameters: [("query", query), ("limit", String(limit))]
            )
            return lines.reversed().compactMap { LogRow(json: $0) }
        } catch {
            throw .request(path: "/api/v1/logs/query", reason: error.text)
        }
    }

    private func ask(
        _ path: String,
        _ parameters: [(String, String)]
    ) throws(DemoError) -> JSONValue {
        do throws(APIError) {
            return try api.get(path: path, parameters: parameters)
        } catch {
            throw .request(path: path, reason: error.text)
        }
    }

    private static func print(_ row: LogRow) {
        let first = row.line.prefix { $0 != "\n" }
        let more = row.line.utf8.count { $0 == 0x0A }
        let origin = row.origin + String(repeating: " ", count: max(0, 9 - row.origin.count))
        let text =
            "  \(row.timeText.dropFirst(11).prefix(12)) \(origin) \(first)"
            + (more > 0 ? " (+\(more) lines)" : "")
        Console.print(String(text.prefix(118)))
    }

    static func printPair(_ name: String, _ value: String) {
        Console.print(name + String(repeating: " ", count: max(1, 18 - name.count)) + value)
    }

    static func milliseconds(_ nanoseconds: Int64) -> String {
        "\(decimal(Double(nanoseconds) / 1e6, 1)) ms"
    }
}
