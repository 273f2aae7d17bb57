internal import WeirCore
internal import WeirTerminal

extension App {
    /// Draws the query, the volume, the fields, and the lines.
    func drawLogs(into buffer: inout CellBuffer, in content: Rect) -> CursorPlace? {
        let box = Rect(x: content.x, y: content.y, width: content.width, height: 3)
        let isQuery = logs.typing == .query
        let inside = Frame(
            title: "Logs",
            note: isQuery ? "enter runs" : "i edits",
            isFocused: isQuery
        ).draw(into: &buffer, in: box, theme: theme)
        var cursor: CursorPlace?
        if isQuery {
            cursor = logs.editor.draw(
                into: &buffer,
                x: inside.x + 1,
                y: inside.y,
                width: inside.width - 2,
                theme.text
            )
        } else {
            let text = logs.query.isEmpty ? "everything" : logs.query
            buffer.write(
                CharacterWidth.truncated(text, to: inside.width - 2),
                x: inside.x + 1,
                y: inside.y,
                logs.query.isEmpty ? theme.muted : theme.text
            )
        }
        var top = box.maxY
        if content.height >= 24 {
            let volume = Rect(x: content.x, y: top, width: content.width, height: 7)
            drawVolume(into: &buffer, in: volume)
            top = volume.maxY
        }
        let height = content.maxY - top
        let sideWidth = content.width >= 90 ? 34 : 0
        if sideWidth > 0 {
            drawSide(
                into: &buffer,
                in: Rect(x: content.x, y: top, width: sideWidth, height: height)
            )
        }
        drawLines(
            into: &buffer,
            in: Rect(
                x: content.x + sideWidth,
                y: top,
                width: content.width - sideWidth,
                height: height
            )
        )
        if logs.typing == .search {
            let y = size.height - 2
            buffer.fill(Rect(x: 0, y: y, width: size.width, height: 1), " ", theme.text)
            buffer.write("/", x: 1, y: y, theme.strong)
            cursor = logs.editor.draw(
                into: &buffer,
                x: 2,
                y: y,
                width: size.width - 4,
                theme.text
            )
        }
        return cursor
    }

    // MARK: Volume

    private func drawVolume(into buffer: inout CellBuffer, in rect: Rect) {
        let total = logs.volume.map { "\(Self.grouped($0.total)) lines" } ?? ""
        let inside = Frame(title: "Volume by level", note: total).draw(
            into: &buffer,
            in: rect,
            theme: theme
        )
        guard let volume = logs.volume, let first = volume.series.first, inside.height > 0 else {
            return
        }
        let count = first.counts.count
        let width = inside.width
        guard count > 0, width > 0 else { return }
        // Each column adds up the buckets that fall on it.
        func bucket(_ column: Int) -> Range<Int> {
            let low = column * count / width
            return low..<max(low + 1, (column + 1) * count / width)
        }
        var columns: [[Int]] = []
        for column in 0..<width {
            columns.append(
                volume.series.map { series in
                    bucket(column).reduce(0) {
                        $0 + ($1 < series.counts.count ? series.counts[$1] : 0)
                    }
                }
            )
        }
        let greatest = max(1, columns.map { $0.reduce(0, +) }.max() ?? 1)
        let eighths = inside.height * 8
        for (column, counts) in columns.enumerated() {
            // Errors stand at the bottom, where a few of them are seen.
            var filled = 0
            var sum = 0
            for (index, count) in counts.enumerated() where count > 0 {
                sum += count
                let end = max(filled + 1, (sum * eighths + greatest - 1) / greatest)
                let style = LogLines.style(volume.series[index].level, theme)
                drawBar(
                    filled..<min(end, eighths),
                    column: inside.x + column,
                    in: inside,
                    style,
                    into: &buffer
                )
                filled = min(end, eighths)
            }
        }
    }

