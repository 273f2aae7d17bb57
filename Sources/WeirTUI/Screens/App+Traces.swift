internal import WeirCore
internal import WeirTerminal

extension App {
    /// Asks what the screens of traces have to show.
    func askForTraces() {
        let (from, to) = span.bounds(now: shownNow)
        func askFor(_ part: TracesJob.Part) {
            ask(.traces(TracesJob(part: part, from: from, to: to)))
        }
        switch screen {
        case .traces:
            traces.isAsked = true
            traces.isLoading = true
            askFor(
                .search(
                    query: traces.query,
                    limit: TracesState.limit,
                    isByDuration: traces.isByDuration
                )
            )
        case .services:
            services.isAsked = true
            services.isLoading = true
            askFor(.graph)
        case .trace:
            waterfall.isAsked = true
            waterfall.isLoading = true
            askFor(.trace(id: waterfall.id))
        default: break
        }
    }

    /// Asks for the chosen span's log lines and metrics, one question at a time: whoever runs down a
    /// thousand spans asks for the one they rest on.
    func askForSpan() {
        guard screen == .trace, let span = waterfall.selectedSpan else { return }
        if waterfall.pending == nil, waterfall.logs[span.id] == nil {
            waterfall.pending = span.id
            ask(
                .traces(TracesJob(part: .logs(id: waterfall.id, span: span.id), from: 0, to: 0))
            )
        }
        if waterfall.showsMetrics, waterfall.pendingMetrics == nil,
            waterfall.metrics[span.id] == nil
        {
            waterfall.pendingMetrics = span.id
            ask(
                .traces(TracesJob(part: .metrics(id: waterfall.id, span: span.id), from: 0, to: 0))
            )
        }
    }

    func receiveTraces(_ job: TracesJob, _ answer: Result<TracesAnswer, APIError>) {
        switch job.part {
        case .search:
            traces.receive(answer.map { if case .found(let all) = $0 { all } else { [] } })
        case .graph:
            services.isLoading = false
            switch answer {
            case .success(.graph(let model)):
                services.model = model
                services.error = nil
                services.selected = max(0, min(services.selected, services.lineCount - 1))
            case .failure(let error): services.error = error
            default: break
            }
        case .exemplars(let panel, _):
            // Where there are none to be had the chart is as good without.
            guard panels.indices.contains(panel), case .success(.exemplars(let all)) = answer else {
                return
            }
            panels[panel].exemplars = all
        case .trace(let id):
            guard id == waterfall.id else { return }
            waterfall.isLoading = false
            switch answer {
            case .success(.trace(let tree)):
                waterfall.set(tree, theme: theme)
                waterfall.logs = [:]
                waterfall.metrics = [:]
                waterfall.pending = nil
                waterfall.pendingMetrics = nil
                askForSpan()
            case .failure(let error): waterfall.error = error
            default: break
            }
        case .logs(let id, let span):
            guard id == waterfall.id, let span else { return }
            waterfall.pending = nil
            if waterfall.logs.count > WaterfallState.logsMax { waterfall.logs = [:] }
            switch answer {
            case .success(.logs(let lines)):
                waterfall.logs[span] = lines
                waterfall.logsError = nil
                askForSpan()
            case .failure(let error):
                // Not asked for again until another span is chosen and this one anew.
                waterfall.logs[span] = []
                waterfall.logsError = error
            default: break
            }
        case .metrics(let id, let span):
            guard id == waterfall.id else { return }
            waterfall.pendingMetrics = nil
            switch answer {
            case .success(.metrics(let metrics)):
                waterfall.metrics[span] = metrics
                waterfall.metricsError = nil
                askForSpan()
            case .failure(let error): waterfall.metricsError = error
            default: break
            }
        }
    }

    // MARK: Searching

