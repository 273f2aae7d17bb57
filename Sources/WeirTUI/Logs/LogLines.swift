internal import WeirCore
internal import WeirTerminal

/// How log rows look on one line each.
enum LogLines {
    static func style(_ level: LogLevel, _ theme: Theme) -> Style {
        switch level {
        case .fatal, .error: theme.error
        case .warn: theme.warning
        case .info: Style(theme.seriesColor(0))
        case .debug, .trace, .unknown: theme.muted
        }
    }

    static func word(_ level: LogLevel) -> String {
        switch level {
        case .unknown: "-    "
        case .info, .warn: level.rawValue.uppercased() + " "
        default: level.rawValue.uppercased()
        }
    }

    /// `10:43:20.123`.
    static func clock(_ milliseconds: Int64) -> String {
        let time = CivilTime(milliseconds: milliseconds)
        let clock = [time.hour, time.minute, time.second].map { $0 < 10 ? "0\($0)" : "\($0)" }
        return clock.joined(separator: ":") + "." + String("00\(time.millisecond)".suffix(3))
    }

    /// Draws the newest rows that there is room for, the newest last.
    static func draw(
        _ rows: [LogRow],
        into buffer: inout CellBuffer,
        in rect: Rect,
        theme: Theme
    ) {
        guard !rows.isEmpty else {
            buffer.write("no lines", x: rect.x, y: rect.y, theme.muted)
            return
        }
        for (line, row) in rows.suffix(rect.height).enumerated() {
            draw(row, columns: [], into: &buffer, x: rect.x, y: rect.y + line, rect.width, theme)
        }
    }

    /// Draws one row on one line; returns where its text begins.
    @discardableResult
    static func draw(
        _ row: LogRow,
        columns: [String],
        into buffer: inout CellBuffer,
        x: Int,
        y: Int,
        _ width: Int,
        _ theme: Theme
    ) -> Int {
        let end = x + width
        let level = row.level
        var at = buffer.write(clock(row.time) + " ", x: x, y: y, theme.muted, widthMax: width)
        at = buffer.write(word(level) + " ", x: at, y: y, style(level, theme), widthMax: end - at)
        let origin = row.origin
        if !origin.isEmpty {
            at = buffer.write(origin + " ", x: at, y: y, theme.strong, widthMax: end - at)
        }
        for name in columns {
            at = buffer.write(
                (row[name] ?? "-") + " ",
                x: at,
                y: y,
                Style(theme.seriesColor(5)),
                widthMax: end - at
            )
        }
        let start = at
        at = buffer.write(firstLine(row.line), x: at, y: y, theme.text, widthMax: end - at)
        return start
    }

    /// The text up to its first line break, with the number of the lines that follow.
    static func firstLine(_ text: String) -> String {
        guard let end = text.firstIndex(of: "\n") else { return text }
        let rest = text[end...].utf8.count { $0 == 0x0A }
        return "\(text[..<end]) (+\(rest) \(rest == 1 ? "line" : "lines"))"
    }
}
