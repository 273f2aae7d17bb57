internal import WeirCore
internal import WeirTerminal

extension App {
    /// Keys of the trace's screen; false when it has no use for one.
    func handleInWaterfall(_ press: KeyPress) -> Bool {
        if waterfall.isTyping {
            typeInWaterfall(press)
            return true
        }
        if handleAnywhereInTrace(press) { return true }
        let isHandled =
            waterfall.isFlame
            ? handleInFlame(press)
            : waterfall.pane == .details ? handleInDetails(press) : handleInSpans(press)
        if isHandled { askForSpan() }
        return isHandled
    }

    private func handleInSpans(_ press: KeyPress) -> Bool {
        switch press.key {
        case .up, .character("k"): waterfall.move(by: -1)
        case .down, .character("j"): waterfall.move(by: 1)
        case .pageUp: waterfall.move(by: -20)
        case .pageDown: waterfall.move(by: 20)
        case .home, .character("g"): waterfall.move(by: -waterfall.rows.count)
        case .end, .character("G"): waterfall.move(by: waterfall.rows.count)
        case .enter: waterfall.toggle()
        case .right, .character("l"): waterfall.setOpen(true)
        case .left, .character("h"):
            if let row = waterfall.selectedRow, row.isOpen, row.depth > 0 {
                waterfall.setOpen(false)
            } else if !waterfall.goToParent() {
                message = "this is the topmost span"
            }
        case .character("p"):
            if !waterfall.goToParent() { message = "this is the topmost span" }
        case .character("Z"): waterfall.toggleAll()
        case .character("x"): waterfall.toggleRepeats()
        case .character("z"):
            waterfall.zoomed = waterfall.zoomed == nil ? waterfall.selectedPlace : nil
        case .character("e"):
            reveal(waterfall.next(from: 1) { isError($0) }, otherwise: "no span failed")
        case .character("c"):
            reveal(
                waterfall.next(from: 1) { waterfall.tree?.isCritical($0) ?? false },
                otherwise: "no critical path"
            )
        case .character("/"):
            waterfall.editor = LineEditor()
            waterfall.isTyping = true
        case .character("n"): findInWaterfall(by: 1)
        case .character("N"): findInWaterfall(by: -1)
        case .tab: waterfall.pane = .details
        default: return false
        }
        return true
    }

    private func isError(_ place: Int) -> Bool {
        waterfall.tree?.trace.spans[place].isError ?? false
    }

    private func handleInDetails(_ press: KeyPress) -> Bool {
        switch press.key {
        case .up, .character("k"): waterfall.detailTop = max(0, waterfall.detailTop - 1)
        case .down, .character("j"): waterfall.detailTop += 1
        case .pageUp: waterfall.detailTop = max(0, waterfall.detailTop - 10)
        case .pageDown: waterfall.detailTop += 10
        case .home, .character("g"): waterfall.detailTop = 0
        case .tab, .escape: waterfall.pane = .spans
        default: return false
        }
        return true
    }

    private func handleInFlame(_ press: KeyPress) -> Bool {
        let last = max(0, (waterfall.profile?.lines.count ?? 0) - 1)
        switch press.key {
        case .up, .character("k"): waterfall.line = max(0, waterfall.line - 1)
        case .down, .character("j"): waterfall.line = min(last, waterfall.line + 1)
        case .home, .character("g"): waterfall.line = 0
        case .end, .character("G"): waterfall.line = last
        case .escape: waterfall.showFlame(false)
        case .enter:
            guard let line = waterfall.profile?.lines[waterfall.line] else { return true }
            waterfall.showFlame(false)
            waterfall.reveal(line.slowest)
            message = "the longest of \(line.count)"
        default: return false
        }
        return true
    }