    /// Keys of the search; false when it has no use for one.
    func handleInTraces(_ press: KeyPress) -> Bool {
        if traces.isTyping {
            switch press.key {
            case .escape:
                traces.isTyping = false
                traces.editor = LineEditor(traces.query)
            case .enter:
                traces.isTyping = false
                let text = traces.editor.text
                if let id = TraceText.traceID(text), text.utf8.count >= 16 {
                    openTrace(id, span: nil)
                } else {
                    let isEmpty = !text.utf8.contains { $0 != 0x20 }
                    search(isEmpty ? "{}" : text)
                }
            default: _ = traces.editor.handle(press)
            }
            return true
        }
        let last = max(0, traces.items.count - 1)
        switch press.key {
        case .up, .character("k"): traces.selected = max(0, traces.selected - 1)
        case .down, .character("j"): traces.selected = min(last, traces.selected + 1)
        case .pageUp: traces.selected = max(0, traces.selected - 20)
        case .pageDown: traces.selected = min(last, traces.selected + 20)
        case .home, .character("g"): traces.selected = 0
        case .end, .character("G"): traces.selected = last
        case .character("i"), .character("/"):
            traces.editor = LineEditor(traces.query == "{}" ? "" : traces.query)
            traces.isTyping = true
        case .character("s"):
            traces.isByDuration.toggle()
            traces.selected = 0
            search(traces.query)
        case .character("e"):
            search(traces.query == "{status=error}" ? "{}" : "{status=error}")
        case .enter:
            guard traces.selected < traces.items.count else { return true }
            let item = traces.items[traces.selected]
            openTrace(item.traceID, span: traces.query == "{}" ? nil : item.spanID)
        case .character("y"):
            guard traces.selected < traces.items.count else { return true }
            clipboard = traces.items[traces.selected].traceID
            message = "copied the trace id"
        case .character("Y"):
            clipboard = "weir traces \(ShellText.quoted(traces.query))"
            message = "copied as a command"
        default: return false
        }
        return true
    }

    private func search(_ query: String) {
        traces.query = query
        traces.editor = LineEditor(query)
        traces.error = nil
        restart()
    }

    /// Draws the query line and what was found.
    func drawTraces(into buffer: inout CellBuffer, in content: Rect) -> CursorPlace? {
        let box = Rect(x: content.x, y: content.y, width: content.width, height: 3)
        let inside = Frame(
            title: "TraceQL",
            note: traces.isTyping ? "enter runs" : "i edits",
            isFocused: traces.isTyping
        ).draw(into: &buffer, in: box, theme: theme)
        var cursor: CursorPlace?
        if traces.isTyping {
            cursor = traces.editor.draw(
                into: &buffer,
                x: inside.x + 1,
                y: inside.y,
                width: inside.width - 2,
                theme.text
            )
        } else {
            buffer.write(
                CharacterWidth.truncated(
                    traces.query == "{}" ? "all traces" : traces.query,
                    to: inside.width - 2
                ),
                x: inside.x + 1,
                y: inside.y,
                traces.query == "{}" ? theme.muted : theme.text
            )
        }
        var top = box.maxY
        if let error = traces.error, !error.isOutage {
            for line in TextWrap.lines("error: \(error.text)", width: content.width - 4).prefix(3) {
                buffer.write(line, x: content.x + 2, y: top, theme.error)
                top += 1
            }
        }
        let rest = Rect(
            x: content.x,
            y: top,
            width: content.width,
            height: content.maxY - top
        )
        let order = traces.isByDuration ? "longest" : "newest"
        let count =
            traces.items.count == TracesState.limit
            ? "the \(order) \(traces.items.count)" : "\(traces.items.count), \(order) first"
        let list = Frame(
            title: "Traces",
            note: traces.isLoading && !traces.isKnown ? "loading" : count,
            isFocused: !traces.isTyping
        ).draw(into: &buffer, in: rest, theme: theme)
        guard traces.isKnown else { return cursor }
        let room = max(1, list.height - 1)
        TraceList(
            items: traces.items,
            theme: theme,
            selected: traces.selected,
            offset: max(0, min(traces.selected - room / 2, traces.items.count - room))
        ).draw(into: &buffer, in: list)
        return cursor
    }

    // MARK: Services

