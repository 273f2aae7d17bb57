package import WeirTerminal

extension App {
    /// Takes one event in.
    package func handle(_ event: InputEvent) {
        switch event {
        case .key(let press):
            message = ""
            handle(press)
        case .paste(let text):
            if case .menu(var menu) = overlay {
                menu.paste(text)
                overlay = .menu(menu)
            } else if screen == .explore {
                explore.paste(text)
            } else if screen == .logs, logs.typing != nil {
                logs.editor.insert(text)
            } else if screen == .traces {
                if !traces.isTyping { traces.editor = LineEditor() }
                traces.isTyping = true
                traces.editor.insert(text)
            } else if screen == .trace, waterfall.isTyping {
                waterfall.editor.insert(text)
            }
        case .mouse(let mouse): handle(mouse)
        case .focus, .answer: break
        }
    }

    private func handle(_ press: KeyPress) {
        if press == KeyPress(.character("c"), .control) {
            isDone = true
            return
        }
        if press == KeyPress(.character("z"), .control) {
            wantsSuspend = true
            return
        }
        if press == KeyPress(.character("l"), .control) {
            wantsRedraw = true
            return
        }
        if handleInOverlay(press) { return }
        if press == KeyPress(.function(1)) {
            overlay = .help
            return
        }
        if press == KeyPress(.function(2)) {
            isMouseOn.toggle()
            message = isMouseOn ? "mouse on" : "mouse off"
            return
        }
        switch screen {
        case .explore: handleInExplore(press)
        case .alerts: if !handleInAlerts(press) { handleAnywhere(press) }
        case .logs: if !handleInLogs(press) { handleAnywhere(press) }
        case .traces: if !handleInTraces(press) { handleAnywhere(press) }
        case .trace: if !handleInWaterfall(press) { handleAnywhere(press) }
        case .services: if !handleInServices(press) { handleAnywhere(press) }
        case .dashboard: if !handleInDashboard(press) { handleAnywhere(press) }
        }
    }

    /// Keys of the screens where nothing is typed.
    private func handleAnywhere(_ press: KeyPress) {
        switch press.key {
        case .escape: goBack()
        case .character("q"): askToQuit()
        case .character("?"): overlay = .help
        case .character(":"): overlay = .menu(palette)
        case .character("t"): run(.timeMenu)
        case .character(" "): run(.togglePause)
        case .character("r"): run(.refresh)
        case .character("u"): run(.undoSpan)
        case .character("["): show(span.panned(by: -0.5, now: shownNow))
        case .character("]"): show(span.panned(by: 0.5, now: shownNow))
        case .character("+"), .character("="): zoom(by: 0.5)
        case .character("-"): zoom(by: 2)
        case .character("E"): run(.showExplore)
        case .character("A"): run(.showAlerts)
        case .character("L"): run(.showLogs)
        case .character("T"): run(.showTraces)
        case .character("S"): run(.showServices)
        default: break
        }
    }

    private func askToQuit() {
        // At the root it asks, elsewhere it goes back.
        if screens.count > 1 { goBack() } else { overlay = .confirmQuit }
    }

    /// One step back; never out of the program.
    func goBack() {
        if screen == .dashboard, cursor != nil || mark != nil {
            cursor = nil
            mark = nil
        } else if isMaximized, screen == .dashboard {
            run(.toggleMaximized)
        } else if screens.count > 1 {
            leaveScreen()
        }
    }

    func zoom(by factor: Double) {
        show(span.zoomed(by: factor, around: cursor, now: shownNow))
    }

    // MARK: Overlays

    private func handleInOverlay(_ press: KeyPress) -> Bool {
        switch overlay {
        case nil: return false
        case .help: overlay = nil
        case .confirmQuit:
            overlay = nil
            if press.character == "y" || press.character == "q" || press.key == .enter {
                isDone = true
            }
        case .menu(var menu):
            switch menu.handle(press) {
            case .stay: overlay = .menu(menu)
            case .close: overlay = nil
            case .run(let command):
                overlay = nil
                run(command)
            }
        }
        return true
    }

