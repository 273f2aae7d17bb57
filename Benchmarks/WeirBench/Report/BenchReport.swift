import WeirCore

/// All that was measured, and the two ways to print it.
struct BenchReport {
    private struct Section {
        let title: String
        var figures: [Figure] = []
    }

    let machine: MachineFacts
    let peerName: String
    private var sections: [Section] = []
    private var notes: [String] = []

    init(machine: MachineFacts, peerName: String) {
        self.machine = machine
        self.peerName = peerName
    }

    mutating func begin(_ title: String) { sections.append(Section(title: title)) }

    mutating func add(
        _ what: String,
        _ value: Double,
        _ unit: Figure.Unit,
        reach: Double? = nil,
        peer: Double? = nil
    ) {
        guard !sections.isEmpty else { return }
        sections[sections.count - 1].figures.append(
            Figure(what: what, value: value, unit: unit, reach: reach, peer: peer)
        )
    }

    mutating func note(_ text: String) { notes.append(text) }

    /// One aligned table, a heading per section, notes below.
    func table() -> String {
        let head = ["what", "figure", "reach", "", peerName, "ratio"]
        var rows: [[String]] = [head]
        for section in sections {
            rows.append([section.title])
            for figure in section.figures {
                rows.append([
                    "  " + figure.what,
                    Figure.text(figure.value, figure.unit),
                    figure.reach.map { "<= " + Figure.text($0, figure.unit) } ?? "",
                    figure.isWithinReach.map { $0 ? "ok" : "OVER" } ?? "",
                    figure.peer.map { Figure.text($0, figure.unit) } ?? "",
                    figure.ratio.map { Figure.decimal($0, 2) } ?? "",
                ])
            }
        }
        let widths = head.indices.map { column in
            rows.map { $0.count == head.count ? $0[column].count : 0 }.max() ?? 0
        }
        var text = machine.lines.joined(separator: "\n") + "\n\n"
        for row in rows {
            guard row.count == head.count else {
                text += row.joined() + "\n"
                continue
            }
            var line = ""
            for (column, cell) in row.enumerated() {
                let blanks = String(repeating: " ", count: widths[column] - cell.count)
                line += column == 0 || column == 3 ? cell + blanks : blanks + cell
                line += "  "
            }
            while line.last == " " { line.removeLast() }
            text += line + "\n"
        }
        for note in notes { text += "\n" + note }
        let over = sections.flatMap(\.figures).filter { $0.isWithinReach == false }.count
        text += "\n" + (over == 0 ? "every reach is met" : "\(over) figures are over their reach")
        return text
    }

    func json() -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("machine")
        machine.write(to: &writer)
        writer.member("peer", peerName)
        writer.key("figures")
        writer.beginArray()
        for section in sections {
            for figure in section.figures {
                writer.beginObject()
                writer.member("section", section.title)
                writer.member("what", figure.what)
                writer.member("value", figure.value)
                writer.member("unit", figure.unit.rawValue)
                if let reach = figure.reach { writer.member("reach", reach) }
                if let isWithinReach = figure.isWithinReach { writer.member("ok", isWithinReach) }
                if let peer = figure.peer { writer.member("peer", peer) }
                if let ratio = figure.ratio { writer.member("ratio", ratio) }
                writer.endObject()
            }
        }
        writer.endArray()
        writer.key("notes")
        writer.beginArray()
        for note in notes { writer.value(note) }
        writer.endArray()
        writer.endObject()
        return writer.text
    }
}
