internal import WeirCore
internal import WeirTerminal

extension App {
    /// Draws the trace: spans and bars, and the chosen span below.
    func drawWaterfall(into buffer: inout CellBuffer, in content: Rect) -> CursorPlace? {
        guard let tree = waterfall.tree else {
            let text =
                waterfall.error.map { "error: \($0.text)" } ?? "loading trace \(waterfall.id)"
            for (row, line) in TextWrap.lines(text, width: content.width - 4).prefix(4).enumerated()
            {
                buffer.write(
                    line,
                    x: content.x + 2,
                    y: content.y + 1 + row,
                    waterfall.error == nil ? theme.muted : theme.error
                )
            }
            return nil
        }
        var top = content.y
        var x = buffer.write(" \(tree.trace.traceID)  ", x: content.x, y: top, theme.muted)
        x = buffer.write(waterfall.summary, x: x, y: top, theme.strong)
        buffer.writeRight(
            TraceText.moment(tree.trace.start),
            x: x + 2,
            y: top,
            width: content.maxX - x - 3,
            theme.muted
        )
        top += 1
        var notices: [(String, Style)] = []
        if tree.trace.isPartial {
            let notice = tree.trace.notice
            notices.append(
                (" partial: \(notice.isEmpty ? "not all of it" : notice)", theme.warning)
            )
        }
        if let error = waterfall.error, !error.isOutage {
            notices.append((" error: \(error.text)", theme.error))
        }
        for (text, style) in notices {
            buffer.write(
                CharacterWidth.truncated(text, to: content.width),
                x: content.x,
                y: top,
                style
            )
            top += 1
        }
        let rest = Rect(x: content.x, y: top, width: content.width, height: content.maxY - top)
        if waterfall.isFlame {
            drawFlame(tree, into: &buffer, in: rest)
            return nil
        }
        let detailHeight = rest.height >= 14 ? max(6, rest.height * 2 / 5) : 0
        let upper = Rect(
            x: rest.x,
            y: rest.y,
            width: rest.width,
            height: rest.height - detailHeight
        )
        drawSpans(tree, into: &buffer, in: upper)
        if detailHeight > 0 {
            drawDetails(
                tree,
                into: &buffer,
                in: Rect(x: rest.x, y: upper.maxY, width: rest.width, height: detailHeight)
            )
        }
        guard waterfall.isTyping else { return nil }
        let y = size.height - 2
        buffer.fill(Rect(x: 0, y: y, width: size.width, height: 1), " ", theme.text)
        buffer.write("/", x: 1, y: y, theme.strong)
        return waterfall.editor.draw(
            into: &buffer,
            x: 2,
            y: y,
            width: size.width - 4,
            theme.text
        )
    }

    private func drawSpans(_ tree: TraceTree, into buffer: inout CellBuffer, in rect: Rect) {
        let rows = waterfall.rows
        let note =
            waterfall.isLoading
            ? "loading" : "\(rows.isEmpty ? 0 : waterfall.selected + 1) of \(rows.count) lines"
        let inside = Frame(
            title: waterfall.search.isEmpty ? "Spans" : "Spans, /\(waterfall.search)",
            note: waterfall.zoomed == nil ? note : "zoomed, \(note)",
            isFocused: waterfall.pane == .spans
        ).draw(into: &buffer, in: rect, theme: theme)
        guard inside.height > 1 else { return }
        let clip = buffer.clip
        buffer.clip = inside.intersection(clip)
        defer { buffer.clip = clip }
        var lines = Waterfall(tree, width: inside.width, theme: theme, colors: waterfall.colors)
        if let zoomed = waterfall.zoomed {
            lines.from = tree.trace.spans[zoomed].start
            lines.to = max(lines.from + 1, tree.trace.spans[zoomed].end)
        }
        lines.drawHeading(into: &buffer, x: inside.x, y: inside.y)
        let room = inside.height - 1
        waterfall.top = max(
            0,
            min(waterfall.top, waterfall.selected, rows.count - room)
        )
        waterfall.top = max(waterfall.top, waterfall.selected - room + 1)
        for (line, row) in rows.dropFirst(waterfall.top).prefix(room).enumerated() {
            let y = inside.y + 1 + line
            lines.draw(row, into: &buffer, x: inside.x, y: y)
            guard waterfall.top + line == waterfall.selected else { continue }
            // The bar keeps its colour.
            buffer.restyle(
                Rect(x: inside.x, y: y, width: lines.textWidth, height: 1)
            ) { _ in theme.selection }
        }
    }

    // MARK: The chosen span

