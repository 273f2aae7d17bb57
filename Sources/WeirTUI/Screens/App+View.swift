internal import WeirCore
package import WeirTerminal

extension App {
    /// Draws the whole screen; returns where the cursor shows, if it does.
    package func draw(into buffer: inout CellBuffer) -> CursorPlace? {
        buffer.clear()
        drawHeader(into: &buffer)
        let content = contentRect
        var place: CursorPlace?
        switch screen {
        case .dashboard: drawDashboard(into: &buffer, in: content)
        case .explore: place = drawExplore(into: &buffer, in: content)
        case .alerts: drawAlerts(into: &buffer, in: content)
        case .logs: place = drawLogs(into: &buffer, in: content)
        case .traces: place = drawTraces(into: &buffer, in: content)
        case .trace: place = drawWaterfall(into: &buffer, in: content)
        case .services: drawServices(into: &buffer, in: content)
        }
        drawFooter(into: &buffer)
        switch overlay {
        case nil: break
        case .help:
            place = nil
            drawHelp(into: &buffer, in: content)
        case .menu(let menu): place = menu.draw(into: &buffer, in: content, theme: theme)
        case .confirmQuit:
            place = nil
            drawQuestion("Quit? y / n", into: &buffer, in: content)
        }
        return place
    }

    private var screenTitle: String {
        switch screen {
        case .dashboard: dashboard?.title ?? "no dashboard"
        case .explore: "Explore"
        case .alerts: "Alerts"
        case .logs: "Logs"
        case .traces: "Traces"
        case .trace: "Trace"
        case .services: "Services"
        }
    }

    /// What the answers on the screen cost.
    private var costText: String {
        var shown: [PanelData] = []
        switch screen {
        case .dashboard: shown = visiblePanels.compactMap { panels[$0].data }
        case .explore: shown = [explore.state.data].compactMap { $0 }
        case .alerts, .logs, .traces, .trace, .services: return ""
        }
        let queries = shown.reduce(0) { $0 + $1.queryCount }
        let slowest = shown.map { $0.milliseconds }.max() ?? 0
        guard queries > 0 else { return "" }
        return "\(queries) \(queries == 1 ? "query" : "queries") \(slowest)ms"
    }

    private func drawHeader(into buffer: inout CellBuffer) {
        let width = size.width
        buffer.fill(Rect(x: 0, y: 0, width: width, height: 1), " ", theme.header)
        var x = buffer.write(" weir", x: 0, y: 0, theme.header.with(.bold))
        x = buffer.write(" \(serverName) > ", x: x, y: 0, theme.header)
        let live: String
        if pausedAt != nil {
            live = "PAUSED"
        } else if let refresh = refreshMilliseconds, outage == nil {
            live = "live \(Units.text(nanoseconds: refresh * 1_000_000))"
        } else {
            live = outage == nil ? "still" : "no server"
        }
        // From what matters most to what may be left out.
        var parts = [
            span.title(now: shownNow), live, span.clockText(now: shownNow), "? help", costText,
        ].filter { !$0.isEmpty }
        func length() -> Int { parts.reduce(0) { $0 + CharacterWidth.of($1) + 3 } }
        let title = CharacterWidth.of(screenTitle)
        while parts.count > 1, x + min(title, 24) + 2 + length() > width { parts.removeLast() }
        let order = [0, 2, 1, 4, 3].filter { $0 < parts.count }
        let right = order.map { parts[$0] }.joined(separator: " │ ") + " "
        let start = width - CharacterWidth.of(right)
        buffer.write(right, x: start, y: 0, theme.header)
        buffer.write(
            CharacterWidth.truncated(screenTitle, to: max(0, start - x - 1)),
            x: x,
            y: 0,
            theme.header.with(.bold)
        )
        drawSecondLine(into: &buffer)
        if let outage {
            let oldest = panels.compactMap { $0.data?.fetchedAt }.min()
            let age = oldest.map { " │ what is shown is \(Self.age(now - $0)) old" } ?? ""
            let text = " UNREACHABLE: \(outage.text)\(age) │ trying again every 5s, r: now"
            buffer.fill(
                Rect(x: 0, y: 2, width: width, height: 1),
                " ",
                Style(.indexed(231), on: .indexed(124), .bold)
            )
            buffer.write(
                CharacterWidth.truncated(text, to: width),
                x: 0,
                y: 2,
                Style(.indexed(231), on: .indexed(124), .bold)
            )
        }
    }

    private func drawSecondLine(into buffer: inout CellBuffer) {
        let firing = alerts.count(.firing)
        let pending = alerts.count(.pending)
        var right: [(String, Style)] = []
        if firing > 0 { right.append(("\(firing) firing", theme.error)) }
        if pending > 0 { right.append(("\(pending) pending", theme.warning)) }
        if alerts.isKnown, right.isEmpty { right.append(("no alerts", theme.muted)) }
        var x = size.width - right.reduce(0) { $0 + $1.0.utf8.count + 2 }
        let end = x
        for (text, style) in right { x = buffer.write("\(text)  ", x: x, y: 1, style) }
        guard screen == .dashboard else { return }
        x = 1
        for variable in dashboard?.variables ?? [] {
            let value = valueText(variable.name)
            let width = CharacterWidth.of(variable.name) + CharacterWidth.of(value) + 3
            guard x + width < end else {
                buffer.write("…", x: x, y: 1, theme.muted)
                break
            }
            x = buffer.write("\(variable.name)=", x: x, y: 1, theme.muted)
            x = buffer.write(value, x: x, y: 1, theme.strong) + 2
        }
    }

    private func drawFooter(into buffer: inout CellBuffer) {
        let y = size.height - 2
        var info = message
        if info.isEmpty, screen == .dashboard { info = cursorText }
        var room = size.width - 2
        if screen == .dashboard, !isMaximized, scrollMax > 0 {
            let below = scrollMax - scroll
            let text =
                below > 0 ? "\(below) more \(below == 1 ? "line" : "lines"), j" : "end, k goes up"
            buffer.writeRight(text, x: 0, y: y, width: size.width - 1, theme.muted)
            room -= text.utf8.count + 2
        }
        buffer.write(CharacterWidth.truncated(info, to: room), x: 1, y: y, theme.text)
        let keys: String
        switch screen {
        case .dashboard:
            keys =
                "tab/1-9 panel  enter maximise  e query  t time  $ variables  : palette  "
                + "z + - zoom  [ ] pan  space pause  y copy  ? help"
        case .explore:
            keys =
                "enter run  tab complete  up/down history  ctrl-g graph/table  ctrl-o time  "
                + "pgup/pgdn pan  esc back"
        case .logs: keys = Self.logsFooter(logs)
        case .traces, .trace, .services: keys = tracesFooter
        case .alerts: keys = "j k select  enter details  r refresh  : palette  esc back  ? help"
        }
        buffer.write(
            CharacterWidth.truncated(keys, to: size.width - 2),
            x: 1,
            y: size.height - 1,
            theme.muted
        )
    }

    private func drawQuestion(
        _ text: String,
        into buffer: inout CellBuffer,
        in content: Rect
    ) {
        let width = CharacterWidth.of(text) + 6
        let box = Rect(
            x: max(0, (content.width - width) / 2),
            y: content.y + max(0, content.height / 3),
            width: width,
            height: 3
        )
        buffer.fill(box, " ", theme.text)
        let inside = Frame(title: "", isFocused: true).draw(into: &buffer, in: box, theme: theme)
        buffer.write(text, x: inside.x + 2, y: inside.y, theme.strong)
    }
}
