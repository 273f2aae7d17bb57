/// One place on the screen: 16 bytes of plain integers, so that rows compare and hash as words.
package struct Cell: Hashable, Sendable {
    /// A Unicode scalar; or, with the top bit set, an index into `GraphemeTable`; or 0 in the right
    /// half of a wide character.
    package var glyph: UInt32
    package var foreground: Color
    package var background: Color
    package var attributes: TextAttributes
    /// 1, 2, or 0 in the right half of a wide character.
    package var width: UInt8
    private var unused: UInt8 = 0

    package init(glyph: UInt32, width: UInt8, style: Style) {
        self.glyph = glyph
        self.foreground = style.foreground
        self.background = style.background
        self.attributes = style.attributes
        self.width = width
    }

    /// A space in the terminal's own colours.
    package static let blank = Cell(glyph: 0x20, width: 1, style: .plain)

    /// The right half of a wide character.
    package static func continuation(_ style: Style) -> Cell {
        Cell(glyph: 0, width: 0, style: style)
    }

    package var style: Style { Style(foreground, on: background, attributes) }

    /// What is printed: empty for the right half of a wide character.
    package var text: String {
        if glyph & GraphemeTable.mark != 0 { return GraphemeTable.text(of: glyph) }
        guard glyph != 0, let scalar = Unicode.Scalar(glyph) else { return "" }
        return String(Character(scalar))
    }

    /// All there is in a cell as two words, for hashing.
    var words: (UInt64, UInt64) {
        (
            UInt64(glyph) | UInt64(foreground.rawValue) << 32,
            UInt64(background.rawValue) | UInt64(attributes.rawValue) << 32
                | UInt64(width) << 48
        )
    }
}
