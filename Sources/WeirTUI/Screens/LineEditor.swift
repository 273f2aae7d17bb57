package import WeirTerminal

/// One line of text being typed.
package struct LineEditor: Hashable, Sendable {
    private var scalars: [Unicode.Scalar]
    /// Counted in scalars from the start.
    package private(set) var cursor: Int

    /// More is not taken in.
    package static let scalarsMax = 10_000

    package init(_ text: String = "") {
        scalars = Array(text.unicodeScalars.prefix(Self.scalarsMax))
        cursor = scalars.count
    }

    package var text: String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    package var isEmpty: Bool { scalars.isEmpty }

    /// The text before the cursor.
    package var prefix: String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[..<cursor])
        return String(view)
    }

    /// Puts text in at the cursor; line breaks become spaces.
    package mutating func insert(_ text: String) {
        for scalar in text.unicodeScalars where scalars.count < Self.scalarsMax {
            let isControl = scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
            scalars.insert(isControl ? " " : scalar, at: cursor)
            cursor += 1
        }
    }

    /// Replaces the `count` scalars before the cursor.
    package mutating func replace(last count: Int, with text: String) {
        let start = max(0, cursor - count)
        scalars.removeSubrange(start..<cursor)
        cursor = start
        insert(text)
    }

    /// Takes a key in as Emacs and readline do; returns whether it was one for editing.
    package mutating func handle(_ press: KeyPress) -> Bool {
        if let character = press.character {
            insert(String(Character(character)))
            return true
        }
        let isControl = press.modifiers.contains(.control)
        let isWord = isControl || press.modifiers.contains(.alt)
        switch press.key {
        case .backspace:
            delete(to: isWord ? wordStart : cursor - 1)
        case .delete:
            if cursor < scalars.count { scalars.remove(at: cursor) }
        case .left: cursor = isWord ? wordStart : max(0, cursor - 1)
        case .right: cursor = isWord ? wordEnd : min(scalars.count, cursor + 1)
        case .home: cursor = 0
        case .end: cursor = scalars.count
        case .character("a") where isControl: cursor = 0
        case .character("e") where isControl: cursor = scalars.count
        case .character("b") where isControl: cursor = max(0, cursor - 1)
        case .character("f") where isControl: cursor = min(scalars.count, cursor + 1)
        case .character("u") where isControl: delete(to: 0)
        case .character("k") where isControl: scalars.removeSubrange(cursor...)
        case .character("w") where isControl: delete(to: wordStart)
        case .character("b") where isWord: cursor = wordStart
        case .character("f") where isWord: cursor = wordEnd
        default: return false
        }
        return true
    }

    private mutating func delete(to start: Int) {
        guard start >= 0, start < cursor else { return }
        scalars.removeSubrange(start..<cursor)
        cursor = start
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_"
            || scalar == ":"
    }

    private var wordStart: Int {
        var index = cursor
        while index > 0, !Self.isWord(scalars[index - 1]) { index -= 1 }
        while index > 0, Self.isWord(scalars[index - 1]) { index -= 1 }
        return index
    }

    private var wordEnd: Int {
        var index = cursor
        while index < scalars.count, !Self.isWord(scalars[index]) { index += 1 }
        while index < scalars.count, Self.isWord(scalars[index]) { index += 1 }
        return index
    }

    /// Draws the part around the cursor, and returns where the cursor is.
    package func draw(
        into buffer: inout CellBuffer,
        x: Int,
        y: Int,
        width: Int,
        _ style: Style
    ) -> CursorPlace {
        let before = scalars[..<cursor].reduce(0) { $0 + CharacterWidth.of($1) }
        var skipped = 0
        var start = 0
        while before - skipped > max(0, width - 1), start < cursor {
            skipped += CharacterWidth.of(scalars[start])
            start += 1
        }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[start...])
        buffer.write(String(view), x: x, y: y, style, widthMax: width)
        return CursorPlace(x: x + before - skipped, y: y)
    }
}
