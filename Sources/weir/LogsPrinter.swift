import WeirCore
import WeirTUI

/// Turns the JSON lines of a log answer into what `weir logs` prints.
struct LogsPrinter {
    enum Form {
        case text
        case json
        case raw
        case csv
    }

    let form: Form
    /// Only these, where some are named.
    let fields: [String]?
    let usesColor: Bool

    /// What stands first, if anything.
    var head: String {
        guard form == .csv else { return "" }
        let names = fields ?? ["level", "stream", "message"]
        return (["time"] + names).map(Self.quoted).joined(separator: ",") + "\n"
    }

    /// Appends what is printed for one row.
    func append(_ line: [UInt8], to output: inout [UInt8]) {
        if form == .json {
            output.append(contentsOf: fields.map { Self.selected($0, of: line) } ?? line)
            output.append(0x0A)
            return
        }
        guard let row = LogRow(json: line) else { return }
        let text: String
        switch form {
        case .csv:
            let values =
                fields.map { $0.map { value($0, row) } }
                ?? [row.level.rawValue, streamText(row), row.line]
            text = ([row.timeText] + values).map(Self.quoted).joined(separator: ",")
        case .raw:
            text = fields.map { $0.map { value($0, row) }.joined(separator: " ") } ?? row.line
        default: text = pretty(row)
        }
        output.append(contentsOf: text.utf8)
        output.append(0x0A)
    }

    /// A row's JSON with its time and the members named; stream labels may be named too.
    private static func selected(_ fields: [String], of line: [UInt8]) -> [UInt8] {
        guard let row = try? JSONParser.parse(line) else { return line }
        var writer = JSONWriter()
        writer.beginObject()
        for name in ["_time"] + fields.filter({ $0 != "_time" }) {
            guard let value = row[name] ?? row["_stream"]?[name] else { continue }
            writer.key(name)
            writer.value(value)
        }
        writer.endObject()
        return writer.bytes
    }

    private func value(_ name: String, _ row: LogRow) -> String {
        switch name {
        case "_time": row.timeText
        case "_stream": streamText(row)
        case "_msg", "_line",
            "message" where row["message"] == nil:
            row.line
        default: row[name] ?? ""
        }
    }

    private func streamText(_ row: LogRow) -> String {
        row.stream.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
    }

    private static let lineNames = ["_msg", "_line", "message"]

    /// Who wrote it: the service first, then the other labels' values.
    private func originText(_ row: LogRow) -> String {
        let first = row.origin
        var values = row.stream.map(\.value)
        if let place = values.firstIndex(of: first) { values.remove(at: place) }
        return ([first] + values).filter { !$0.isEmpty }.joined(separator: "/")
    }

    private func pretty(_ row: LogRow) -> String {
        let level = row.level
        var word = level == .unknown ? "-" : level.rawValue.uppercased()
        word += String(repeating: " ", count: max(0, 5 - word.count))
        let origin = originText(row)
        if let fields {
            let values = fields.filter { $0 != "_time" }.map { name in
                let text = value(name, row)
                return Self.lineNames.contains(name) ? text : "\(name)=\(text)"
            }.joined(separator: " ")
            guard usesColor else { return "\(row.timeText) \(values)" }
            return "\u{1B}[38;5;245m\(row.timeText)\u{1B}[0m \(Self.harmless(values))"
        }
        // A row without a line has its fields for one: once is enough.
        let texts = row.fields.map { "\($0.key)=\(LogRow.text($0.value))" }
        let rest =
            texts.joined(separator: " ") == row.line
            ? ""
            : zip(row.fields, texts).filter { !LogRow.levelNames.contains($0.0.key) }
                .map(\.1).joined(separator: " ")
        guard usesColor else {
            return "\(row.timeText) \(word) \(origin) \(row.line)"
                + (rest.isEmpty ? "" : "  \(rest)")
        }
        let clock = CivilTime(milliseconds: row.time)
        let time =
            [clock.hour, clock.minute, clock.second].map { $0 < 10 ? "0\($0)" : "\($0)" }
            .joined(separator: ":") + "." + String("00\(clock.millisecond)".suffix(3))
        let color =
            switch level {
            case .fatal, .error: "\u{1B}[1;38;5;196m"
            case .warn: "\u{1B}[38;5;214m"
            case .info: "\u{1B}[38;5;75m"
            default: "\u{1B}[38;5;245m"
            }
        // What comes from outside is made harmless before colours are put in.
        let line = Self.harmless(row.line)
        return "\u{1B}[38;5;245m\(time)\u{1B}[0m \(color)\(word)\u{1B}[0m "
            + "\u{1B}[1m\(Self.harmless(origin))\u{1B}[0m \(line)"
            + (rest.isEmpty ? "" : "  \u{1B}[2m\(Self.harmless(rest))\u{1B}[0m")
    }

    /// Without what would command a terminal; line breaks and tabs stay.
    private static func harmless(_ text: String) -> String {
        let isClean = text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F || $0 == 0x0A || $0 == 0x09 }
        if isClean { return text }
        var view = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isControl =
                scalar.value < 0x20 && scalar != "\n" && scalar != "\t"
                || (0x7F..<0xA0).contains(scalar.value)
            view.append(isControl ? "\u{B7}" : scalar)
        }
        return String(view)
    }

    private static func quoted(_ text: String) -> String {
        guard text.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else {
            return text
        }
        return "\""
            + text.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"") + "\""
    }
}
