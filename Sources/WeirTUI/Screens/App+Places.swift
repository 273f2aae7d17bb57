internal import WeirTerminal

extension App {
    /// Where one came from, with all that going on from there has changed.
    struct Place {
        let span: TimeSpan
        let logs: LogsState
        let traces: TracesState
        let waterfall: WaterfallState
    }

    static let placesMax = 100

    /// Goes on to another screen by way of something chosen on this one: what `change` does to the
    /// time and to screens is undone on the way back.
    func leap(to screen: Screen, _ change: () -> Void) {
        let place = Place(span: span, logs: logs, traces: traces, waterfall: waterfall)
        change()
        screens.append(screen)
        places[screens.count] = place
        if screens.count > Self.placesMax {
            screens.removeFirst()
            places = shifted
        }
        message = ""
        overlay = nil
        restart()
    }

    private var shifted: [Int: Place] {
        Dictionary(
            places.compactMap { depth, place in depth > 1 ? (depth - 1, place) : nil },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// One screen back, as it was.
    func leaveScreen() {
        let place = places.removeValue(forKey: screens.count)
        screens.removeLast()
        guard let place else { return }
        span = place.span
        logs = place.logs
        traces = place.traces
        waterfall = place.waterfall
        restart()
    }

    // MARK: The ways between signals

    /// Opens a trace, standing on a span of it where one is named.
    func openTrace(_ id: String, span: String?) {
        guard let id = TraceText.traceID(id) else {
            message = "`\(id)` is no trace id"
            return
        }
        leap(to: .trace) { waterfall = WaterfallState(id: id, span: span) }
    }

    /// Shows the logs of a query in a time around something, in milliseconds.
    func openLogs(_ query: String, from: Int64, to: Int64) {
        leap(to: .logs) {
            logs = LogsState()
            logs.query = query
            logs.editor = LineEditor(query)
            span = .fixed(from: from, to: max(to, from + TimeSpan.spanMin))
        }
    }

    /// Searches traces.
    func openTraces(_ query: String) {
        leap(to: .traces) {
            traces = TracesState()
            traces.query = query
            traces.editor = LineEditor(query)
        }
    }

    /// Looks at an expression in a time, in milliseconds.
    func openExplore(_ expression: String, from: Int64, to: Int64) {
        leap(to: .explore) {
            span = .fixed(from: from, to: max(to, from + TimeSpan.spanMin))
            explore.set(expression)
        }
        runExplore(isNew: true)
    }

    // MARK: Exemplars

    /// Asks for the exemplars of a panel whose chart shows latencies out of buckets.
    func askForExemplars(_ index: Int) {
        guard let dashboard, dashboard.panels.indices.contains(index) else { return }
        let panel = dashboard.panels[index]
        guard panel.kind == .timeseries else { return }
        let expressions = panel.queries.filter {
            $0.language == .promql && $0.expression.contains("_bucket")
        }.map { expanded($0.expression, panel: index) }
        guard !expressions.isEmpty else { return }
        let (from, to) = span.bounds(now: shownNow)
        ask(
            .traces(
                TracesJob(
                    part: .exemplars(panel: index, expressions: expressions),
                    from: from,
                    to: to
                )
            )
        )
    }

    /// The greatest exemplar of the focused panel at the cursor, within two cells of it.
    var exemplarAtCursor: Exemplar? {
        guard let cursor, panels.indices.contains(focus), let axis = panels[focus].data?.axis else {
            return nil
        }
        let reach = 4 * axis.step
        return panels[focus].exemplars.filter { abs($0.time - cursor) <= reach }.max {
            $0.value < $1.value
        }
    }

    /// Moves the cursor to the next exemplar, or to the greatest where there is no cursor.
    func moveToExemplar(by step: Int) {
        guard panels.indices.contains(focus), !panels[focus].exemplars.isEmpty else {
            message = "this panel has no exemplars"
            return
        }
        let all = panels[focus].exemplars
        guard let cursor, let axis = panels[focus].data?.axis else {
            cursor = all.max { $0.value < $1.value }?.time
            return
        }
        // Those of one mark are one.
        let reach = 2 * axis.step
        let next =
            step > 0
            ? all.first { $0.time > cursor + reach } : all.last { $0.time < cursor - reach }
        if let next { self.cursor = next.time } else { message = "no more exemplars this way" }
    }

    /// The logs of the moment at which the cursor stands.
    func openLogsAtCursor() {
        guard let cursor else {
            run(.showLogs)
            return
        }
        let step = panels.indices.contains(focus) ? panels[focus].data?.axis?.step ?? 0 : 0
        let reach = max(30_000, 2 * step)
        var query = ""
        if let service = chosen["service"], service != DashboardVariable.all {
            query = "{service=\(LogQueryText.quoted(service))}"
        }
        openLogs(query, from: cursor - reach, to: cursor + reach)
    }
}
