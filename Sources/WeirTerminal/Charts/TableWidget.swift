/// Rows and columns of text, each column as wide as it must be, narrower when there is no room.
package struct TableWidget {
    package struct Column: Hashable, Sendable {
        package let title: String
        package let isRightAligned: Bool

        package init(_ title: String, isRightAligned: Bool = false) {
            self.title = title
            self.isRightAligned = isRightAligned
        }
    }

    /// One text with its look; nil is the theme's.
    package struct Entry: Hashable, Sendable {
        package let text: String
        package let style: Style?

        package init(_ text: String, _ style: Style? = nil) {
            self.text = text
            self.style = style
        }
    }

    package var columns: [Column]
    package var rows: [[Entry]]
    /// The row shown first.
    package var offset = 0
    package var selected: Int?

    package init(columns: [Column], rows: [[Entry]]) {
        self.columns = columns
        self.rows = rows
    }

    /// The widest column gives first, until all fit.
    private func widths(in width: Int) -> [Int] {
        var widths = columns.indices.map { index in
            rows.reduce(CharacterWidth.of(columns[index].title)) { widest, row in
                index < row.count ? max(widest, CharacterWidth.of(row[index].text)) : widest
            }
        }
        let gaps = 2 * max(0, columns.count - 1)
        var excess = widths.reduce(0, +) + gaps - width
        while excess > 0, let widest = widths.indices.max(by: { widths[$0] < widths[$1] }),
            widths[widest] > 3
        {
            widths[widest] -= 1
            excess -= 1
        }
        return widths
    }

    /// Draws the heading and as many rows as fit; the last one counts the rest.
    package func draw(into buffer: inout CellBuffer, in rect: Rect, theme: Theme) {
        guard !rect.isEmpty else { return }
        let clip = buffer.clip
        buffer.clip = rect.intersection(clip)
        defer { buffer.clip = clip }
        let widths = widths(in: rect.width)
        var x = rect.x
        for (index, column) in columns.enumerated() {
            place(column.title, column, into: &buffer, x, rect.y, widths[index], theme.muted)
            x += widths[index] + 2
        }
        let room = rect.height - 1
        let left = rows.dropFirst(offset)
        let count = left.count > room ? max(0, room - 1) : left.count
        for (place, row) in left.prefix(count).enumerated() {
            let y = rect.y + 1 + place
            let isSelected = selected == offset + place
            if isSelected {
                buffer.fill(
                    Rect(x: rect.x, y: y, width: rect.width, height: 1),
                    " ",
                    theme.selection
                )
            }
            var x = rect.x
            for (index, entry) in row.prefix(columns.count).enumerated() {
                let style = isSelected ? theme.selection : entry.style ?? theme.text
                self.place(entry.text, columns[index], into: &buffer, x, y, widths[index], style)
                x += widths[index] + 2
            }
        }
        if rows.isEmpty { buffer.write("no data", x: rect.x, y: rect.y + 1, theme.muted) }
        if left.count > count {
            buffer.write(
                "+\(left.count - count) more",
                x: rect.x,
                y: rect.y + 1 + count,
                theme.muted
            )
        }
    }

    private func place(
        _ text: String,
        _ column: Column,
        into buffer: inout CellBuffer,
        _ x: Int,
        _ y: Int,
        _ width: Int,
        _ style: Style
    ) {
        if column.isRightAligned {
            buffer.writeRight(text, x: x, y: y, width: width, style)
        } else {
            buffer.write(CharacterWidth.truncated(text, to: width), x: x, y: y, style)
        }
    }
}
