internal import WeirCore
internal import WeirTerminal

extension App {
    /// What should be followed now; the loop that owns the terminal sees to it.
    package var wantedTail: TailRequest? {
        guard screen == .logs, logs.isFollowing else { return nil }
        return TailRequest(query: logs.query, since: logs.followSince, limit: 500)
    }

    /// Takes what a tail brought.
    package func receive(_ batch: TailBatch, of request: TailRequest) {
        guard request == wantedTail else { return }
        logs.add(batch, now: now)
    }

    /// Asks for all four parts of the screen.
    func askForLogs() {
        logs.isAsked = true
        logs.isLoading = !logs.isFollowing
        let (from, to) = span.bounds(now: shownNow)
        let parts: [LogsJob.Part] =
            (logs.isFollowing ? [] : [.rows(limit: LogsState.rowsMax)])
            + [.hits, .facets, .patterns]
        for part in parts {
            ask(
                .logs(
                    LogsJob(
                        part: part,
                        query: logs.query,
                        from: from,
                        to: to,
                        cells: max(1, size.width - 10)
                    )
                )
            )
        }
    }

    func receiveLogs(_ job: LogsJob, _ answer: Result<LogsAnswer, APIError>) {
        switch answer {
        case .success(.rows(let lines)):
            logs.isLoading = false
            logs.error = nil
            if !logs.isFollowing { logs.set(lines) }
        case .success(.hits(let volume)): logs.volume = volume
        case .success(.facets(let facets)): logs.facets = facets
        case .success(.patterns(let patterns)): logs.patterns = patterns
        case .failure(let error):
            if case .rows = job.part {
                logs.isLoading = false
                logs.error = error
            } else if logs.isFollowing {
                logs.error = error
            }
        }
    }

    /// Shows other lines, remembering those before.
    private func showLogs(_ query: String, span next: TimeSpan? = nil, isRemembered: Bool = true) {
        if isRemembered { logs.past.append((logs.query, span)) }
        if logs.past.count > 100 { logs.past.removeFirst() }
        logs.forget()
        logs.query = query
        logs.editor = LineEditor(query)
        logs.facet = 0
        logs.pane = .lines
        if let next { span = next }
        restart()
    }

    // MARK: Keys

    /// Keys of the logs screen; false when it has no use for one.
    func handleInLogs(_ press: KeyPress) -> Bool {
        if logs.typing != nil {
            handleTyping(press)
            return true
        }
        if logs.pane == .facets, handleInFacets(press) { return true }
        if logs.isExpanded, handleInTree(press) { return true }
        switch press.key {
        case .up, .character("k"): moveInLogs(by: -1)
        case .down, .character("j"): moveInLogs(by: 1)
        case .pageUp: moveInLogs(by: -20)
        case .pageDown: moveInLogs(by: 20)
        case .home, .character("g"): moveInLogs(by: -logs.items.count)
        case .end, .character("G"): logs.catchUp()
        case .enter:
            logs.isExpanded = !logs.items.isEmpty
            logs.field = 0
        case .tab: logs.pane = .facets
        case .character("i"):
            logs.editor = LineEditor(logs.query)
            logs.typing = .query
        case .character("/"):
            logs.editor = LineEditor()
            logs.typing = .search
        case .character("n"): findInLogs(by: 1)
        case .character("N"): findInLogs(by: -1)
        case .character("e"): nextError()
        case .character("f"): follow(!logs.isFollowing)
        case .character(" ") where logs.isFollowing:
            if logs.isHeld { logs.catchUp() } else { logs.isHeld = true }
        case .character("J"): showAround()
        case .character("T"):
            guard let row = selectedRow, let id = Self.traceID(of: row) else { return false }
            openTrace(id, span: Self.spanID(of: row))
        case .character("w"): logs.isWrapped.toggle()
        case .character("y"):
            guard let row = selectedRow else { return true }
            clipboard = row.line
            message = "copied the line"
        case .escape where !logs.past.isEmpty:
            let before = logs.past.removeLast()
            let line = logs.selected < logs.items.count ? logs.items[logs.selected].bytes : nil
            showLogs(before.query, span: before.span, isRemembered: false)
            logs.wanted = line
        default: return false
        }
        return true
    }

    private static let traceNames = ["trace_id", "traceid", "traceID", "TraceId", "trace.id"]

    private static func traceID(of row: LogRow) -> String? {
        traceNames.lazy.compactMap { row[$0] }.first
    }

    private static func spanID(of row: LogRow) -> String? {
        ["span_id", "spanid", "spanID", "SpanId", "span.id"].lazy.compactMap { row[$0] }.first
    }

    private var selectedRow: LogRow? {
        guard logs.selected < logs.items.count else { return nil }
        return logs.items[logs.selected].row()
    }

    private func moveInLogs(by count: Int) {
        // Whoever looks back must not have the lines moved away.
        if logs.isFollowing, count < 0 { logs.isHeld = true }
        logs.move(by: count)
    }

