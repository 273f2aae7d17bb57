/// A screen in memory.
///
/// Drawing outside it, or outside the clip, does nothing.
///
/// Invariants: `cells.count == width * height`; a cell of width 2 is followed in its row by one of
/// width 0, and only there does one of width 0 stand. No control character is ever in a cell, so text
/// from outside cannot reach the terminal as a command.
package struct CellBuffer: Equatable, Sendable {
    package let width: Int
    package let height: Int
    package private(set) var cells: [Cell]
    /// Drawing is held to this rectangle.
    package var clip: Rect

    package init(size: ScreenSize) {
        width = size.width
        height = size.height
        cells = Array(repeating: .blank, count: size.width * size.height)
        clip = Rect(x: 0, y: 0, width: size.width, height: size.height)
    }

    package var size: ScreenSize { ScreenSize(width: width, height: height) }
    package var bounds: Rect { Rect(x: 0, y: 0, width: width, height: height) }

    /// The cell at a place; blank outside.
    package subscript(x: Int, y: Int) -> Cell {
        guard x >= 0, y >= 0, x < width, y < height else { return .blank }
        return cells[y * width + x]
    }

    /// Empties everything, and lifts the clip.
    package mutating func clear() {
        clip = bounds
        for index in cells.indices { cells[index] = .blank }
    }

    /// Places a scalar of width 1 or 2.
    ///
    /// A wide one that would be cut in half becomes a space.
    package mutating func set(_ x: Int, _ y: Int, _ scalar: Unicode.Scalar, _ style: Style) {
        place(x, y, glyph: scalar.value, width: CharacterWidth.of(scalar), style)
    }

    private mutating func place(_ x: Int, _ y: Int, glyph: UInt32, width: Int, _ style: Style) {
        guard clip.contains(x: x, y: y), bounds.contains(x: x, y: y) else { return }
        let index = y * self.width + x
        breakWide(at: index)
        guard width == 2 else {
            cells[index] = Cell(glyph: glyph, width: 1, style: style)
            return
        }
        guard x + 1 < self.width, clip.contains(x: x + 1, y: y) else {
            cells[index] = Cell(glyph: 0x20, width: 1, style: style)
            return
        }
        breakWide(at: index + 1)
        cells[index] = Cell(glyph: glyph, width: 2, style: style)
        cells[index + 1] = .continuation(style)
    }

    /// Overwriting half of a wide character leaves a space in the other half.
    private mutating func breakWide(at index: Int) {
        if cells[index].width == 0 {
            cells[index - 1] = Cell(glyph: 0x20, width: 1, style: cells[index - 1].style)
            cells[index] = Cell(glyph: 0x20, width: 1, style: cells[index].style)
        } else if cells[index].width == 2 {
            cells[index + 1] = Cell(glyph: 0x20, width: 1, style: cells[index + 1].style)
        }
    }

    /// Writes one line of text and returns the column after it.
    ///
    /// Control characters show as `·`, joiners and variation selectors are left out, accents join
    /// the letter before them.
    @discardableResult
    package mutating func write(
        _ text: some StringProtocol,
        x: Int,
        y: Int,
        _ style: Style = .plain,
        widthMax: Int = .max
    ) -> Int {
        var column = x
        let end = widthMax == .max ? Int.max : x + max(0, widthMax)
        for scalar in text.unicodeScalars {
            let shown = CharacterWidth.shown(scalar)
            guard let shown else { continue }
            let scalarWidth = CharacterWidth.of(shown)
            if scalarWidth == 0 {
                attach(shown, before: column, from: x, y: y)
                continue
            }
            guard column + scalarWidth <= end else { break }
            place(column, y, glyph: shown.value, width: scalarWidth, style)
            column += scalarWidth
        }
        return column
    }

    private mutating func attach(_ scalar: Unicode.Scalar, before column: Int, from x: Int, y: Int)
    {
        var base = column - 1
        guard base >= x, clip.contains(x: base, y: y), bounds.contains(x: base, y: y) else {
            return
        }
        if cells[y * width + base].width == 0 { base -= 1 }
        guard base >= x else { return }
        let index = y * width + base
        cells[index].glyph = GraphemeTable.appending(scalar, to: cells[index].glyph)
    }

    /// Writes text so that it ends before column `x + width`; cut at the end with `…` when too long.
    package mutating func writeRight(
        _ text: String,
        x: Int,
        y: Int,
        width: Int,
        _ style: Style = .plain
    ) {
        let shown = CharacterWidth.truncated(text, to: width)
        write(shown, x: x + max(0, width - CharacterWidth.of(shown)), y: y, style)
    }

    /// Fills a rectangle with one scalar of width 1.
    package mutating func fill(
        _ rect: Rect,
        _ scalar: Unicode.Scalar = " ",
        _ style: Style = .plain
    ) {
        let part = rect.intersection(clip).intersection(bounds)
        guard !part.isEmpty else { return }
        for y in part.y..<part.maxY {
            for x in part.x..<part.maxX { place(x, y, glyph: scalar.value, width: 1, style) }
        }
    }

    /// Changes the look of what stands in a rectangle.
    package mutating func restyle(_ rect: Rect, _ change: (Style) -> Style) {
        let part = rect.intersection(clip).intersection(bounds)
        guard !part.isEmpty else { return }
        for y in part.y..<part.maxY {
            for x in part.x..<part.maxX {
                let cell = cells[y * width + x]
                cells[y * width + x] = Cell(
                    glyph: cell.glyph,
                    width: cell.width,
                    style: change(cell.style)
                )
            }
            // The halves of a wide character look alike, also where the edge cuts one.
            for x in part.x..<min(part.maxX + 1, width) where cells[y * width + x].width == 0 {
                cells[y * width + x] = .continuation(cells[y * width + x - 1].style)
            }
        }
    }

    /// Copies the rows of another buffer from `sourceY` into a rectangle of this one: for scrolling.
    package mutating func copy(_ other: CellBuffer, sourceY: Int, into rect: Rect) {
        let part = rect.intersection(bounds)
        guard !part.isEmpty else { return }
        for row in 0..<part.height {
            let y = sourceY + row
            guard y >= 0, y < other.height else { continue }
            for column in 0..<min(part.width, other.width) {
                cells[(part.y + row) * width + part.x + column] =
                    other.cells[
                        y * other.width + column
                    ]
            }
        }
    }

    /// The same screen with every cell passed through `change`, which must keep widths.
    func mapped(_ change: (Cell) -> Cell) -> CellBuffer {
        var copy = self
        for index in copy.cells.indices { copy.cells[index] = change(copy.cells[index]) }
        return copy
    }

    /// A number that is equal for equal rows and, but for one chance in 2⁶⁴, only for those.
    package func rowHash(_ y: Int) -> UInt64 {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
        for index in (y * width)..<((y + 1) * width) {
            let (first, second) = cells[index].words
            hash = (hash ^ first) &* 0xBF58_476D_1CE4_E5B9
            hash ^= hash &>> 29
            hash = (hash ^ second) &* 0x94D0_49BB_1331_11EB
            hash ^= hash &>> 32
        }
        return hash
    }
}
