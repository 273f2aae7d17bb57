import WeirCore
import WeirHTTP
import WeirSystem

/// `weir import`.
enum ImportCommand {
    static let usage = """
        weir import FILE|- [--format prometheus|openmetrics|dump|line] [--precision ns]
                    [--labels name=value,…] [--base URL]

        Sends a file of samples with their times to a server: Prometheus's text or OpenMetrics,
        what `promtool tsdb dump` or `dump-openmetrics` prints, or InfluxDB line protocol (whose
        unit of time --precision says: ns, us, ms, s). The format is recognised by the first lines
        if it is not told. gzip is unpacked; - reads standard input. Lines that are refused are
        named, and the rest is kept; sending a file twice changes nothing.
        """

    static func run(_ arguments: [String]) -> Int32 {
        let parsed: CommandArguments
        do throws(CommandArguments.Failure) {
            parsed = try CommandArguments(
                arguments,
                flags: ["--format", "--precision", "--labels", "--base"]
            )
        } catch {
            return CommandTable.misuse(error.text, usage)
        }
        guard parsed.positional.count == 1 else {
            return CommandTable.misuse("one file is wanted", usage)
        }
        var format: ImportFormat?
        if let text = parsed["--format"] {
            format = ImportFormat(rawValue: text)
            if format == nil {
                return CommandTable.misuse("--format: \"\(text)\" is not known", usage)
            }
        }
        do throws(ImportInput.Failure) {
            let input = try ImportInput(path: parsed.positional[0])
            var sender = ImportSender(
                base: Console.base(parsed["--base"]),
                precision: parsed["--precision"] ?? "ns",
                labels: (parsed["--labels"] ?? "").split(separator: ",").map(String.init)
            )
            var progress = ImportProgress(size: input.size)
            while let lines = try input.next() {
                if format == nil {
                    format = ImportFormat.recognise(lines)
                    guard let format else {
                        Console.note("weir: nothing to import in the first lines; tell --format")
                        return ExitCode.failed
                    }
                    Console.note("weir: reading \(format.rawValue)")
                }
                guard let format, sender.send(lines, as: format) else {
                    progress.finish()
                    Console.note("weir: \(sender.failure)")
                    return ExitCode.failed
                }
                progress.show(position: input.position, lines: sender.lineCount)
            }
            progress.finish()
            Console.print(progress.summary(lines: sender.lineCount, refused: sender.refusedCount))
            return sender.refusedCount == 0 ? ExitCode.ok : ExitCode.failed
        } catch {
            Console.note("weir: \(error.text)")
            return ExitCode.failed
        }
    }
}

/// How far an import is: a bar on a terminal, a line every few seconds elsewhere.
struct ImportProgress {
    private static let barWidth = 30

    private let size: Int?
    private let isTerminal = Console.isErrorTerminal
    private let start = Stopwatch.monotonicNanoseconds()
    private var shownAt: Int64 = 0
    private var hasBar = false

    init(size: Int?) { self.size = size }

    private var seconds: Double { Double(Stopwatch.monotonicNanoseconds() - start) / 1e9 }

    mutating func show(position: Int, lines: Int) {
        let now = Stopwatch.monotonicNanoseconds()
        guard now - shownAt >= (isTerminal ? 200_000_000 : 5_000_000_000) else { return }
        if shownAt == 0, !isTerminal {
            shownAt = now
            return
        }
        shownAt = now
        let rate = "\(lines) lines, \(Int(Double(lines) / max(seconds, 1e-9))) lines/s"
        guard let size, size > 0 else { return write("\(position >> 20) MiB, \(rate)") }
        let part = min(1, Double(position) / Double(size))
        let filled = Int(part * Double(Self.barWidth))
        let bar =
            String(repeating: "#", count: filled)
            + String(repeating: ".", count: Self.barWidth - filled)
        let left = part > 0 ? Int(seconds / part * (1 - part)) : 0
        write("[\(bar)] \(Int(part * 100)) %, \(rate), \(left) s left")
    }

    private mutating func write(_ text: String) {
        guard isTerminal else { return Console.note(text) }
        Console.noteWithoutEnd("\r\u{1B}[K" + text)
        hasBar = true
    }

    /// Takes the bar away.
    mutating func finish() {
        if hasBar { Console.noteWithoutEnd("\r\u{1B}[K") }
        hasBar = false
    }

    func summary(lines: Int, refused: Int) -> String {
        let hundredths = Int((seconds * 100).rounded())
        let decimals = hundredths % 100
        return "\(lines - refused) lines taken, \(refused) refused, in "
            + "\(hundredths / 100).\(decimals < 10 ? "0" : "")\(decimals) s: "
            + "\(Int(Double(lines) / max(seconds, 1e-9))) lines/s"
    }
}
