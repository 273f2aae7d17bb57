internal import WeirTerminal

extension App {
    /// Keys of the explore screen, where most of them type.
    func handleInExplore(_ press: KeyPress) {
        let isControl = press.modifiers.contains(.control)
        switch press.key {
        case .escape:
            if explore.completions.isEmpty { goBack() } else { explore.completions = [] }
        case .enter:
            explore.completions = []
            runExplore(isNew: true)
        case .tab:
            if explore.completions.isEmpty {
                explore.complete()
            } else {
                explore.acceptCompletion()
            }
        case .up where !explore.completions.isEmpty:
            let count = explore.completions.count
            explore.completion = (explore.completion + count - 1) % count
        case .down where !explore.completions.isEmpty:
            explore.completion = (explore.completion + 1) % explore.completions.count
        case .up: explore.walkHistory(by: -1)
        case .down: explore.walkHistory(by: 1)
        case .character("p") where isControl: explore.walkHistory(by: -1)
        case .character("n") where isControl: explore.walkHistory(by: 1)
        case .character("g") where isControl, .character("t") where isControl:
            explore.isTable.toggle()
            runExplore(isNew: false)
        case .character("r") where isControl: run(.refresh)
        case .character("o") where isControl: run(.timeMenu)
        case .character(":") where explore.editor.isEmpty:
            // An expression may begin with a colon, but hardly ever does.
            overlay = .menu(palette)
        case .character("?") where explore.editor.isEmpty:
            overlay = .help
        case .pageUp: show(span.panned(by: -0.5, now: shownNow))
        case .pageDown: show(span.panned(by: 0.5, now: shownNow))
        default:
            if explore.editor.handle(press) { explore.complete() }
        }
    }

    /// Asks for what is typed (`isNew`), or again for what is shown.
    func runExplore(isNew: Bool) {
        let expression = isNew ? explore.editor.text : explore.job?.expression ?? ""
        guard expression.utf8.contains(where: { $0 != 0x20 }) else { return }
        if isNew { explore.remember(expression) }
        let job = ExploreJob(
            expression: expression,
            isTable: explore.isTable,
            scope: scope,
            cells: TimeSeriesChart.plotCells(width: size.width - 2)
        )
        if explore.job?.expression != expression || explore.job?.isTable != job.isTable {
            explore.state = PanelState()
        }
        explore.job = job
        explore.isLoading = true
        explore.state.isLoading = true
        ask(.explore(job))
    }

    /// Asks for the names of metrics once.
    func askForNames() {
        guard explore.names == nil, !explore.areNamesAsked else { return }
        explore.areNamesAsked = true
        let (from, to) = span.bounds(now: shownNow)
        ask(.metricNames(from: from, to: to))
    }

    /// Draws the query line, what is wrong with it, and the answer.
    func drawExplore(into buffer: inout CellBuffer, in content: Rect) -> CursorPlace {
        let box = Rect(x: content.x, y: content.y, width: content.width, height: 3)
        let inside = Frame(
            title: "Query",
            note: explore.isTable ? "table" : "graph",
            isFocused: true
        ).draw(into: &buffer, in: box, theme: theme)
        let cursor = explore.editor.draw(
            into: &buffer,
            x: inside.x + 1,
            y: inside.y,
            width: inside.width - 2,
            theme.text
        )
        var top = box.maxY
        if let error = explore.state.error, !error.isOutage {
            top = drawError(error, into: &buffer, content, y: box.maxY)
        }
        let rest = Rect(
            x: content.x,
            y: top,
            width: content.width,
            height: content.maxY - top
        )
        if let job = explore.job {
            var panel = Panel(
                title: job.expression,
                kind: job.isTable ? .table : .timeseries
            )
            panel.limit = 200
            var view = PanelView(
                panel: panel,
                state: explore.state,
                now: explore.state.data?.fetchedAt ?? now,
                staleAfter: .max
            )
            view.isMaximized = true
            if explore.state.error == nil || explore.state.data != nil {
                let geometry = view.draw(into: &buffer, in: rest, theme: theme)
                explore.state.valueAxis = geometry?.valueAxis
            }
        } else {
            drawExploreHint(into: &buffer, rest)
        }
        drawCompletions(into: &buffer, below: cursor, content)
        return cursor
    }

    private func drawExploreHint(into buffer: inout CellBuffer, _ rect: Rect) {
        let known = explore.names.map { "\($0.count) metrics known to the server" } ?? ""
        let lines = [
            "Type a PromQL expression and press enter.",
            "tab completes, up and down walk the history, ctrl-g changes between graph and table.",
            known,
        ]
        for (row, line) in lines.enumerated() {
            buffer.write(
                line,
                x: rect.x + 2,
                y: rect.y + 1 + row,
                theme.muted,
                widthMax: rect.width - 4
            )
        }
    }

    /// Points at the mistake, when the query line still shows what was asked.
    private func drawError(
        _ error: APIError,
        into buffer: inout CellBuffer,
        _ content: Rect,
        y: Int
    ) -> Int {
        var top = y
        let text = error.text
        if let column = ExploreState.errorColumn(text),
            explore.job?.expression == explore.editor.text, column < content.width - 4
        {
            buffer.write("^", x: content.x + 2 + column, y: top, theme.error)
            top += 1
        }
        for line in TextWrap.lines("error: \(text)", width: content.width - 4).prefix(3) {
            buffer.write(line, x: content.x + 2, y: top, theme.error)
            top += 1
        }
        return top
    }

    private func drawCompletions(
        into buffer: inout CellBuffer,
        below cursor: CursorPlace,
        _ content: Rect
    ) {
        let items = explore.completions
        guard !items.isEmpty else { return }
        let width = min(
            content.width,
            (items.map { CharacterWidth.of($0) }.max() ?? 0) + 4
        )
        let wanted = cursor.x - CharacterWidth.of(explore.word) - 2
        let box = Rect(
            x: max(0, min(wanted, content.maxX - width)),
            y: cursor.y + 1,
            width: width,
            height: min(items.count + 2, content.maxY - cursor.y - 1)
        )
        buffer.fill(box, " ", theme.text)
        let inside = Frame(title: "").draw(into: &buffer, in: box, theme: theme)
        for (row, item) in items.prefix(inside.height).enumerated() {
            let isSelected = row == explore.completion
            let style = isSelected ? theme.selection : theme.text
            if isSelected {
                let line = Rect(x: inside.x, y: inside.y + row, width: inside.width, height: 1)
                buffer.fill(line, " ", style)
            }
            buffer.write(
                CharacterWidth.truncated(item, to: inside.width - 2),
                x: inside.x + 1,
                y: inside.y + row,
                style
            )
        }
    }
}
