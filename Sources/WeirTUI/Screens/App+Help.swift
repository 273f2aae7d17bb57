internal import WeirTerminal

extension App {
    private static let everywhere: [(String, String)] = [
        (":", "palette: dashboards and commands"), ("?", "this help"), ("esc", "back, never out"),
        ("q", "back, or quit at the root"), ("t", "time range"), ("[ ]", "earlier, later"),
        ("+ -", "zoom in, out"), ("u", "undo the time range"), ("space", "stop and go on"),
        ("r", "refresh now"), ("E", "explore"), ("L", "logs"), ("A", "alerts"),
        ("T", "traces"), ("S", "services and their calls"),
        ("F2", "mouse on, off"),
        ("ctrl-l", "draw the screen anew"), ("ctrl-z", "suspend"), ("ctrl-c", "quit"),
    ]

    private static let dashboardKeys: [(String, String)] = [
        ("tab 1-9", "focus a panel"), ("enter", "maximise the panel"),
        ("left right h l", "cursor; with shift in tens"), ("up down j k", "scroll"),
        ("v, then z", "mark a range, zoom to it"), ("$", "variables"),
        ("e", "the panel's query in explore"), ("y", "copy the query"),
        ("x X", "cursor to the next exemplar, the one before"),
        ("enter on one", "its trace"), ("L at the cursor", "logs of that moment"),
    ]

    private static let exploreKeys: [(String, String)] = [
        ("enter", "run"), ("tab", "complete a name"), ("up down", "history, or completions"),
        ("ctrl-g", "graph or table"), ("ctrl-o", "time range"), ("ctrl-r", "refresh"),
        ("pgup pgdn", "earlier, later"), ("ctrl-a e u k w", "edit as a shell does"),
        ("esc", "back"), ("F1", "this help"),
    ]

    private static let logsKeys: [(String, String)] = [
        ("i", "edit the query"), ("up down j k g G", "move; G catches up"),
        ("enter", "the line's fields as a tree"), ("+ -", "in the tree: filter, exclude"),
        ("c", "in the tree: a column"), ("y", "copy the line or the field"),
        ("tab", "fields and patterns"), ("f", "follow"), ("space", "hold what follows"),
        ("/ n N", "search, next, previous"), ("e", "the error before"),
        ("J", "lines around, of the same stream"), ("w", "wrap"), ("esc", "the query before"),
        ("T", "the trace of the line; also enter on trace_id"),
    ]

    /// The keys that matter now.
    static func logsFooter(_ logs: LogsState) -> String {
        if logs.typing == .query { return "enter run  esc leave as it was" }
        if logs.typing == .search { return "enter search  esc leave" }
        if logs.pane == .facets { return "j k select  + filter  - exclude  y copy  tab lines" }
        if logs.isExpanded {
            return "j k field  + filter  - exclude  c column  y copy  enter closes"
        }
        return "i query  enter expand  / n N search  e error  f follow  space hold  G end  "
            + "J around  w wrap  tab fields  t time  esc back  ? help"
    }

    private static let tracesKeys: [(String, String)] = [
        ("i", "edit the query: TraceQL, or a trace id"), ("up down j k g G", "move"),
        ("enter", "open the trace"), ("s", "newest or longest first"),
        ("e", "only those that failed"), ("y", "copy the trace id"), ("Y", "copy as a command"),
    ]

    private static let waterfallKeys: [(String, String)] = [
        ("up down j k g G", "move"), ("enter left right", "fold, unfold; runs of repeats too"),
        ("Z", "fold all, unfold all"), ("x", "repeats one by one"), ("p", "the parent"),
        ("e", "the next that failed"), ("c", "the next on the critical path"),
        ("/ n N", "find, next, previous"), ("z", "zoom the bars to the span"),
        ("tab", "the span's details"), ("v", "flame view"), ("L", "logs of the span"),
        ("m M", "metrics of its service; explore them"), ("o", "what it is linked to"),
        ("y Y", "copy the span id, a command"), ("bars", "█ decided how long it took"),
    ]

