internal import WeirCore
package import WeirTerminal

/// A list to choose from, narrowed by typing.
package struct Menu: Sendable {
    package struct Item: Hashable, Sendable {
        package let title: String
        package let detail: String
        package let command: Command

        package init(_ title: String, detail: String = "", _ command: Command) {
            self.title = title
            self.detail = detail
            self.command = command
        }
    }

    package let title: String
    private let items: [Item]
    private var editor = LineEditor()
    private var selected = 0
    /// A typed duration is a choice too.
    private let takesDuration: Bool

    package init(
        title: String,
        items: [Item],
        selected: Int = 0,
        takesDuration: Bool = false
    ) {
        self.title = title
        self.items = items
        self.selected = selected
        self.takesDuration = takesDuration
    }

    /// What fits what was typed.
    package var shown: [Item] {
        let text = editor.text
        var found = FuzzyMatch.filter(items, by: text) { $0.title }
        if takesDuration, let nanoseconds = Units.nanoseconds(text),
            nanoseconds / 1_000_000 >= TimeSpan.spanMin,
            nanoseconds / 1_000_000 <= TimeSpan.spanMax
        {
            let span = TimeSpan.last(milliseconds: nanoseconds / 1_000_000)
            found.insert(Item("last \(text)", .setSpan(span)), at: 0)
        }
        return found
    }

    package enum Outcome {
        case stay
        case close
        case run(Command)
    }

    /// Takes a key in.
    package mutating func handle(_ press: KeyPress) -> Outcome {
        let items = shown
        let isControl = press.modifiers.contains(.control)
        switch press.key {
        case .escape: return .close
        case .enter: return selected < items.count ? .run(items[selected].command) : .stay
        case .up: selected = max(0, selected - 1)
        case .down: selected = min(max(0, items.count - 1), selected + 1)
        case .tab:
            let step = press.modifiers.contains(.shift) ? items.count - 1 : 1
            if !items.isEmpty { selected = (selected + step) % items.count }
        case .character("p") where isControl: selected = max(0, selected - 1)
        case .character("n") where isControl:
            selected = min(max(0, items.count - 1), selected + 1)
        case .pageUp: selected = max(0, selected - 10)
        case .pageDown: selected = min(max(0, items.count - 1), selected + 10)
        default:
            if editor.handle(press) { selected = 0 }
        }
        return .stay
    }

    /// Takes pasted text in.
    package mutating func paste(_ text: String) {
        editor.insert(text)
        selected = 0
    }

    /// Draws it in the middle of a rectangle; returns where the cursor is.
    package func draw(
        into buffer: inout CellBuffer,
        in rect: Rect,
        theme: Theme
    ) -> CursorPlace {
        let items = shown
        let wanted = items.map { CharacterWidth.of($0.title) + CharacterWidth.of($0.detail) + 6 }
        let width = min(rect.width - 2, max(40, (wanted.max() ?? 0) + 4))
        let height = min(rect.height, items.count + 3, 20)
        let box = Rect(
            x: rect.x + (rect.width - width) / 2,
            y: rect.y + max(0, (rect.height - height) / 3),
            width: width,
            height: max(4, height)
        )
        buffer.fill(box, " ", theme.text)
        let inside = Frame(
            title: title,
            note: items.isEmpty ? "nothing fits" : "\(items.count)",
            isFocused: true
        ).draw(into: &buffer, in: box, theme: theme)
        buffer.write(">", x: inside.x, y: inside.y, theme.muted)
        let cursor = editor.draw(
            into: &buffer,
            x: inside.x + 2,
            y: inside.y,
            width: inside.width - 2,
            theme.strong
        )
        let room = max(1, inside.height - 1)
        let first = max(0, min(selected - room / 2, items.count - room))
        for (row, item) in items.dropFirst(first).prefix(room).enumerated() {
            let y = inside.y + 1 + row
            let isSelected = first + row == selected
            let style = isSelected ? theme.selection : theme.text
            if isSelected {
                buffer.fill(
                    Rect(x: inside.x, y: y, width: inside.width, height: 1),
                    " ",
                    style
                )
            }
            let end = buffer.write(
                CharacterWidth.truncated(item.title, to: inside.width - 2),
                x: inside.x + 1,
                y: y,
                style
            )
            buffer.writeRight(
                item.detail,
                x: end + 1,
                y: y,
                width: inside.maxX - 1 - end - 1,
                isSelected ? style : theme.muted
            )
        }
        return cursor
    }
}
