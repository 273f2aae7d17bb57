internal import WeirCore
internal import WeirTerminal

extension App {
    /// Keys of the dashboard screen; false when it has no use for one.
    func handleInDashboard(_ press: KeyPress) -> Bool {
        guard let dashboard, !dashboard.panels.isEmpty else { return false }
        let count = dashboard.panels.count
        let isShift = press.modifiers.contains(.shift)
        switch press.key {
        case .tab:
            focus = (focus + (isShift ? count - 1 : 1)) % count
            showFocus()
        case .character(let digit) where ("1"..."9").contains(digit):
            let index = Int(digit.value - 0x31)
            guard index < count else { return true }
            focus = index
            showFocus()
        case .enter:
            if let exemplar = exemplarAtCursor {
                openTrace(exemplar.traceID, span: exemplar.spanID)
            } else if dashboard.panels[focus].kind == .traces,
                let query = dashboard.panels[focus].queries.first
            {
                openTraces(expanded(query.expression, panel: focus))
            } else {
                run(.toggleMaximized)
            }
        case .character("x"): moveToExemplar(by: 1)
        case .character("X"): moveToExemplar(by: -1)
        case .character("L"): openLogsAtCursor()
        case .left: moveCursor(by: isShift ? -10 : -1)
        case .right: moveCursor(by: isShift ? 10 : 1)
        case .character("h"): moveCursor(by: -1)
        case .character("l"): moveCursor(by: 1)
        case .character("H"): moveCursor(by: -10)
        case .up, .character("k"): scroll(by: -3)
        case .down, .character("j"): scroll(by: 3)
        case .pageUp: scroll(by: -contentRect.height)
        case .pageDown: scroll(by: contentRect.height)
        case .home, .character("g"): scroll(by: -scroll)
        case .end, .character("G"): scroll(by: scrollMax)
        case .character("z"):
            if mark != nil, cursor != nil { zoomToMark() } else { zoom(by: 0.5) }
        case .character("v"):
            if cursor == nil { moveCursor(by: 0) }
            mark = mark == nil ? cursor : nil
            message = mark == nil ? "" : "marked: move the cursor, then z"
        case .character("$"): run(.variablesMenu)
        case .character("e"):
            guard let query = dashboard.panels[focus].queries.first else { return true }
            show(.explore)
            explore.set(expanded(query.expression, panel: focus))
            runExplore(isNew: true)
        case .character("y"):
            guard let query = dashboard.panels[focus].queries.first else { return true }
            clipboard = expanded(query.expression, panel: focus)
            message = "copied the query of `\(dashboard.panels[focus].title)`"
        default: return false
        }
        return true
    }

    func expanded(_ expression: String, panel: Int) -> String {
        let step = panels[panel].data?.axis?.step ?? span.milliseconds / 100
        return scope.expand(expression, stepMilliseconds: step)
    }

    private func scroll(by rows: Int) {
        guard !isMaximized else { return }
        scroll = max(0, min(scrollMax, scroll + rows))
        tick(now: now)
    }

    /// Scrolls so that the focused panel is seen whole, where it can be.
    func showFocus() {
        guard let place = layout.places.first(where: { $0.panel == focus }) else { return }
        let height = contentRect.height
        if place.rect.y < scroll {
            scroll = place.rect.y
        } else if place.rect.maxY > scroll + height {
            scroll = min(place.rect.y, place.rect.maxY - height)
        }
        scroll = max(0, min(scrollMax, scroll))
        tick(now: now)
    }

    /// The axis that the cursor moves on: the focused panel's, or any other's.
    private var cursorAxis: TimeAxis? {
        if panels.indices.contains(focus), let axis = panels[focus].data?.axis { return axis }
        return panels.lazy.compactMap { $0.data?.axis }.first
    }

    private func moveCursor(by cells: Int) {
        guard let axis = cursorAxis else { return }
        let last = min(axis.end, shownNow)
        let start = cursor ?? last
        let moved = start + Int64(cells) * axis.step * 2
        cursor = max(axis.start, min(last, moved))
    }

    private func zoomToMark() {
        guard let mark, let cursor else { return }
        let from = min(mark, cursor)
        let to = max(mark, cursor, from + TimeSpan.spanMin)
        self.cursor = nil
        show(.fixed(from: from, to: to))
    }