    private static let flameKeys: [(String, String)] = [
        ("up down j k", "move"), ("enter", "the longest of these in the waterfall"),
        ("v", "the waterfall"),
    ]

    private static let servicesKeys: [(String, String)] = [
        ("up down j k", "move"), ("tab", "services, calls"), ("enter", "traces of these"),
    ]

    /// The keys that matter now.
    var tracesFooter: String {
        switch screen {
        case .traces:
            return traces.isTyping
                ? "enter run, or open a trace by its id  esc leave as it was"
                : "i query  enter open  s sort  e errors  y copy  S services  t time  : palette  "
                    + "esc back  ? help"
        case .services:
            return "j k select  tab services/calls  enter traces  t time  esc back  ? help"
        default: break
        }
        if waterfall.isTyping { return "enter find  esc leave" }
        if waterfall.isFlame {
            return "j k select  enter the longest  v waterfall  esc back  ? help"
        }
        if waterfall.pane == .details { return "j k scroll  m metrics  L logs  tab spans  ? help" }
        return "enter fold  Z all  x repeats  e error  c critical  / find  p parent  z zoom  "
            + "v flame  L logs  m metrics  tab details  esc back  ? help"
    }

    private static let alertsKeys: [(String, String)] = [
        ("up down j k", "select"), ("enter", "details"), ("r", "refresh"),
    ]

    /// Draws the keys of this screen and of all.
    func drawHelp(into buffer: inout CellBuffer, in content: Rect) {
        let special: [(String, String)]
        switch screen {
        case .dashboard: special = Self.dashboardKeys
        case .explore: special = Self.exploreKeys
        case .alerts: special = Self.alertsKeys
        case .logs: special = Self.logsKeys
        case .traces: special = Self.tracesKeys
        case .trace: special = waterfall.isFlame ? Self.flameKeys : Self.waterfallKeys
        case .services: special = Self.servicesKeys
        }
        let common = screen == .explore ? [] : Self.everywhere
        let description = screen == .dashboard ? dashboard?.description ?? "" : ""
        // As wide as their longest key and text, so that none runs into another.
        func keyWidth(_ keys: [(String, String)]) -> Int {
            2 + (keys.map(\.0.count).max() ?? 0)
        }
        func listWidth(_ keys: [(String, String)]) -> Int {
            keyWidth(keys) + (keys.map(\.1.count).max() ?? 0)
        }
        let (left, right) = (listWidth(special), listWidth(common))
        let isWide = content.width >= left + 3 + right + 4
        let width = min(content.width, (isWide ? left + 3 + right : max(left, right)) + 4)
        let about = description.isEmpty ? [] : TextWrap.lines(description, width: width - 4)
        let rows =
            isWide ? max(special.count, common.count) : special.count + 1 + common.count
        let height = min(content.height, rows + 2 + (about.isEmpty ? 0 : about.count + 1))
        let box = Rect(
            x: content.x + (content.width - width) / 2,
            y: content.y + max(0, (content.height - height) / 3),
            width: width,
            height: height
        )
        buffer.fill(box, " ", theme.text)
        let inside = Frame(title: "Help", note: "any key closes", isFocused: true).draw(
            into: &buffer,
            in: box,
            theme: theme
        )
        buffer.clip = inside
        defer { buffer.clip = buffer.bounds }
        var y = inside.y
        for line in about {
            buffer.write(line, x: inside.x + 1, y: y, theme.muted)
            y += 1
        }
        if !about.isEmpty { y += 1 }
        func list(_ keys: [(String, String)], x: Int, y: Int) {
            let width = keyWidth(keys)
            for (row, key) in keys.enumerated() {
                buffer.write(key.0, x: x, y: y + row, theme.strong)
                buffer.write(key.1, x: x + width, y: y + row, theme.text)
            }
        }
        list(special, x: inside.x + 1, y: y)
        if isWide {
            list(common, x: inside.x + 1 + left + 3, y: y)
        } else {
            list(common, x: inside.x + 1, y: y + special.count + 1)
        }
    }
}