    private func handleAnywhereInTrace(_ press: KeyPress) -> Bool {
        switch press.key {
        case .character("v"): waterfall.showFlame(!waterfall.isFlame)
        case .character("L"): openLogsOfSpan()
        case .character("m"):
            waterfall.showsMetrics.toggle()
            if waterfall.showsMetrics { waterfall.pane = .details }
            waterfall.metricsError = nil
            askForSpan()
        case .character("M"): openMetricsOfSpan()
        case .character("o"):
            guard let trace = waterfall.tree?.trace,
                let link = waterfall.selectedSpan?.links.first
            else {
                message = "this span has no links"
                return true
            }
            if link.traceID == trace.traceID {
                if let place = waterfall.tree?.place(of: link.spanID) { waterfall.reveal(place) }
            } else {
                openTrace(link.traceID, span: link.spanID)
            }
        case .character("y"):
            clipboard = waterfall.selectedSpan?.id ?? waterfall.id
            message = waterfall.selectedSpan == nil ? "copied the trace id" : "copied the span id"
        case .character("Y"):
            let part = waterfall.selectedSpan.map { " --span \($0.id) --logs" } ?? ""
            clipboard = "weir trace \(waterfall.id)\(part)"
            message = "copied as a command"
        case .character("r"):
            waterfall.isAsked = false
            restart()
        case .character("+"), .character("="), .character("-"), .character("["), .character("]"):
            // The time shared with other screens is not what is seen here.
            message = "a trace shows its own time; z zooms to the span"
        default: return false
        }
        return true
    }

    private func typeInWaterfall(_ press: KeyPress) {
        switch press.key {
        case .escape: waterfall.isTyping = false
        case .enter:
            waterfall.isTyping = false
            waterfall.search = waterfall.editor.text
            findInWaterfall(by: 1)
            askForSpan()
        default: _ = waterfall.editor.handle(press)
        }
    }

    /// The next span whose service, name, id, message or attribute has what is looked for.
    private func findInWaterfall(by step: Int) {
        let wanted = waterfall.search.lowercased()
        guard !wanted.isEmpty, let tree = waterfall.tree else {
            message = "nothing to find: / begins"
            return
        }
        let spans = tree.trace.spans
        let found = waterfall.next(from: step) { place in
            let span = spans[place]
            return span.name.lowercased().contains(wanted)
                || span.service.lowercased().contains(wanted)
                || span.id.hasPrefix(wanted)
                || span.statusMessage.lowercased().contains(wanted)
                || span.attributes.contains {
                    $0.key.lowercased().contains(wanted)
                        || TraceText.value($0.value).lowercased().contains(wanted)
                }
        }
        reveal(found, otherwise: "no span has `\(waterfall.search)`")
    }

    private func reveal(_ place: Int?, otherwise text: String) {
        guard let place else {
            message = text
            return
        }
        waterfall.reveal(place)
    }

    private func openLogsOfSpan() {
        guard let tree = waterfall.tree else { return }
        var query = "| trace_id = \(LogQueryText.quoted(waterfall.id))"
        var start = tree.trace.start
        var end = start + tree.trace.duration
        if let span = waterfall.selectedSpan, waterfall.selected > 0 {
            query += " | span_id = \(LogQueryText.quoted(span.id))"
            (start, end) = (span.start, span.end)
        }
        openLogs(query, from: start / 1_000_000 - 60_000, to: end / 1_000_000 + 60_000)
    }

    /// The p99 of the span's service and name, in explore.
    private func openMetricsOfSpan() {
        guard let span = waterfall.selectedSpan else { return }
        let service = LogQueryText.quoted(span.service)
        let name = LogQueryText.quoted(span.name)
        let selector = "traces_spanmetrics_latency_bucket{service=\(service), span_name=\(name)}"
        let middle = span.start / 1_000_000
        openExplore(
            "histogram_quantile(0.99, sum by (le) (rate(\(selector)[2m])))",
            from: middle - 1_800_000,
            to: min(now, middle + 1_800_000)
        )
    }
}
