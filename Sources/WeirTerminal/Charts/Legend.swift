/// The table under a chart: each series with its last, min, max, avg and p95, greatest last value first.
package struct Legend {
    package struct Entry: Hashable, Sendable {
        package let name: String
        package let color: Color
        package let summary: SeriesSummary?

        package init(name: String, color: Color, summary: SeriesSummary?) {
            self.name = name
            self.color = color
            self.summary = summary
        }
    }

    private let entries: [Entry]
    private let unit: ValueUnit
    private let decimals: Int?

    /// `order`: keeps the given order when false.
    package init(
        series: [ChartSeries],
        complete: Int64,
        unit: ValueUnit,
        decimals: Int? = nil,
        isSorted: Bool = true
    ) {
        self.unit = unit
        self.decimals = decimals
        let all = series.map { line in
            Entry(
                name: line.name,
                color: line.color,
                summary: SeriesSummary(line.points, complete: complete)
            )
        }
        guard isSorted else {
            entries = all
            return
        }
        // Equal values keep their order: a legend that reshuffles cannot be read.
        let sorted = all.enumerated().sorted { left, right in
            let (a, b) = (
                left.element.summary?.last ?? -.infinity, right.element.summary?.last ?? -.infinity
            )
            return a == b ? left.offset < right.offset : a > b
        }
        entries = sorted.map { $0.element }
    }

    private static let columnWidth = 9
    private static let columns: [(title: String, value: @Sendable (SeriesSummary) -> Double)] = [
        ("last", { $0.last }), ("min", { $0.min }), ("max", { $0.max }), ("avg", { $0.average }),
        ("p95", { $0.p95 }),
    ]
    /// What goes first when there is no room: p95, min, avg, max.
    private static let priority = [0, 2, 3, 1, 4]

    /// The rows a table of this many series takes, heading and count of the rest included.
    package static func rows(series: Int, limit: Int) -> Int { min(series + 1, max(0, limit)) }

    /// Draws the table.
    ///
    /// The last row counts what has no room.
    package func draw(into buffer: inout CellBuffer, in rect: Rect, theme: Theme) {
        guard rect.height >= 2, rect.width >= 12 else {
            drawLine(into: &buffer, in: rect, theme: theme)
            return
        }
        let names = entries.map { CharacterWidth.of($0.name) }.max() ?? 0
        let nameMin = min(max(12, names), max(12, rect.width / 3))
        let columnCount = max(1, min(5, (rect.width - nameMin - 2) / Self.columnWidth))
        let shown = Self.priority.prefix(columnCount).sorted()
        let nameWidth = rect.width - 2 - columnCount * Self.columnWidth
        buffer.write("series", x: rect.x + 2, y: rect.y, theme.muted, widthMax: nameWidth)
        for (place, column) in shown.enumerated() {
            buffer.writeRight(
                Self.columns[column].title,
                x: rect.x + 2 + nameWidth + place * Self.columnWidth,
                y: rect.y,
                width: Self.columnWidth,
                theme.muted
            )
        }
        let room = rect.height - 1
        let count = entries.count > room ? room - 1 : entries.count
        for (row, entry) in entries.prefix(count).enumerated() {
            let y = rect.y + 1 + row
            buffer.set(rect.x, y, "━", Style(entry.color))
            buffer.write(
                CharacterWidth.truncated(entry.name, to: nameWidth),
                x: rect.x + 2,
                y: y,
                theme.text
            )
            for (place, column) in shown.enumerated() {
                let text =
                    entry.summary.map {
                        unit.text(Self.columns[column].value($0), decimals: decimals)
                    }
                    ?? "-"
                buffer.writeRight(
                    text,
                    x: rect.x + 2 + nameWidth + place * Self.columnWidth,
                    y: y,
                    width: Self.columnWidth,
                    column == 0 ? theme.strong : theme.text
                )
            }
        }
        if count < entries.count {
            buffer.write(
                "+\(entries.count - count) more",
                x: rect.x + 2,
                y: rect.y + 1 + count,
                theme.muted
            )
        }
    }

    /// Names and last values on one line, as many as fit.
    package func drawLine(into buffer: inout CellBuffer, in rect: Rect, theme: Theme) {
        guard !rect.isEmpty else { return }
        var x = rect.x
        for (index, entry) in entries.enumerated() {
            let value = entry.summary.map { unit.text($0.last, decimals: decimals) } ?? "-"
            let rest = entries.count - index - 1
            let reserve = rest > 0 ? 3 + "+\(rest) more".utf8.count : 0
            let width = CharacterWidth.of(entry.name) + value.utf8.count + 3
            let room = rect.maxX - x - reserve
            guard width <= room || (index == 0 && room > value.utf8.count + 6) else {
                buffer.write(
                    "+\(rest + 1) more",
                    x: x,
                    y: rect.y,
                    theme.muted,
                    widthMax: rect.maxX - x
                )
                return
            }
            buffer.set(x, rect.y, "━", Style(entry.color))
            let name = CharacterWidth.truncated(entry.name, to: room - value.utf8.count - 3)
            x = buffer.write(name, x: x + 2, y: rect.y, theme.text)
            x = buffer.write(value, x: x + 1, y: rect.y, theme.strong) + 2
        }
    }
}
