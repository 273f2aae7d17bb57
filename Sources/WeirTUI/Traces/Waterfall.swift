internal import WeirCore
internal import WeirTerminal

/// Draws the lines of a waterfall: the tree at the left, numbers, and bars at the right.
///
/// A bar is drawn `█` where it decided how long the trace took, and `━` elsewhere.
struct Waterfall {
    let tree: TraceTree
    let theme: Theme
    /// Where everything goes in a line.
    let columns: Columns
    /// The colours of services, in the order of their first spans.
    private let colors: [String: Color]
    /// What the bars are drawn over, in nanoseconds since 1970.
    var from: Int64
    var to: Int64

    struct Columns: Hashable {
        let label: Int
        let duration: Int
        let selfTime: Int
        let bar: Int

        init(width: Int) {
            let hasSelf = width >= 90
            duration = 8
            selfTime = hasSelf ? 8 : 0
            let rest = max(10, width - duration - selfTime - (hasSelf ? 3 : 2) - 2)
            label = max(8, min(70, rest * 52 / 100))
            bar = max(0, rest - label)
        }
    }

    /// `colors`: Those that `colors(_:_:)` gave out.
    init(_ tree: TraceTree, width: Int, theme: Theme, colors: [String: Color]) {
        self.tree = tree
        self.theme = theme
        self.colors = colors
        columns = Columns(width: width)
        from = tree.trace.start
        to = tree.trace.start + max(1, tree.trace.duration)
    }

    /// A colour for each service, in the order of their first spans.
    static func colors(_ tree: TraceTree, _ theme: Theme) -> [String: Color] {
        var colors: [String: Color] = [:]
        for (place, service) in tree.trace.services.enumerated() {
            colors[service.name] = theme.seriesColor(place)
        }
        return colors
    }

    func color(_ service: String) -> Color { colors[service] ?? theme.seriesColor(0) }

    /// Before the bars.
    var textWidth: Int { barX }

    private var barX: Int {
        2 + columns.label + 1 + columns.duration + 1
            + (columns.selfTime > 0 ? columns.selfTime + 1 : 0)
    }

    /// The heading: names of columns, and times over the bars.
    func drawHeading(into buffer: inout CellBuffer, x: Int, y: Int) {
        buffer.write("span", x: x + 2, y: y, theme.muted)
        let numbers = x + 2 + columns.label + 1
        buffer.writeRight("time", x: numbers, y: y, width: columns.duration, theme.muted)
        if columns.selfTime > 0 {
            buffer.writeRight(
                "self",
                x: numbers + columns.duration + 1,
                y: y,
                width: columns.selfTime,
                theme.muted
            )
        }
        guard columns.bar >= 10 else { return }
        let start = x + barX
        let count = max(1, min(5, columns.bar / 14))
        for tick in 0..<count {
            let at = columns.bar * tick / count
            let offset = from - tree.trace.start + (to - from) * Int64(tick) / Int64(count)
            buffer.write("│\(TraceText.duration(offset))", x: start + at, y: y, theme.muted)
        }
        let end = TraceText.duration(to - tree.trace.start)
        buffer.writeRight(end + "│", x: start + columns.bar - 12, y: y, width: 12, theme.muted)
    }

    /// Draws a line; `isSelected` is marked by the caller.
    func draw(_ row: TraceRow, into buffer: inout CellBuffer, x: Int, y: Int) {
        let clip = buffer.clip
        defer { buffer.clip = clip }
        buffer.clip = Rect(x: x, y: y, width: 2 + columns.label, height: 1).intersection(clip)
        drawLabel(row, into: &buffer, x: x, y: y)
        buffer.clip = clip
        drawNumbers(row, into: &buffer, x: x + 2 + columns.label + 1, y: y)
        drawBar(row, into: &buffer, x: x + barX, y: y)
    }