    /// Fills eighths of a column; a cell that two levels share has the look of the upper one.
    private func drawBar(
        _ range: Range<Int>,
        column: Int,
        in rect: Rect,
        _ style: Style,
        into buffer: inout CellBuffer
    ) {
        guard !range.isEmpty else { return }
        for cell in (range.lowerBound / 8)...((range.upperBound - 1) / 8) {
            let height = min(8, range.upperBound - cell * 8)
            let y = rect.maxY - 1 - cell
            guard y >= rect.y, let glyph = Unicode.Scalar(0x2580 + UInt32(height)) else { continue }
            buffer.set(column, y, glyph, Style(style.foreground))
        }
    }

    // MARK: Fields and patterns

    private func drawSide(into buffer: inout CellBuffer, in rect: Rect) {
        let isFocused = logs.pane == .facets
        let inside = Frame(
            title: "Fields and patterns",
            note: isFocused ? "+ -" : "tab",
            isFocused: isFocused
        ).draw(into: &buffer, in: rect, theme: theme)
        let clip = buffer.clip
        buffer.clip = inside.intersection(clip)
        defer { buffer.clip = clip }
        var rows: [(text: String, count: Int?, choice: Int?)] = []
        var choice = 0
        for facet in logs.facets {
            rows.append(("\(facet.name) (\(facet.distinct))", nil, nil))
            for value in facet.values {
                rows.append((value.text.isEmpty ? "(none)" : value.text, value.count, choice))
                choice += 1
            }
        }
        if !logs.patterns.isEmpty { rows.append(("patterns", nil, nil)) }
        for pattern in logs.patterns {
            rows.append((pattern.text, pattern.count, choice))
            choice += 1
        }
        let at = rows.firstIndex { $0.choice == logs.facet } ?? 0
        let first = isFocused ? max(0, min(at - inside.height / 2, rows.count - inside.height)) : 0
        for (line, row) in rows.dropFirst(max(0, first)).prefix(inside.height).enumerated() {
            let y = inside.y + line
            guard let count = row.count else {
                buffer.write(row.text, x: inside.x, y: y, theme.strong, widthMax: inside.width)
                continue
            }
            let number = Self.short(count)
            buffer.write(
                CharacterWidth.truncated(
                    LogLines.firstLine(row.text),
                    to: inside.width - number.utf8.count - 2
                ),
                x: inside.x + 1,
                y: y,
                theme.text
            )
            buffer.writeRight(number, x: inside.x, y: y, width: inside.width, theme.muted)
            if isFocused, row.choice == logs.facet {
                buffer.restyle(Rect(x: inside.x, y: y, width: inside.width, height: 1)) { _ in
                    theme.selection
                }
            }
        }
    }

    // MARK: Lines

    private var linesNote: (String, Style?) {
        guard logs.isFollowing else {
            if logs.isLoading { return ("loading", nil) }
            let count = logs.items.count
            return (count == LogsState.rowsMax ? "newest \(count)" : "\(count) lines", nil)
        }
        let left = logs.dropped > 0 ? ", \(Self.grouped(logs.dropped)) left out" : ""
        if logs.isHeld {
            return ("PAUSED +\(Self.grouped(logs.heldCount))\(left), G catches up", theme.error)
        }
        return (
            "following \(Self.short(logs.rate))/s, \(Self.grouped(logs.received))\(left)",
            theme.good
        )
    }

    private func drawLines(into buffer: inout CellBuffer, in rect: Rect) {
        let (note, style) = linesNote
        let inside = Frame(
            title: logs.search.isEmpty ? "Lines" : "Lines, /\(logs.search)",
            note: note,
            noteStyle: style,
            isFocused: logs.pane == .lines && logs.typing != .query
        ).draw(into: &buffer, in: rect, theme: theme)
        guard inside.height > 0, inside.width > 4 else { return }
        let clip = buffer.clip
        buffer.clip = inside.intersection(clip)
        defer { buffer.clip = clip }
        var y = inside.y
        if let error = logs.error, !error.isOutage {
            for line in TextWrap.lines("error: \(error.text)", width: inside.width).prefix(4) {
                buffer.write(line, x: inside.x, y: y, theme.error)
                y += 1
            }
        }
        guard !logs.items.isEmpty else {
            if !logs.isLoading, logs.error == nil {
                buffer.write("no lines in this time", x: inside.x, y: y, theme.muted)
            }
            return
        }
        settleTop(room: inside.maxY - y, width: inside.width)
        var index = logs.top
        while index < logs.items.count, y < inside.maxY {
            y = drawItem(index, into: &buffer, inside, y)
            index += 1
        }
    }

