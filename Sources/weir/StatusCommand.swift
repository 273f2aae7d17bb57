import WeirCore
import WeirTUI

/// `weir status`.
enum StatusCommand {
    static let usage = """
        weir status [--json] [--base URL]

        Rows, segments, bytes and series per signal, memory, journal and damage.
        """

    static func run(_ arguments: [String]) -> Int32 {
        do throws(CommandArguments.Failure) {
            let parsed = try CommandArguments(arguments, flags: ["--base"], switches: ["--json"])
            do throws(APIError) {
                let status = try HTTPQueryAPI(base: Console.base(parsed["--base"]))
                    .get(path: "/api/v1/status", parameters: [])
                if parsed.has("--json") {
                    var writer = JSONWriter()
                    writer.value(status)
                    Console.print(writer.text)
                } else {
                    show(status)
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

    private static func show(_ status: JSONValue) {
        var table = TextTable([
            "tenant", "signal", "rows", "segments", "segment bytes", "bytes/row", "in memory",
            "active series",
        ])
        for signal in (status["signals"]?.array ?? []) + (status["rollups"]?.array ?? []) {
            func number(_ name: String) -> Int { signal[name]?.int ?? 0 }
            let perRow =
                number("segment_rows") > 0
                ? (Double(number("segment_bytes")) / Double(number("segment_rows")) * 1000)
                    .rounded() / 1000 : 0
            table.append([
                signal["tenant"]?.string ?? "", signal["signal"]?.string ?? "",
                String(number("rows")), String(number("segments")),
                String(number("segment_bytes")), perRow.description,
                String(number("memory_rows")), String(number("active_series")),
            ])
        }
        Console.print(table.text)
        let resident = status["memory"]?["resident_bytes"]?.int ?? 0
        Console.print("\nresident memory \(resident >> 20) MiB")
        for segment in status["quarantined"]?.array ?? [] {
            Console.print(
                "quarantined: \(segment["path"]?.string ?? ""): \(segment["reason"]?.string ?? "")"
            )
        }
    }
}
