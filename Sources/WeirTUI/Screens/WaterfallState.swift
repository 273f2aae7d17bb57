internal import WeirTerminal

/// What the screen of one trace knows, and where one stands in it.
struct WaterfallState {
    enum Pane: Hashable {
        case spans
        case details
    }

    var id = ""
    /// The span to stand on once the trace is here.
    var wanted: String?
    private(set) var tree: TraceTree?
    private(set) var summary = ""
    private(set) var colors: [String: Color] = [:]
    private(set) var profile: TraceProfile?
    var error: APIError?
    var isLoading = false
    var isAsked = false

    private(set) var folds = TraceFolds()
    private(set) var rows: [TraceRow] = []
    var selected = 0
    /// The first row that is drawn.
    var top = 0
    /// The span that the bars are drawn over; all when nil.
    var zoomed: Int?
    var pane = Pane.spans
    var detailTop = 0
    var isFlame = false
    /// In the flame view's table.
    var line = 0
    var isTyping = false
    var editor = LineEditor()
    var search = ""

    /// Log lines by span.
    var logs: [String: [TraceLogLine]] = [:]
    var logsError: APIError?
    /// The span whose lines are being asked for.
    var pending: String?
    var showsMetrics = false
    var metrics: [String: SpanMetrics] = [:]
    var metricsError: APIError?
    var pendingMetrics: String?

    static let logsMax = 500

    init() {}

    init(id: String, span: String?) {
        self.id = id
        wanted = span
    }

    mutating func set(_ tree: TraceTree, theme: Theme) {
        let chosen = wanted ?? selectedSpan?.id
        self.tree = tree
        summary = TraceText.summary(tree.trace)
        colors = Waterfall.colors(tree, theme)
        profile = nil
        error = nil
        folds = TraceFolds()
        zoomed = nil
        wanted = nil
        update()
        if let chosen, let place = tree.place(of: chosen) { reveal(place) }
    }

    mutating func showFlame(_ isOn: Bool) {
        isFlame = isOn
        if isOn, profile == nil, let tree { profile = TraceProfile(tree) }
    }

    private mutating func update() {
        let kept = selected < rows.count ? rows[selected].content : nil
        rows = tree?.rows(folds) ?? []
        if let kept, let place = rows.firstIndex(where: { $0.content == kept }) {
            selected = place
        }
        selected = min(selected, max(0, rows.count - 1))
    }

    var selectedRow: TraceRow? { selected < rows.count ? rows[selected] : nil }

    /// The chosen span's place; the first of a run of repeats.
    var selectedPlace: Int? { selectedRow?.span }

    var selectedSpan: TraceSpan? {
        guard let tree, let place = selectedPlace else { return nil }
        return tree.trace.spans[place]
    }

    mutating func move(by count: Int) {
        selected = min(max(0, selected + count), max(0, rows.count - 1))
        detailTop = 0
    }

    // MARK: Folding

    mutating func toggle() {
        guard let row = selectedRow else { return }
        setOpen(!row.isOpen)
    }

    mutating func setOpen(_ isOpen: Bool) {
        guard let row = selectedRow, row.hasChildren else { return }
        switch row.content {
        case .span(let index):
            if isOpen { folds.closed.remove(index) } else { folds.closed.insert(index) }
        case .repeats(let first, _):
            if isOpen { folds.openRepeats.insert(first) } else { folds.openRepeats.remove(first) }
        case .missing, .gap: return
        }
        update()
    }

    /// All but the topmost spans and their children; or nothing.
    mutating func toggleAll() {
        guard let tree else { return }
        if folds.closed.isEmpty {
            let kept = selectedPlace.map { ([$0] + tree.ancestors(of: $0)).last ?? $0 }
            folds.closed = Set(
                tree.children.indices.filter {
                    !tree.children[$0].isEmpty && tree.parents[$0] != nil
                }
            )
            update()
            if let kept, let place = rows.firstIndex(where: { $0.content == .span(kept) }) {
                selected = place
            }
        } else {
            folds.closed = []
            update()
        }
    }

    /// All repeats one by one, or as runs.
    mutating func toggleRepeats() {
        folds.repeatsMin = folds.repeatsMin == .max ? 4 : .max
        let place = selectedPlace
        update()
        if let place { reveal(place) }
    }

    /// Opens what hides a span, and stands on it.
    mutating func reveal(_ place: Int) {
        guard let tree else { return }
        for index in [place] + tree.ancestors(of: place) {
            if index != place { folds.closed.remove(index) }
            if let first = tree.runStart(of: index, folds.repeatsMin) {
                folds.openRepeats.insert(first)
            }
        }
        rows = tree.rows(folds)
        selected = rows.firstIndex { $0.content == .span(place) } ?? 0
        detailTop = 0
    }

    /// The row above with less depth; false when there is none.
    mutating func goToParent() -> Bool {
        guard let row = selectedRow,
            let parent = rows[..<selected].lastIndex(where: { $0.depth < row.depth })
        else { return false }
        selected = parent
        detailTop = 0
        return true
    }

    /// The next span in the order of the tree for which something holds, around the end.
    func next(from step: Int, where isWanted: (Int) -> Bool) -> Int? {
        guard let tree, !tree.trace.spans.isEmpty else { return nil }
        var folds = TraceFolds()
        folds.repeatsMin = .max
        folds.showsGaps = false
        let order = tree.rows(folds).compactMap { row -> Int? in
            if case .span(let index) = row.content { return index }
            return nil
        }
        let at = order.firstIndex(of: selectedPlace ?? -1) ?? (step > 0 ? -1 : order.count)
        for distance in 1...order.count {
            let place = ((at + step * distance) % order.count + order.count) % order.count
            if isWanted(order[place]) { return order[place] }
        }
        return nil
    }
}

extension TraceTree {
    /// The first of the run of repeats that a span is in; nil when it is in none.
    func runStart(of index: Int, _ repeatsMin: Int) -> Int? {
        let siblings = siblings(of: index)
        guard let place = siblings.firstIndex(of: index) else { return nil }
        func isAlike(_ other: Int) -> Bool {
            trace.spans[siblings[other]].name == trace.spans[index].name
                && trace.spans[siblings[other]].service == trace.spans[index].service
        }
        var first = place
        while first > 0, isAlike(first - 1) { first -= 1 }
        var last = place
        while last + 1 < siblings.count, isAlike(last + 1) { last += 1 }
        return last - first + 1 >= repeatsMin ? siblings[first] : nil
    }
}