    /// Does what a menu or a key asks for.
    func run(_ command: Command) {
        switch command {
        case .openDashboard(let name): open(name, keepsSpan: true)
        case .showDashboard: show(.dashboard)
        case .showExplore: show(.explore)
        case .showAlerts: show(.alerts)
        case .showLogs: show(.logs)
        case .showTraces: show(.traces)
        case .showServices: show(.services)
        case .findTraces(let query): openTraces(query)
        case .setSpan(let span): show(span)
        case .chooseVariable(let name): overlay = .menu(valueMenu(name))
        case .setVariable(let name, let value):
            guard chosen[name] != value else { return }
            chosen[name] = value
            // The choices of the others may depend on it.
            areVariablesKnown = false
            restart()
        case .timeMenu: overlay = .menu(timeMenu)
        case .variablesMenu:
            let variables = dashboard?.variables ?? []
            if variables.isEmpty {
                message = "this dashboard has no variables"
            } else if variables.count == 1 {
                overlay = .menu(valueMenu(variables[0].name))
            } else {
                overlay = .menu(variablesMenu)
            }
        case .togglePause:
            if pausedAt == nil {
                pausedAt = now
            } else {
                pausedAt = nil
                restart()
            }
        case .refresh:
            restart()
            if screen == .explore { runExplore(isNew: false) }
        case .toggleMaximized:
            guard let dashboard, !dashboard.panels.isEmpty else { return }
            isMaximized.toggle()
            panels[focus].valueAxis = nil
            if !panels[focus].isLoading { askForPanel(focus) }
            showFocus()
        case .undoSpan:
            guard let before = spanHistory.popLast() else { return }
            span = before
            restart()
            if screen == .explore { runExplore(isNew: false) }
        case .help: overlay = .help
        case .quit: isDone = true
        }
    }

    var palette: Menu {
        var items = dashboards.entries.map { entry in
            Menu.Item(
                "dashboard \(entry.name)",
                detail: entry.dashboard?.title ?? "broken file",
                .openDashboard(entry.name)
            )
        }
        items += [
            Menu.Item("explore", detail: "E", .showExplore),
            Menu.Item("alerts", detail: "A", .showAlerts),
            Menu.Item("logs", detail: "L", .showLogs),
            Menu.Item("traces", detail: "T", .showTraces),
            Menu.Item(
                "traces that failed",
                detail: "{status=error}",
                .findTraces("{status=error}")
            ),
            Menu.Item("services and their calls", detail: "S", .showServices),
            Menu.Item("dashboard", detail: "back to it", .showDashboard),
            Menu.Item("time range", detail: "t", .timeMenu),
            Menu.Item("variables", detail: "$", .variablesMenu),
            Menu.Item("pause or go on", detail: "space", .togglePause),
            Menu.Item("refresh", detail: "r", .refresh),
            Menu.Item("maximise panel", detail: "enter", .toggleMaximized),
            Menu.Item("undo time range", detail: "u", .undoSpan),
            Menu.Item("help", detail: "?", .help),
            Menu.Item("quit", detail: "q", .quit),
        ]
        return Menu(title: "Commands", items: items)
    }

    private var timeMenu: Menu {
        let minute: Int64 = 60_000
        let choices: [(String, Int64)] = [
            ("5m", 5), ("15m", 15), ("30m", 30), ("1h", 60), ("3h", 180), ("6h", 360),
            ("12h", 720), ("1d", 1440), ("2d", 2880), ("7d", 10_080), ("30d", 43_200),
        ]
        let items = choices.map { name, minutes in
            Menu.Item("last \(name)", .setSpan(.last(milliseconds: minutes * minute)))
        }
        let current = choices.firstIndex { span == .last(milliseconds: $0.1 * minute) }
        return Menu(
            title: "Time range (or type one: 45m)",
            items: items,
            selected: current ?? 0,
            takesDuration: true
        )
    }

    private var variablesMenu: Menu {
        Menu(
            title: "Variables",
            items: (dashboard?.variables ?? []).map { variable in
                Menu.Item(
                    variable.name,
                    detail: valueText(variable.name),
                    .chooseVariable(variable.name)
                )
            }
        )
    }

    private func valueMenu(_ name: String) -> Menu {
        let values = choices[name] ?? []
        let isAll = dashboard?.variables.first { $0.name == name }?.hasAll ?? false
        return Menu(
            title: name,
            items: values.map { value in
                Menu.Item(
                    isAll && value == DashboardVariable.all ? "all" : value,
                    .setVariable(name: name, value: value)
                )
            },
            selected: values.firstIndex(of: chosen[name] ?? "") ?? 0
        )
    }

    /// A variable's value as people read it.
    func valueText(_ name: String) -> String {
        let value = chosen[name] ?? "-"
        let hasAll = dashboard?.variables.first { $0.name == name }?.hasAll ?? false
        return hasAll && value == DashboardVariable.all ? "all" : value
    }
}
