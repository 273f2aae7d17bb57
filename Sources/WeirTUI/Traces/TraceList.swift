internal import WeirTerminal

/// Draws traces that were found, one a line, with their durations as bars.
struct TraceList {
    let items: [TraceSummary]
    let theme: Theme
    var selected: Int?
    var offset = 0

    private static let barWidth = 10

    func draw(into buffer: inout CellBuffer, in rect: Rect) {
        guard !rect.isEmpty else { return }
        let clip = buffer.clip
        buffer.clip = rect.intersection(clip)
        defer { buffer.clip = clip }
        let isWide = rect.width >= 90
        let rootWidth = isWide ? max(20, (rect.width - 52) / 2) : max(10, rect.width - 42)
        var x = rect.x
        for (title, width, isRight) in [
            ("start", 12, false), ("duration", 9 + Self.barWidth, true), ("spans", 6, true),
            ("errors", 6, true), ("root", rootWidth, false),
        ] {
            if isRight {
                buffer.writeRight(title, x: x, y: rect.y, width: width, theme.muted)
            } else {
                buffer.write(title, x: x, y: rect.y, theme.muted)
            }
            x += width + 1
        }
        if isWide { buffer.write("services", x: x, y: rect.y, theme.muted) }
        guard !items.isEmpty else {
            buffer.write("no traces in this time", x: rect.x, y: rect.y + 1, theme.muted)
            return
        }
        let longest = max(1, items.reduce(0) { max($0, $1.duration) })
        for (line, item) in items.dropFirst(offset).prefix(rect.height - 1).enumerated() {
            draw(
                item,
                longest,
                rootWidth,
                isWide,
                into: &buffer,
                rect,
                rect.y + 1 + line
            )
            if selected == offset + line {
                buffer.restyle(
                    Rect(x: rect.x, y: rect.y + 1 + line, width: rect.width, height: 1)
                ) { _ in theme.selection }
            }
        }
    }

    private func draw(
        _ item: TraceSummary,
        _ longest: Int64,
        _ rootWidth: Int,
        _ isWide: Bool,
        into buffer: inout CellBuffer,
        _ rect: Rect,
        _ y: Int
    ) {
        var x = rect.x
        buffer.write(TraceText.clock(item.start), x: x, y: y, theme.muted)
        x += 13
        let eighths = Int(
            (Double(item.duration) / Double(longest) * Double(8 * Self.barWidth)).rounded(.up)
        )
        let style = item.errorCount > 0 ? theme.error : Style(theme.seriesColor(0))
        for cell in 0..<Self.barWidth {
            let filled = min(8, eighths - 8 * cell)
            guard filled > 0, let glyph = Unicode.Scalar(0x2590 - UInt32(filled)) else { break }
            // U+2588 is the whole cell, U+258F its left eighth.
            buffer.set(x + cell, y, glyph, Style(style.foreground))
        }
        buffer.writeRight(
            TraceText.duration(item.duration),
            x: x + Self.barWidth,
            y: y,
            width: 9,
            theme.strong
        )
        x += Self.barWidth + 10
        buffer.writeRight(String(item.spanCount), x: x, y: y, width: 6, theme.text)
        x += 7
        buffer.writeRight(
            item.errorCount > 0 ? "\(item.errorCount)!" : "-",
            x: x,
            y: y,
            width: 6,
            item.errorCount > 0 ? theme.error : theme.muted
        )
        x += 7
        let end = x + rootWidth
        let at = buffer.write(item.rootService + " ", x: x, y: y, theme.strong, widthMax: rootWidth)
        buffer.write(
            CharacterWidth.truncated(item.rootName, to: max(0, end - at)),
            x: at,
            y: y,
            theme.text
        )
        guard isWide else { return }
        buffer.write(
            CharacterWidth.truncated(item.servicesText, to: max(0, rect.maxX - end - 1)),
            x: end + 1,
            y: y,
            theme.muted
        )
    }
}