    private func drawDetails(_ tree: TraceTree, into buffer: inout CellBuffer, in rect: Rect) {
        let (title, lines) = details(tree, width: rect.width - 2)
        let room = max(1, rect.height - 2)
        waterfall.detailTop = max(0, min(waterfall.detailTop, lines.count - room))
        let below = lines.count - waterfall.detailTop - room
        let inside = Frame(
            title: title,
            note: waterfall.pane == .details
                ? below > 0 ? "\(below) more, j" : "tab: spans"
                : below > 0 ? "\(below) more, tab" : "",
            isFocused: waterfall.pane == .details
        ).draw(into: &buffer, in: rect, theme: theme)
        let clip = buffer.clip
        buffer.clip = inside.intersection(clip)
        defer { buffer.clip = clip }
        for (line, parts) in lines.dropFirst(waterfall.detailTop).prefix(inside.height).enumerated()
        {
            var x = inside.x + 1
            for (text, style) in parts {
                x = buffer.write(text, x: x, y: inside.y + line, style)
            }
        }
    }

    private typealias Parts = [(String, Style)]

    private func details(_ tree: TraceTree, width: Int) -> (title: String, lines: [Parts]) {
        guard let row = waterfall.selectedRow else { return ("no span", []) }
        if case .missing(let id, let count) = row.content {
            let text = "No span \(id) has come, though \(count) name it as their parent:"
            return (
                "missing span",
                [
                    [(text, theme.text)],
                    [("it was lost, is not sampled, or is still on its way.", theme.muted)],
                ]
            )
        }
        guard let place = row.span else { return ("no span", []) }
        let span = tree.trace.spans[place]
        var lines: [Parts] = []
        let kind = span.kind.isEmpty ? "" : " \(span.kind)"
        let title = "\(span.service) \(span.name)\(kind) \(span.id)"
        switch row.content {
        case .gap(_, let from, let to):
            return (
                "no span of \(span.service) \(span.name)",
                [
                    [
                        (
                            "For \(TraceText.duration(to - from)) none of its children ran:",
                            theme.text
                        )
                    ],
                    [
                        (
                            "it worked by itself, or waited for something that is not traced.",
                            theme.muted
                        )
                    ],
                ]
            )
        case .repeats(let first, let count):
            let run = tree.repeated(first, count)
            let lengths = run.map { tree.trace.spans[$0].duration }.sorted()
            let total = lengths.reduce(0, +)
            lines.append([
                (
                    "\(count) spans, one after the other: \(TraceText.duration(total)) together, "
                        + "\(TraceText.duration(lengths[lengths.count / 2])) each"
                        + ", at most \(TraceText.duration(lengths[lengths.count - 1]))",
                    theme.strong
                )
            ])
            lines.append([("enter shows them; this is the first:", theme.muted)])
        default: break
        }
        lines.append(timing(tree, place, span))
        lines += logLines(span, width)
        lines += metricLines(span, width)
        for (name, value) in TraceText.details(span, of: tree.trace) {
            let isError = name == "error" || name.hasPrefix("  exception")
            let room = max(10, width - 4 - CharacterWidth.of(name))
            for (row, text) in TextWrap.lines(value, width: room).prefix(30).enumerated() {
                let head =
                    row == 0 ? name : String(repeating: " ", count: CharacterWidth.of(name))
                lines.append([
                    (head + "  ", theme.muted), (text, isError ? theme.error : theme.text),
                ])
            }
        }
        return (title, lines)
    }

    private func timing(_ tree: TraceTree, _ place: Int, _ span: TraceSpan) -> Parts {
        let total = Double(max(1, tree.trace.duration))
        let waited = tree.critical[place].reduce(0) { $0 + $1.to - $1.from }
        var parts: Parts = [
            ("at +\(TraceText.duration(span.start - tree.trace.start))  ", theme.muted),
            ("took \(TraceText.duration(span.duration))  ", theme.strong),
            ("self \(TraceText.duration(tree.selfTimes[place]))  ", theme.text),
        ]
        if waited > 0 {
            let share = ValueUnit.ratio.text(Double(waited) / total)
            parts.append(("\(share) of the critical path  ", theme.warning))
        }
        let below = tree.descendants[place]
        if below > 0 { parts.append(("\(below) below", theme.muted)) }
        return parts
    }

    private func logLines(_ span: TraceSpan, _ width: Int) -> [Parts] {
        if let error = waterfall.logsError {
            return [[("its log lines: error: \(error.text)", theme.error)]]
        }
        guard let lines = waterfall.logs[span.id] else {
            return [[("its log lines: loading", theme.muted)]]
        }
        guard !lines.isEmpty else { return [[("no log lines of its own", theme.muted)]] }
        var parts: [Parts] = [[("its log lines: \(lines.count)  L shows them", theme.muted)]]
        for line in lines.prefix(50) {
            parts.append([
                (TraceText.clock(line.time) + " ", theme.muted),
                (LogLines.word(line.level) + " ", LogLines.style(line.level, theme)),
                (line.origin + " ", theme.strong), (LogLines.firstLine(line.body), theme.text),
            ])
        }
        return parts
    }

