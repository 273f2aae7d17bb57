import WeirCore
import WeirDemo
import WeirSystem
import WeirTUI

extension DemoReport {
    private static let latencies =
        #"traces_spanmetrics_latency_bucket{service="payment", span_kind="SPAN_KIND_SERVER"}"#
    private static let failures = #"{resource.service.name="payment" && status=error}"#
    /// Of a waterfall that is printed.
    private static let linesMax = 44

    /// What the spans take, what they answer, and the way from a number to its cause.
    mutating func printTraces(_ backfill: ShopPusher.Backfill) throws(DemoError) {
        Self.printTitle("Traces")
        guard
            try printStorage(
                "traces",
                row: "span",
                rows: "spans",
                allRows: "spans",
                wire: "OTLP protobuf",
                backfill
            )
        else { return }
        Console.print("\nfrom a number to its cause:")
        guard let exemplar = try slowestExemplar() else {
            missing.append("no exemplar names a trace")
            return
        }
        try run(
            "exemplars",
            [Self.latencies, "--since", "15m", "--limit", "4"],
            ExemplarsCommand.run
        )
        try printWaterfall(exemplar.traceID)
        let span = exemplar.spanID.map { ["--span", $0] } ?? []
        try run("trace", [exemplar.traceID] + span + ["--logs", "--metrics"], TraceCommand.run)
        try run(
            "traces",
            [Self.failures, "--since", "15m", "--limit", "4", "--sort", "duration"],
            TracesCommand.run
        )
    }

    /// The greatest one of the last quarter of an hour.
    private func slowestExemplar() throws(DemoError) -> Exemplar? {
        let now = HostClock().nowMilliseconds() / 1000
        do throws(APIError) {
            let answer = try api.get(
                path: "/api/v1/query_exemplars",
                parameters: [
                    ("query", Self.latencies), ("start", String(now - 900)), ("end", String(now)),
                ]
            )
            return try Exemplar.list(answer["data"] ?? .null).max { $0.value < $1.value }
        } catch {
            throw .request(path: "/api/v1/query_exemplars", reason: error.text)
        }
    }

    /// Runs a command as it would be typed, with its output.
    private mutating func run(
        _ name: String,
        _ arguments: [String],
        _ command: ([String]) -> Int32
    ) throws(DemoError) {
        Console.print("\n$ weir \(([name] + arguments.map(Self.quoted)).joined(separator: " "))")
        let code = command(arguments + ["--base", base])
        if code != ExitCode.ok { missing.append("weir \(name) failed") }
    }

    private mutating func printWaterfall(_ id: String) throws(DemoError) {
        let started = Stopwatch.monotonicNanoseconds()
        let answer = try get("/api/v1/traces/\(id)")
        let elapsed = Stopwatch.monotonicNanoseconds() - started
        let tree: TraceTree
        do throws(APIError) {
            tree = TraceTree(try TraceModel(answer))
        } catch {
            throw .request(path: "/api/v1/traces/\(id)", reason: error.text)
        }
        Console.print("\n$ weir trace \(id)        (by id: \(Self.milliseconds(elapsed)))")
        var text = ""
        TracePrinter.print(tree, width: Self.width, style: .plain) { part in
            text += part
            return true
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        Console.print(lines.prefix(Self.linesMax).joined(separator: "\n"))
        if lines.count > Self.linesMax {
            Console.print("… \(lines.count - Self.linesMax) lines more")
        }
    }

    private static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D
        }
        return isPlain ? text : "'\(text)'"
    }
}
