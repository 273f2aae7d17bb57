/// A frame as text, for pipes, files and chat.
package enum FrameText {
    /// Rows without trailing spaces, each ending in a newline.
    package static func plain(
        _ frame: CellBuffer,
        glyphs: GlyphRepertoire = .braille
    ) -> String {
        let shown = GlyphFallback.apply(glyphs, to: frame)
        var text = ""
        for y in 0..<shown.height {
            var line = ""
            for x in 0..<shown.width { line += shown[x, y].text }
            while line.last == " " { line.removeLast() }
            text += line + "\n"
        }
        return text
    }

    /// The same with colours; every row ends with the terminal's own.
    package static func ansi(
        _ frame: CellBuffer,
        capabilities: TerminalCapabilities
    ) -> String {
        let shown = GlyphFallback.apply(capabilities.glyphs, to: frame)
        var text = ""
        for y in 0..<shown.height {
            var end = shown.width
            while end > 0, shown[end - 1, y] == .blank { end -= 1 }
            var pen = Style.plain
            for x in 0..<end {
                let cell = shown[x, y]
                guard cell.width > 0 else { continue }
                text += SGR.change(from: pen, to: cell.style, colors: capabilities.colors)
                pen = cell.style
                text += cell.text
            }
            text += SGR.change(from: pen, to: .plain, colors: capabilities.colors) + "\n"
        }
        return text
    }
}