    private func follow(_ isOn: Bool) {
        if isOn { logs.forget() }
        logs.isFollowing = isOn
        logs.isHeld = false
        logs.followSince = now - 900_000
        restart()
    }

    private func handleTyping(_ press: KeyPress) {
        switch press.key {
        case .escape:
            logs.typing = nil
            logs.editor = LineEditor(logs.query)
        case .enter:
            let text = logs.editor.text
            if case .search = logs.typing {
                logs.search = text
                logs.editor = LineEditor(logs.query)
                logs.typing = nil
                findInLogs(by: -1)
            } else {
                logs.typing = nil
                showLogs(text)
            }
        default: _ = logs.editor.handle(press)
        }
    }

    private func findInLogs(by step: Int) {
        let wanted = Array(logs.search.lowercased().utf8)
        guard !wanted.isEmpty else {
            message = "nothing to search for: / begins"
            return
        }
        let found = logs.find(by: step) { item in
            guard let row = item.row() else { return false }
            return row.line.lowercased().utf8.contains(wanted)
                || row.fields.contains {
                    LogRow.text($0.value).lowercased().utf8.contains(wanted)
                }
        }
        select(found, otherwise: "no line has `\(logs.search)`")
    }

    private func nextError() {
        select(
            logs.find(by: -1) { $0.row()?.level.isError == true },
            otherwise: "no error among these lines"
        )
    }

    private func select(_ found: Int?, otherwise text: String) {
        guard let found else {
            message = text
            return
        }
        if logs.isFollowing { logs.isHeld = true }
        logs.selected = found
        logs.isExpanded = false
    }

    /// The same stream half a minute before and after the line.
    private func showAround() {
        guard let row = selectedRow else { return }
        let pairs = row.stream.map { pair in
            "\(LogQueryText.plain(pair.name))=\(LogQueryText.quoted(pair.value))"
        }
        logs.isFollowing = false
        let line = logs.items[logs.selected].bytes
        showLogs(
            "{\(pairs.joined(separator: ", "))}",
            span: .fixed(from: row.time - 30_000, to: row.time + 30_000)
        )
        logs.wanted = line
        message = "the lines around; esc goes back"
    }

    private func handleInTree(_ press: KeyPress) -> Bool {
        guard let row = selectedRow else { return false }
        let tree = LogsState.tree(row)
        let chosen = tree[min(logs.field, tree.count - 1)]
        switch press.key {
        case .up, .character("k"): logs.field = max(0, logs.field - 1)
        case .down, .character("j"): logs.field = min(tree.count - 1, logs.field + 1)
        case .enter where Self.traceNames.contains(chosen.name):
            openTrace(chosen.value, span: Self.spanID(of: row))
        case .enter, .escape: logs.isExpanded = false
        case .character("+"), .character("="), .character("-"):
            guard chosen.name != "_time" else { return true }
            showLogs(
                LogQueryText.adding(
                    logs.query,
                    name: chosen.name,
                    value: chosen.value,
                    isExcluded: press.character == "-"
                )
            )
        case .character("c"):
            guard !["_time", "_msg"].contains(chosen.name) else { return true }
            if let index = logs.columns.firstIndex(of: chosen.name) {
                logs.columns.remove(at: index)
            } else {
                logs.columns.append(chosen.name)
            }
        case .character("y"):
            clipboard = chosen.value
            message = "copied \(chosen.name)"
        default: return false
        }
        return true
    }

    private func handleInFacets(_ press: KeyPress) -> Bool {
        let choices = logs.choices
        switch press.key {
        case .up, .character("k"): logs.facet = max(0, logs.facet - 1)
        case .down, .character("j"): logs.facet = min(max(0, choices.count - 1), logs.facet + 1)
        case .tab, .escape: logs.pane = .lines
        case .enter, .character("+"), .character("="), .character("-"):
            guard logs.facet < choices.count else { return true }
            let choice = choices[logs.facet]
            let isExcluded = press.character == "-"
            showLogs(
                choice.name.isEmpty
                    ? LogQueryText.adding(
                        logs.query,
                        pattern: choice.value,
                        isExcluded: isExcluded
                    )
                    : LogQueryText.adding(
                        logs.query,
                        name: choice.name,
                        value: choice.value,
                        isExcluded: isExcluded
                    )
            )
        case .character("y"):
            guard logs.facet < choices.count else { return true }
            clipboard = choices[logs.facet].value
            message = "copied"
        default: return false
        }
        return true
    }
}

extension String.UTF8View {
    /// Whether the bytes occur.
    fileprivate func contains(_ wanted: [UInt8]) -> Bool {
        let bytes = Array(self)
        guard bytes.count >= wanted.count, let first = wanted.first else { return false }
        for start in 0...(bytes.count - wanted.count)
        where bytes[start] == first && bytes[start..<start + wanted.count].elementsEqual(wanted) {
            return true
        }
        return false
    }
}