    private func drawLabel(_ row: TraceRow, into buffer: inout CellBuffer, x: Int, y: Int) {
        let spans = tree.trace.spans
        var at = x + 2
        // Whoever is far down keeps room for a name.
        let depthMax = max(2, (columns.label - 16) / 2)
        let skipped = max(0, row.depth - depthMax)
        if skipped > 0 { at = buffer.write("…", x: at, y: y, theme.muted) }
        for level in skipped..<max(skipped, row.depth) {
            let isOwn = level == row.depth - 1
            let goesOn = level < 63 && row.guides & 1 << UInt64(level) != 0
            let text = isOwn ? (row.isLast ? "└ " : "├ ") : goesOn ? "│ " : "  "
            at = buffer.write(text, x: at, y: y, theme.border)
        }
        if row.hasChildren { at = buffer.write(row.isOpen ? "▾ " : "▸ ", x: at, y: y, theme.muted) }
        let end = x + 2 + columns.label
        switch row.content {
        case .span(let index):
            let span = spans[index]
            if span.isError { buffer.write("!", x: x, y: y, theme.error) }
            if !span.isError, !row.isOpen, tree.hasErrorBelow[index] {
                buffer.write("!", x: x, y: y, theme.warning)
            }
            at = buffer.write(
                span.service,
                x: at,
                y: y,
                Style(color(span.service)),
                widthMax: end - at
            )
            let below = row.hasChildren && !row.isOpen ? " +\(tree.descendants[index])" : ""
            let name = CharacterWidth.truncated(
                span.name,
                to: max(1, end - at - 1 - below.utf8.count)
            )
            at = buffer.write(" " + name, x: at, y: y, span.isError ? theme.error : theme.text)
            buffer.write(below, x: at, y: y, theme.muted)
        case .repeats(let first, let count):
            let span = spans[first]
            let errors = tree.repeated(first, count).count { spans[$0].isError }
            if errors > 0 { buffer.write("!", x: x, y: y, theme.error) }
            at = buffer.write(
                span.service,
                x: at,
                y: y,
                Style(color(span.service)),
                widthMax: end - at
            )
            let times = " ×\(count)" + (errors > 0 ? " (\(errors) failed)" : "")
            let name = CharacterWidth.truncated(
                span.name,
                to: max(1, end - at - 1 - CharacterWidth.of(times))
            )
            at = buffer.write(" " + name, x: at, y: y, theme.text)
            buffer.write(times, x: at, y: y, errors > 0 ? theme.error : theme.strong)
        case .missing(let parentID, let count):
            buffer.write("?", x: x, y: y, theme.warning)
            buffer.write(
                "missing span \(parentID) above \(count == 1 ? "this one" : "these \(count)")",
                x: at,
                y: y,
                theme.warning
            )
        case .gap(_, let start, let stop):
            buffer.write(
                "no span for \(TraceText.duration(stop - start))",
                x: at,
                y: y,
                theme.muted.with(.italic)
            )
        }
    }

    private func drawNumbers(_ row: TraceRow, into buffer: inout CellBuffer, x: Int, y: Int) {
        let duration: Int64
        var own: Int64?
        switch row.content {
        case .span(let index):
            duration = tree.trace.spans[index].duration
            own = tree.selfTimes[index]
        case .repeats(let first, let count):
            let run = tree.repeated(first, count)
            duration = run.reduce(0) { $0 + tree.trace.spans[$1].duration }
            own = run.reduce(0) { $0 + tree.selfTimes[$1] }
        case .gap(_, let start, let stop): duration = stop - start
        case .missing: return
        }
        let isGap = if case .gap = row.content { true } else { false }
        buffer.writeRight(
            TraceText.duration(duration),
            x: x,
            y: y,
            width: columns.duration,
            isGap ? theme.muted : theme.text
        )
        guard columns.selfTime > 0, let own else { return }
        buffer.writeRight(
            TraceText.duration(own),
            x: x + columns.duration + 1,
            y: y,
            width: columns.selfTime,
            theme.muted
        )
    }

    /// The cells that a time covers: one at least.
    private func cells(_ start: Int64, _ end: Int64) -> Range<Int>? {
        guard columns.bar > 0, end >= from, start <= to else { return nil }
        let length = Double(max(1, to - from))
        let width = Double(columns.bar)
        let first = Int(Double(max(start, from) - from) / length * width)
        let last = Int((Double(min(end, to) - from) / length * width).rounded(.up))
        let low = min(max(0, first), columns.bar - 1)
        return low..<min(columns.bar, max(low + 1, last))
    }

    private func drawBar(_ row: TraceRow, into buffer: inout CellBuffer, x: Int, y: Int) {
        func fill(_ start: Int64, _ end: Int64, _ glyph: Unicode.Scalar, _ style: Style) {
            guard let range = cells(start, end) else { return }
            for cell in range { buffer.set(x + cell, y, glyph, style) }
        }
        func bar(_ index: Int) {
            let span = tree.trace.spans[index]
            let style = span.isError ? theme.error : Style(color(span.service))
            fill(span.start, span.end, "━", style)
            for segment in tree.critical[index] { fill(segment.from, segment.to, "█", style) }
        }
        switch row.content {
        case .span(let index): bar(index)
        case .repeats(let first, let count):
            for index in tree.repeated(first, count) { bar(index) }
        case .gap(_, let start, let stop): fill(start, stop, "┄", theme.muted)
        case .missing: break
        }
    }
}