    private func metricLines(_ span: TraceSpan, _ width: Int) -> [Parts] {
        guard waterfall.showsMetrics else { return [] }
        if let error = waterfall.metricsError {
            return [[("metrics: error: \(error.text)", theme.error)]]
        }
        guard let metrics = waterfall.metrics[span.id] else {
            return [[("metrics: loading", theme.muted)]]
        }
        var parts: [Parts] = [[("\(metrics.service) around it:  M explores", theme.muted)]]
        for line in metrics.lines { parts.append([("  " + line, theme.text)]) }
        return parts
    }

    // MARK: Flame

    private func drawFlame(_ tree: TraceTree, into buffer: inout CellBuffer, in rect: Rect) {
        guard let profile = waterfall.profile else { return }
        let depth = (profile.nodes.map { $0.depth }.max() ?? 0) + 1
        let height = min(depth + 2, max(4, rect.height / 2))
        let upper = Rect(x: rect.x, y: rect.y, width: rect.width, height: height)
        let chosen =
            profile.lines.indices.contains(waterfall.line) ? profile.lines[waterfall.line] : nil
        let inside = Frame(
            title: "Flame: self time of all spans, \(TraceText.duration(profile.selfTime))",
            note: depth + 2 > height ? "\(depth + 2 - height) levels more" : ""
        ).draw(into: &buffer, in: upper, theme: theme)
        let clip = buffer.clip
        buffer.clip = inside.intersection(clip)
        drawNodes(profile, chosen, into: &buffer, in: inside)
        buffer.clip = clip
        let lower = Rect(
            x: rect.x,
            y: upper.maxY,
            width: rect.width,
            height: rect.height - height
        )
        let below = Frame(
            title: "By service and name",
            note: "enter: the longest",
            isFocused: true
        ).draw(into: &buffer, in: lower, theme: theme)
        let total = Double(max(1, profile.selfTime))
        var table = TableWidget(
            columns: [
                .init("self", isRightAligned: true), .init("of all", isRightAligned: true),
                .init("total", isRightAligned: true), .init("spans", isRightAligned: true),
                .init("errors", isRightAligned: true), .init("service"), .init("name"),
            ],
            rows: profile.lines.prefix(1000).map { line in
                [
                    TableWidget.Entry(TraceText.duration(line.selfTime), theme.strong),
                    TableWidget.Entry(
                        ValueUnit.ratio.text(Double(line.selfTime) / total, decimals: 1)
                    ),
                    TableWidget.Entry(TraceText.duration(line.total)),
                    TableWidget.Entry(String(line.count)),
                    TableWidget.Entry(
                        line.errors > 0 ? "\(line.errors)!" : "-",
                        line.errors > 0 ? theme.error : theme.muted
                    ),
                    TableWidget.Entry(
                        line.service,
                        Style(waterfall.colors[line.service] ?? theme.seriesColor(0))
                    ),
                    TableWidget.Entry(line.name),
                ]
            }
        )
        table.selected = waterfall.line
        let room = max(1, below.height - 2)
        table.offset = max(0, min(waterfall.line - room / 2, table.rows.count - room - 1))
        table.draw(into: &buffer, in: below, theme: theme)
    }

    private func drawNodes(
        _ profile: TraceProfile,
        _ chosen: TraceProfile.Line?,
        into buffer: inout CellBuffer,
        in rect: Rect
    ) {
        let total = profile.roots.reduce(0) { $0 + profile.nodes[$1].weight }
        guard total > 0 else { return }
        let scale = Double(rect.width) / Double(total)
        var open: [(node: Int, from: Int64)] = []
        var from: Int64 = 0
        for root in profile.roots {
            open.append((root, from))
            from += profile.nodes[root].weight
        }
        while let (index, from) = open.popLast() {
            let node = profile.nodes[index]
            guard node.depth < rect.height else { continue }
            let first = Int((Double(from) * scale).rounded())
            let last = Int((Double(from + node.weight) * scale).rounded())
            // What is narrower than a cell has no children that could be seen.
            guard last > first else { continue }
            let isChosen = node.service == chosen?.service && node.name == chosen?.name
            let color = waterfall.colors[node.service] ?? theme.seriesColor(0)
            let style = isChosen ? theme.selection.with(.bold) : Style(.indexed(16), on: color)
            let y = rect.y + node.depth
            buffer.fill(Rect(x: rect.x + first, y: y, width: last - first, height: 1), " ", style)
            buffer.set(rect.x + first, y, "│", style)
            let times = node.count > 1 ? " ×\(node.count)" : ""
            buffer.write(
                CharacterWidth.truncated(
                    "\(node.service) \(node.name)\(times)",
                    to: last - first - 1
                ),
                x: rect.x + first + 1,
                y: y,
                style
            )
            var start = from
            for child in node.children {
                open.append((child, start))
                start += profile.nodes[child].weight
            }
        }
    }
}