    /// Keys of the service graph; false when it has no use for one.
    func handleInServices(_ press: KeyPress) -> Bool {
        let last = max(0, services.lineCount - 1)
        switch press.key {
        case .up, .character("k"): services.selected = max(0, services.selected - 1)
        case .down, .character("j"): services.selected = min(last, services.selected + 1)
        case .home, .character("g"): services.selected = 0
        case .end, .character("G"): services.selected = last
        case .tab:
            let count = services.model?.services.count ?? 0
            services.selected = services.selected < count ? min(count, last) : 0
        case .enter:
            guard let query = services.model?.query(services.selected) else { return true }
            openTraces(query)
        default: return false
        }
        return true
    }

    /// Draws services, and who calls whom.
    func drawServices(into buffer: inout CellBuffer, in content: Rect) {
        guard let model = services.model else {
            let text = services.error.map { "error: \($0.text)" } ?? "loading"
            buffer.write(
                CharacterWidth.truncated(text, to: content.width - 4),
                x: content.x + 2,
                y: content.y + 1,
                services.error == nil ? theme.muted : theme.error
            )
            return
        }
        let isLower = services.selected >= model.services.count
        let height = min(model.services.count + 3, max(5, content.height / 2))
        let upper = Rect(x: content.x, y: content.y, width: content.width, height: height)
        let lower = Rect(
            x: content.x,
            y: upper.maxY,
            width: content.width,
            height: content.height - height
        )
        let first = Frame(
            title: "Services",
            note: services.error.map { "error: \($0.text)" } ?? "\(model.services.count)",
            noteStyle: services.error == nil ? nil : theme.error,
            isFocused: !isLower
        ).draw(into: &buffer, in: upper, theme: theme)
        var table = TableWidget(
            columns: [.init("service")] + Self.measureColumns + [
                .init("p50", isRightAligned: true)
            ],
            rows: model.services.map { one in
                [TableWidget.Entry(one.name, theme.strong)] + measures(one.measures) + [
                    TableWidget.Entry(seconds(one.measures.p50))
                ]
            }
        )
        place(&table, isLower ? nil : services.selected, first)
        table.draw(into: &buffer, in: first, theme: theme)
        let second = Frame(
            title: "Calls",
            note: "\(model.edges.count)",
            isFocused: isLower
        ).draw(into: &buffer, in: lower, theme: theme)
        var calls = TableWidget(
            columns: [.init("from"), .init("to"), .init("kind")] + Self.measureColumns,
            rows: model.edges.map { edge in
                [
                    TableWidget.Entry(edge.client, theme.strong),
                    TableWidget.Entry("→ \(edge.server)", theme.strong),
                    TableWidget.Entry(edge.kind.isEmpty ? "call" : edge.kind, theme.muted),
                ] + measures(edge.measures)
            }
        )
        place(&calls, isLower ? services.selected - model.services.count : nil, second)
        calls.draw(into: &buffer, in: second, theme: theme)
    }

    private func place(_ table: inout TableWidget, _ selected: Int?, _ rect: Rect) {
        table.selected = selected
        let room = max(1, rect.height - 2)
        table.offset = max(0, min((selected ?? 0) - room / 2, table.rows.count - room - 1))
    }

    private static let measureColumns: [TableWidget.Column] = [
        .init("requests", isRightAligned: true), .init("errors", isRightAligned: true),
        .init("p99", isRightAligned: true),
    ]

    private func seconds(_ value: Double?) -> String {
        value.map { ValueUnit.seconds.text($0) } ?? "-"
    }

    private func measures(_ one: ServiceGraphModel.Measures) -> [TableWidget.Entry] {
        let errors = one.errorRate ?? 0
        let style = errors >= 0.05 ? theme.error : errors >= 0.01 ? theme.warning : theme.text
        return [
            TableWidget.Entry(one.rate.map { ValueUnit.perSecond.text($0) } ?? "-"),
            TableWidget.Entry(
                one.errorRate.map { ValueUnit.ratio.text($0) + (errors >= 0.05 ? "!" : "") } ?? "-",
                style
            ),
            TableWidget.Entry(seconds(one.p99)),
        ]
    }
}

/// Text as a shell takes it.
enum ShellText {
    static func quoted(_ text: String) -> String {
        let parts = text.split(separator: "'", omittingEmptySubsequences: false)
        return "'" + parts.joined(separator: #"'\''"#) + "'"
    }
}
