/// Turns a frame into the fewest bytes that make the terminal show it, given what it shows now.
///
/// Rows that hash alike are skipped; in the others, runs of changed cells are written, each after the
/// shortest cursor movement and the shortest change of colours. The bytes of a frame are one write.
package struct FrameEncoder {
    private let capabilities: TerminalCapabilities
    private var shown: CellBuffer?
    private var shownHashes: [UInt64] = []
    private var shownCursor: CursorPlace?
    private var output: [UInt8] = []
    /// What the terminal's pen is; nil when it is not known.
    private var pen: Style?
    /// Where the terminal's cursor is; nil when it is not known.
    private var position: (x: Int, y: Int)?

    /// Equal cells between two changed ones that are written again rather than jumped over.
    private static let gapMax = 3

    package init(capabilities: TerminalCapabilities) { self.capabilities = capabilities }

    /// Forgets what the terminal shows: the next frame is sent whole.
    package mutating func invalidate() {
        shown = nil
        pen = nil
        position = nil
    }

    /// The bytes that turn what is shown into `frame`: empty when nothing changed.
    ///
    /// `cursor`: where to show the cursor, or nil to hide it.
    package mutating func encode(_ frame: CellBuffer, cursor: CursorPlace? = nil) -> [UInt8] {
        let next = GlyphFallback.apply(capabilities.glyphs, to: frame)
        let hashes = (0..<next.height).map { next.rowHash($0) }
        output.removeAll(keepingCapacity: true)
        let isWhole = shown?.size != next.size
        let before: CellBuffer
        if let shown, !isWhole {
            before = shown
        } else {
            before = CellBuffer(size: next.size)
            pen = .plain
            position = nil
            append("\u{1B}[0m\u{1B}[2J")
        }
        for y in 0..<next.height where isWhole || hashes[y] != shownHashes[y] {
            encodeRow(y, before, next)
        }
        if isWhole || !output.isEmpty || cursor != shownCursor { place(cursor, isWhole: isWhole) }
        shown = next
        shownHashes = hashes
        shownCursor = cursor
        guard !output.isEmpty else { return [] }
        guard capabilities.hasSynchronizedOutput else { return output }
        return Array(TerminalSequences.beginFrame.utf8) + output
            + Array(TerminalSequences.endFrame.utf8)
    }

    private mutating func place(_ cursor: CursorPlace?, isWhole: Bool) {
        if let cursor {
            move(to: cursor.x, cursor.y)
            if isWhole || shownCursor == nil { append("\u{1B}[?25h") }
        } else if isWhole || shownCursor != nil {
            append("\u{1B}[?25l")
        }
    }

    private mutating func encodeRow(_ y: Int, _ before: CellBuffer, _ next: CellBuffer) {
        let width = next.width
        let row = y * width
        var blankFrom = width
        while blankFrom > 0, next.cells[row + blankFrom - 1] == .blank { blankFrom -= 1 }
        var x = 0
        while x < width {
            guard before.cells[row + x] != next.cells[row + x] else {
                x += 1
                continue
            }
            if x >= blankFrom, width - x > 4 {
                eraseRest(from: x, y)
                return
            }
            // A changed right half means that the left half has to be written.
            if next.cells[row + x].width == 0 { x -= 1 }
            var end = x + 1
            var equal = 0
            var index = x + 1
            while index < width, index < max(blankFrom, x + 1), equal <= Self.gapMax {
                if before.cells[row + index] != next.cells[row + index] {
                    end = index + 1
                    equal = 0
                } else {
                    equal += 1
                }
                index += 1
            }
            if end < width, next.cells[row + end].width == 0 { end += 1 }
            move(to: x, y)
            for column in x..<end { put(next.cells[row + column], width: width) }
            x = end
        }
    }

    private mutating func eraseRest(from x: Int, _ y: Int) {
        move(to: x, y)
        setPen(.plain)
        append("\u{1B}[K")
    }

    private mutating func put(_ cell: Cell, width: Int) {
        guard cell.width > 0 else { return }
        setPen(cell.style)
        if cell.glyph < 0x80 {
            output.append(UInt8(truncatingIfNeeded: cell.glyph))
        } else {
            output.append(contentsOf: cell.text.utf8)
        }
        guard let (x, y) = position else { return }
        let after = x + Int(cell.width)
        // At the margin terminals differ, and so they do about what is wide: say where we are again.
        let isTrusted = cell.width == 1 && cell.glyph & GraphemeTable.mark == 0 && after < width
        position = isTrusted ? (after, y) : nil
        if !isTrusted, after < width { move(to: after, y) }
    }

    private mutating func move(to x: Int, _ y: Int) {
        if let position, position == (x, y) { return }
        var best = "\u{1B}[\(y + 1);\(x + 1)H"
        if x == 0 { best = y == 0 ? "\u{1B}[H" : "\u{1B}[\(y + 1)H" }
        if let position {
            if position.y == y {
                let distance = abs(x - position.x)
                let count = distance == 1 ? "" : "\(distance)"
                let relative = "\u{1B}[\(count)\(x > position.x ? "C" : "D")"
                if x == 0 {
                    best = "\r"
                } else if relative.utf8.count < best.utf8.count {
                    best = relative
                }
            } else if x == 0, y == position.y + 1 {
                best = "\r\n"
            } else if x == position.x, y == position.y + 1 {
                best = "\n"
            }
        }
        append(best)
        position = (x, y)
    }

    private mutating func setPen(_ style: Style) {
        guard pen != style else { return }
        let change = SGR.change(from: pen, to: style, colors: capabilities.colors)
        output.append(contentsOf: change.utf8)
        pen = style
    }

    private mutating func append(_ text: String) { output.append(contentsOf: text.utf8) }
}

/// Where the cursor shows.
///
/// Counted from 0.
package struct CursorPlace: Hashable, Sendable {
    package let x: Int
    package let y: Int

    package init(x: Int, y: Int) {
        self.x = x
        self.y = y
    }
}