    private func height(_ index: Int, width: Int) -> Int {
        guard let row = logs.items[index].row() else { return 1 }
        var height = 1
        if logs.isWrapped { height = max(1, wrapped(row, width).count) }
        if logs.isExpanded, index == logs.selected {
            height += LogsState.tree(row).reduce(0) { $0 + treeLines($1, width).count }
        }
        return height
    }

    /// Moves the first line drawn so that the chosen one is seen, and no room is wasted at the end.
    private func settleTop(room: Int, width: Int) {
        logs.selected = min(logs.selected, logs.items.count - 1)
        logs.top = min(logs.top, logs.selected)
        // From the chosen line upwards as far as there is room.
        var used = height(logs.selected, width: width)
        var first = logs.selected
        while first > logs.top {
            let next = height(first - 1, width: width)
            if used + next > room { break }
            used += next
            first -= 1
        }
        logs.top = max(logs.top, first)
        var below = used
        var last = logs.selected
        while last + 1 < logs.items.count, below < room {
            last += 1
            below += height(last, width: width)
        }
        while logs.top > 0, below < room {
            let next = height(logs.top - 1, width: width)
            if below + next > room { break }
            below += next
            logs.top -= 1
        }
    }

    private func wrapped(_ row: LogRow, _ width: Int) -> [String] {
        let columns = logs.columns.reduce(0) { $0 + CharacterWidth.of(row[$1] ?? "-") + 1 }
        let origin = row.origin.isEmpty ? 0 : CharacterWidth.of(row.origin) + 1
        let start = 19 + origin + columns
        return Array(TextWrap.lines(row.line, width: max(10, width - start)).prefix(50))
    }

    private func treeLines(_ pair: (name: String, value: String), _ width: Int) -> [String] {
        let room = max(10, width - 6 - CharacterWidth.of(pair.name))
        return Array(TextWrap.lines(pair.value, width: room).prefix(12))
    }

    private func drawItem(
        _ index: Int,
        into buffer: inout CellBuffer,
        _ rect: Rect,
        _ top: Int
    ) -> Int {
        var y = top
        guard let row = logs.items[index].row() else {
            buffer.write("(not a row)", x: rect.x, y: y, theme.muted)
            return y + 1
        }
        let start = LogLines.draw(
            row,
            columns: logs.columns,
            into: &buffer,
            x: rect.x,
            y: y,
            rect.width,
            theme
        )
        if logs.isWrapped {
            buffer.fill(
                Rect(x: start, y: y, width: max(0, rect.maxX - start), height: 1),
                " ",
                theme.text
            )
            for line in wrapped(row, rect.width) {
                buffer.write(line, x: start, y: y, theme.text)
                y += 1
            }
        } else {
            y += 1
        }
        if index == logs.selected, logs.pane == .lines {
            buffer.restyle(Rect(x: rect.x, y: top, width: rect.width, height: 1)) { style in
                logs.isExpanded ? style.with(.bold) : theme.selection
            }
        }
        guard index == logs.selected, logs.isExpanded else { return max(y, top + 1) }
        for (place, pair) in LogsState.tree(row).enumerated() {
            let isChosen = place == logs.field
            let x = buffer.write(
                (isChosen ? " > " : "   ") + pair.name + "  ",
                x: rect.x,
                y: y,
                isChosen ? theme.selection : theme.muted
            )
            for line in treeLines(pair, rect.width) {
                buffer.write(line, x: x, y: y, isChosen ? theme.strong : theme.text)
                y += 1
            }
            if pair.value.isEmpty { y += 1 }
        }
        return y
    }

    /// As in `1,234,567`.
    static func grouped(_ number: Int) -> String {
        var text = ""
        for (index, digit) in String(number).reversed().enumerated() {
            if index > 0, index % 3 == 0, digit != "-" { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }

    /// `999`, `1.2k`, `34M`.
    static func short(_ number: Int) -> String {
        number < 1000 ? String(number) : ValueUnit.short.text(Double(number))
    }
}
