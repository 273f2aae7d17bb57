internal import WeirCore
internal import WeirTerminal

extension App {
    /// Keys of the alerts screen; false when it has no use for one.
    func handleInAlerts(_ press: KeyPress) -> Bool {
        let last = max(0, alerts.items.count - 1)
        switch press.key {
        case .up, .character("k"): alerts.selected = max(0, alerts.selected - 1)
        case .down, .character("j"): alerts.selected = min(last, alerts.selected + 1)
        case .pageUp: alerts.selected = max(0, alerts.selected - 10)
        case .pageDown: alerts.selected = min(last, alerts.selected + 10)
        case .home, .character("g"): alerts.selected = 0
        case .end, .character("G"): alerts.selected = last
        case .enter: alerts.isOpen.toggle()
        case .escape where alerts.isOpen: alerts.isOpen = false
        case .character("r"): ask(.alerts)
        default: return false
        }
        return true
    }

    private func style(_ alert: ActiveAlert) -> Style {
        switch alert.state {
        case .firing: alert.severity == "warning" ? theme.warning : theme.error
        case .pending: theme.warning
        case .inactive: theme.muted
        }
    }

    /// How long ago, in its two greatest units.
    static func age(_ milliseconds: Int64) -> String {
        let seconds = max(0, milliseconds / 1000)
        let kept: Int64 = seconds >= 86_400 ? 3600 : seconds >= 3600 ? 60 : 1
        return Units.text(nanoseconds: seconds / kept * kept * 1_000_000_000)
    }

    /// Draws the list and, when opened, all that is known of one.
    func drawAlerts(into buffer: inout CellBuffer, in content: Rect) {
        let title =
            "Alerts: \(alerts.count(.firing)) firing, \(alerts.count(.pending)) pending"
        let listHeight = alerts.isOpen ? max(5, content.height / 2) : content.height
        let box = Rect(
            x: content.x,
            y: content.y,
            width: content.width,
            height: min(listHeight, content.height)
        )
        let inside = Frame(title: title, isFocused: true).draw(
            into: &buffer,
            in: box,
            theme: theme
        )
        if let error = alerts.error, !error.isOutage {
            for (row, line) in TextWrap.lines("error: \(error.text)", width: inside.width).prefix(
                inside.height
            ).enumerated() {
                buffer.write(line, x: inside.x, y: inside.y + row, theme.error)
            }
            return
        }
        guard !alerts.items.isEmpty else {
            let text = alerts.isKnown ? "No alert is active." : "loading"
            buffer.write(
                text,
                x: inside.x + 1,
                y: inside.y,
                alerts.isKnown ? theme.good : theme.muted
            )
            return
        }
        var table = TableWidget(
            columns: [
                .init("state"), .init("since"), .init("severity"),
                .init("value", isRightAligned: true), .init("alert"), .init("labels"),
                .init("summary"),
            ],
            rows: alerts.items.map { row($0) }
        )
        table.selected = alerts.selected
        let room = max(1, inside.height - 2)
        table.offset = max(0, min(alerts.selected - room / 2, alerts.items.count - room))
        table.draw(into: &buffer, in: inside, theme: theme)
        if alerts.isOpen, alerts.selected < alerts.items.count {
            let below = Rect(
                x: content.x,
                y: box.maxY,
                width: content.width,
                height: content.maxY - box.maxY
            )
            drawDetail(alerts.items[alerts.selected], into: &buffer, below)
        }
    }

    private func row(_ alert: ActiveAlert) -> [TableWidget.Entry] {
        let hidden = ["alertname", "severity"]
        let labels = alert.labels.filter { !hidden.contains($0.name) }
            .map { "\($0.name)=\($0.value)" }.joined(separator: " ")
        return [
            TableWidget.Entry(alert.state.rawValue, style(alert)),
            TableWidget.Entry(alert.activeAt.map { Self.age(now - $0) } ?? "-"),
            TableWidget.Entry(alert.severity.isEmpty ? "-" : alert.severity, style(alert)),
            TableWidget.Entry(alert.value.map { ValueUnit.short.text($0) } ?? "-"),
            TableWidget.Entry(alert.name, theme.strong),
            TableWidget.Entry(labels, theme.muted),
            TableWidget.Entry(alert.summary),
        ]
    }

    private func drawDetail(
        _ alert: ActiveAlert,
        into buffer: inout CellBuffer,
        _ rect: Rect
    ) {
        let inside = Frame(title: alert.name, note: "esc closes").draw(
            into: &buffer,
            in: rect,
            theme: theme
        )
        var lines: [(String, Style)] = []
        if let activeAt = alert.activeAt {
            let moment = CivilTime(milliseconds: activeAt).full
            lines.append(("\(alert.state.rawValue) since \(moment) UTC", style(alert)))
        }
        for pair in alert.annotations {
            for line in TextWrap.lines("\(pair.name): \(pair.value)", width: inside.width) {
                lines.append((line, theme.text))
            }
        }
        for pair in alert.labels { lines.append(("\(pair.name)=\(pair.value)", theme.muted)) }
        for (row, line) in lines.prefix(inside.height).enumerated() {
            buffer.write(
                line.0,
                x: inside.x,
                y: inside.y + row,
                line.1,
                widthMax: inside.width
            )
        }
    }
}