    /// The lines of a panel with their values at a moment: the last point at or before it, unless a gap lies
    /// between.
    static func values(of data: PanelData, at time: Int64) -> [(name: String, value: Double)] {
        guard let axis = data.axis else { return [] }
        return data.lines.compactMap { line in
            guard
                let point = line.series.points.last(where: { $0.time <= time + axis.step / 2 }),
                Double(time - point.time) <= 2.5 * Double(axis.step), point.value.isFinite
            else { return nil }
            return (line.name, point.value)
        }
    }

    func handle(_ mouse: MouseEvent) {
        guard overlay == nil, screen == .dashboard else { return }
        switch mouse.action {
        case .wheelUp: scroll(by: -3)
        case .wheelDown: scroll(by: 3)
        case .press(button: 0), .drag(button: 0):
            let content = contentRect
            guard content.contains(x: mouse.x, y: mouse.y) else { return }
            let y = mouse.y - content.y + scroll
            if !isMaximized,
                let place = layout.places.first(where: { $0.rect.contains(x: mouse.x, y: y) })
            {
                focus = place.panel
            }
            guard let plot = plots.first(where: { $0.panel == focus })?.geometry,
                plot.plot.contains(x: mouse.x, y: mouse.y)
            else { return }
            cursor = plot.axis.time(ofDot: 2 * (mouse.x - plot.plot.x) + 1)
        default: break
        }
    }

    /// Draws the panels, or the one that fills the screen.
    func drawDashboard(into buffer: inout CellBuffer, in content: Rect) {
        plots = []
        guard let dashboard else { return }
        let stale = max(3 * dashboard.refreshMilliseconds, 15_000)
        if isMaximized {
            drawPanel(focus, dashboard, into: &buffer, content, stale)
            return
        }
        buffer.clip = content
        for place in layout.places {
            let rect = Rect(
                x: place.rect.x,
                y: place.rect.y - scroll + content.y,
                width: place.rect.width,
                height: place.rect.height
            )
            guard rect.maxY > content.y, rect.y < content.maxY else { continue }
            drawPanel(place.panel, dashboard, into: &buffer, rect, stale)
        }
        for heading in layout.headings {
            let y = heading.y - scroll + content.y
            buffer.write(" \(heading.title)", x: 0, y: y, theme.title)
        }
        buffer.clip = buffer.bounds
    }

    private func drawPanel(
        _ index: Int,
        _ dashboard: Dashboard,
        into buffer: inout CellBuffer,
        _ rect: Rect,
        _ stale: Int64
    ) {
        var view = PanelView(
            panel: dashboard.panels[index],
            state: panels[index],
            now: pausedAt == nil && span.isLive ? now : panels[index].data?.fetchedAt ?? now,
            staleAfter: stale
        )
        view.number = index < 9 ? index + 1 : nil
        view.isFocused = index == focus
        view.cursor = cursor
        view.isMaximized = isMaximized
        if let geometry = view.draw(into: &buffer, in: rect, theme: theme) {
            panels[index].valueAxis = geometry.valueAxis
            plots.append((index, geometry))
        }
    }

    /// The line above the keys: the focused panel's values at the cursor.
    var cursorText: String {
        guard let cursor, let dashboard, panels.indices.contains(focus) else {
            guard let dashboard, panels.indices.contains(focus) else { return "" }
            let panel = dashboard.panels[focus]
            return panel.description.isEmpty ? "" : "\(panel.title): \(panel.description)"
        }
        let moment = CivilTime(milliseconds: cursor)
        var text = "cursor \(span.milliseconds > 86_400_000 ? moment.full : moment.clockSeconds)"
        if let mark {
            text += " marked \(Units.text(nanoseconds: abs(cursor - mark) / 1000 * 1_000_000_000))"
        }
        if let exemplar = exemplarAtCursor {
            let value = dashboard.panels[focus].unit.text(exemplar.value)
            text += " ┊ ◆ \(value) of \(exemplar.traceID.prefix(8))…, enter: its trace"
        }
        guard let data = panels[focus].data else { return text }
        let panel = dashboard.panels[focus]
        let values = Self.values(of: data, at: cursor).enumerated().sorted {
            $0.element.value == $1.element.value
                ? $0.offset < $1.offset : $0.element.value > $1.element.value
        }.map { $0.element }
        for (name, value) in values.prefix(12) {
            text += " ┊ \(name) \(panel.unit.text(value, decimals: panel.decimals))"
        }
        if values.isEmpty { text += " ┊ no value" }
        return text
    }
}
