/// The box around a panel, with its title in the upper line.
package struct Frame {
    package var title: String
    /// Before the title: the panel's number.
    package var number: Int?
    /// At the right end of the upper line: an age, `focus`.
    package var note: String
    package var noteStyle: Style?
    package var isFocused: Bool

    package init(
        title: String,
        number: Int? = nil,
        note: String = "",
        noteStyle: Style? = nil,
        isFocused: Bool = false
    ) {
        self.title = title
        self.number = number
        self.note = note
        self.noteStyle = noteStyle
        self.isFocused = isFocused
    }

    /// Draws the box and returns what is inside it.
    package func draw(into buffer: inout CellBuffer, in rect: Rect, theme: Theme) -> Rect {
        guard rect.width >= 2, rect.height >= 2 else {
            return Rect(x: rect.x, y: rect.y, width: 0, height: 0)
        }
        let style = isFocused ? theme.focusedBorder : theme.border
        let (right, bottom) = (rect.maxX - 1, rect.maxY - 1)
        for x in (rect.x + 1)..<max(rect.x + 1, right) {
            buffer.set(x, rect.y, "─", style)
            buffer.set(x, bottom, "─", style)
        }
        for y in (rect.y + 1)..<max(rect.y + 1, bottom) {
            buffer.set(rect.x, y, "│", style)
            buffer.set(right, y, "│", style)
        }
        buffer.set(rect.x, rect.y, "┌", style)
        buffer.set(right, rect.y, "┐", style)
        buffer.set(rect.x, bottom, "└", style)
        buffer.set(right, bottom, "┘", style)
        let noteWidth = note.isEmpty ? 0 : CharacterWidth.of(note) + 3
        let numbered = number.map { "\($0) \(title)" } ?? title
        let shownNote = noteWidth + 8 <= rect.width
        let room = rect.width - 5 - (shownNote ? noteWidth : 0)
        if room > 0, !numbered.isEmpty {
            let shown = CharacterWidth.truncated(numbered, to: room)
            buffer.write(
                " \(shown) ",
                x: rect.x + 2,
                y: rect.y,
                isFocused ? theme.focusedBorder : theme.title
            )
        }
        if shownNote, noteWidth > 0 {
            buffer.write(
                " \(note) ",
                x: right - noteWidth,
                y: rect.y,
                noteStyle ?? (isFocused ? theme.focusedBorder : theme.muted)
            )
        }
        return rect.inset(1, 1)
    }
}
