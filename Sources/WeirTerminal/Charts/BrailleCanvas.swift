/// A rectangle of dots, two across and four down in each cell.
///
/// A cell has one colour: later dots replace earlier ones' colour, and where two series cross in a
/// cell both keep their dots.
package struct BrailleCanvas {
    package let cells: Int
    package let rows: Int
    private var bits: [UInt8]
    private var styles: [Style]

    package init(cells: Int, rows: Int) {
        self.cells = max(0, cells)
        self.rows = max(0, rows)
        bits = Array(repeating: 0, count: self.cells * self.rows)
        styles = Array(repeating: .plain, count: self.cells * self.rows)
    }

    package var width: Int { cells * 2 }
    package var height: Int { rows * 4 }

    /// The bit of each dot in a cell, by row and column.
    ///
    /// Source: Unicode, Braille Patterns.
    private static let masks: [UInt8] = [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80]

    /// Sets one dot; outside it does nothing.
    package mutating func set(_ x: Int, _ y: Int, _ style: Style) {
        guard x >= 0, y >= 0, x < width, y < height else { return }
        let index = (y / 4) * cells + x / 2
        bits[index] |= Self.masks[(y % 4) * 2 + x % 2]
        styles[index] = style
    }

    /// Sets the dots of one column from `top` to `bottom`.
    package mutating func column(_ x: Int, _ top: Int, _ bottom: Int, _ style: Style) {
        let low = max(0, min(top, bottom))
        let high = min(height - 1, max(top, bottom))
        guard low <= high else { return }
        for y in low...high { set(x, y, style) }
    }

    /// Joins two dots with a line (Bresenham's algorithm).
    package mutating func line(_ x0: Int, _ y0: Int, _ x1: Int, _ y1: Int, _ style: Style) {
        let dx = abs(x1 - x0)
        let dy = -abs(y1 - y0)
        let sx = x0 < x1 ? 1 : -1
        let sy = y0 < y1 ? 1 : -1
        var error = dx + dy
        var (x, y) = (x0, y0)
        while true {
            set(x, y, style)
            if x == x1, y == y1 { return }
            let twice = 2 * error
            if twice >= dy {
                error += dy
                x += sx
            }
            if twice <= dx {
                error += dx
                y += sy
            }
        }
    }

    /// Whether a cell has no dot.
    package func isEmpty(cell: Int, row: Int) -> Bool { bits[row * cells + cell] == 0 }

    /// Draws every cell that has a dot.
    package func draw(into buffer: inout CellBuffer, x: Int, y: Int) {
        for row in 0..<rows {
            for cell in 0..<cells where bits[row * cells + cell] != 0 {
                let code = 0x2800 + UInt32(bits[row * cells + cell])
                guard let scalar = Unicode.Scalar(code) else { continue }
                buffer.set(x + cell, y + row, scalar, styles[row * cells + cell])
            }
        }
    }
}
