/// Stand-ins for glyphs that a terminal's font may lack.
///
/// Widths stay the same.
enum GlyphFallback {
    static func apply(_ repertoire: GlyphRepertoire, to buffer: CellBuffer) -> CellBuffer {
        switch repertoire {
        case .braille: buffer
        case .blocks: buffer.mapped { replacing($0, brailleAsBlock($0.glyph)) }
        case .ascii: buffer.mapped { $0.glyph < 0x80 ? $0 : replacing($0, ascii($0)) }
        }
    }

    private static func replacing(_ cell: Cell, _ glyph: UInt32) -> Cell {
        guard glyph != cell.glyph else { return cell }
        return Cell(glyph: glyph, width: cell.width, style: cell.style)
    }

    /// Quadrants by the bits upper left 1, upper right 2, lower left 4, lower right 8.
    private static let quadrants: [UInt32] = [
        0x20, 0x2598, 0x259D, 0x2580, 0x2596, 0x258C, 0x259E, 0x259B,
        0x2597, 0x259A, 0x2590, 0x259C, 0x2584, 0x2599, 0x259F, 0x2588,
    ]

    private static func brailleAsBlock(_ glyph: UInt32) -> UInt32 {
        guard (0x2800...0x28FF).contains(glyph) else { return glyph }
        let dots = glyph & 0xFF
        var quadrant = 0
        if dots & 0x03 != 0 { quadrant |= 1 }
        if dots & 0x18 != 0 { quadrant |= 2 }
        if dots & 0x44 != 0 { quadrant |= 4 }
        if dots & 0xA0 != 0 { quadrant |= 8 }
        return quadrants[quadrant]
    }

    private static func ascii(_ cell: Cell) -> UInt32 {
        let stand: Unicode.Scalar
        switch cell.glyph {
        case 0: return 0
        case 0x2800: stand = " "
        case 0x2801...0x28FF:
            // Dots in the upper half, the lower half, or both.
            let upper = cell.glyph & 0x1B != 0
            let lower = cell.glyph & 0xE4 != 0
            stand = upper && lower ? "*" : upper ? "'" : "."
        case 0x2500, 0x2501, 0x2504, 0x2505, 0x2508, 0x254C, 0x2550: stand = "-"
        case 0x2502, 0x2503, 0x2506, 0x250A, 0x254E, 0x2551: stand = "|"
        case 0x250C...0x254B, 0x2552...0x2570: stand = "+"
        case 0x2580, 0x2594, 0x2598, 0x259D: stand = "'"
        case 0x2581...0x2583: stand = "_"
        case 0x2584...0x2586: stand = "="
        case 0x2587, 0x2588: stand = "#"
        case 0x2589...0x2593, 0x2595...0x259F: stand = "#"
        case 0xB7, 0x2022: stand = "."
        case 0x2026: stand = "~"
        case 0x25B8, 0x203A, 0x2192: stand = ">"
        case 0x25BE, 0x2193: stand = "v"
        case 0x2190: stand = "<"
        case 0x2191: stand = "^"
        case 0xB5: stand = "u"
        case 0x25CF, 0x25C6, 0x25A0: stand = "*"
        case 0x25CB: stand = "o"
        default: stand = "?"
        }
        return stand.value
    }
}
