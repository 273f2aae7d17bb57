package import WeirTerminal

/// The state of the whole terminal program, and how events change it.
///
/// Used from one thread; asks nothing itself: what it wants to know it hands out as requests, and
/// takes the answers in later.
package final class App {
    package enum Screen: Hashable, Sendable {
        case dashboard
        case explore
        case alerts
        case logs
        case traces
        case trace
        case services
    }

    enum Overlay {
        case help
        case menu(Menu)
        case confirmQuit
    }

    let dashboards: DashboardLibrary
    let serverName: String
    let theme: Theme
    package private(set) var size: ScreenSize
    package internal(set) var now: Int64

    var dashboard: Dashboard?
    var panels: [PanelState] = []
    var span: TimeSpan
    var spanHistory: [TimeSpan] = []
    /// The moment at which time was stopped.
    var pausedAt: Int64?
    var cursor: Int64?
    /// The other end of a marked range.
    var mark: Int64?
    var focus = 0
    var isMaximized = false
    var scroll = 0
    var choices: [String: [String]] = [:]
    var chosen: [String: String] = [:]
    var areVariablesKnown = false
    var screens: [Screen] = [.dashboard]
    /// What to go back to, by how many screens there are.
    var places: [Int: Place] = [:]
    var overlay: Overlay?
    var message = ""
    var outage: APIError?
    var explore = ExploreState()
    var alerts = AlertsState()
    var logs = LogsState()
    var traces = TracesState()
    var waterfall = WaterfallState()
    var services = ServicesState()
    /// Where the focused chart was drawn: for the mouse.
    var plots: [(panel: Int, geometry: TimeSeriesChart.Geometry)] = []

    package private(set) var generation = 0
    private var requests: [FetchRequest] = []
    var lastRefresh: Int64 = .min / 2
    private var lastAlerts: Int64 = .min / 2
    var areVariablesAsked = false

    /// What the loop that owns the terminal has to do; each is taken once.
    package internal(set) var isDone = false
    package internal(set) var wantsSuspend = false
    package internal(set) var wantsRedraw = false
    package internal(set) var isMouseOn = false
    package internal(set) var clipboard: String?

    static let retryMilliseconds: Int64 = 5000
    static let alertsMilliseconds: Int64 = 15_000

    /// - `library`: The dashboards there are.
    /// - `dashboardName`: The one to open; the first when nil.
    /// - `span`: The time to show; the dashboard's own when nil.
    /// - `serverName`: For the header.
    package init(
        library: DashboardLibrary,
        dashboardName: String?,
        span: TimeSpan?,
        serverName: String,
        theme: Theme,
        size: ScreenSize,
        now: Int64
    ) {
        dashboards = library
        self.serverName = serverName
        self.theme = theme
        self.size = size
        self.now = now
        self.span = span ?? .last(milliseconds: 3_600_000)
        let name = dashboardName ?? dashboards.entries.first { $0.dashboard != nil }?.name
        if let name {
            open(name, keepsSpan: span != nil)
        } else {
            screens = [.explore]
            message = "no dashboards here: type a query"
        }
    }

    package var screen: Screen { screens.last ?? .dashboard }

    /// Now, or the moment at which time was stopped.
    var shownNow: Int64 { pausedAt ?? now }

    var scope: QueryScope {
        let (from, to) = span.bounds(now: shownNow)
        let values = (dashboard?.variables ?? []).compactMap { variable in
            chosen[variable.name].map {
                QueryScope.VariableValue(
                    name: variable.name,
                    value: $0,
                    isPattern: variable.hasAll
                )
            }
        }
        return QueryScope(
            from: from,
            to: to,
            now: shownNow,
            intervalMilliseconds: dashboard?.intervalMilliseconds ?? 15_000,
            variables: values
        )
    }

    // MARK: Time and requests

    /// The questions to ask now.
    ///
    /// Each is handed out once.
    package func takeRequests() -> [FetchRequest] {
        let taken = requests
        requests = []
        return taken
    }

    func ask(_ work: FetchWork) {
        requests.append(FetchRequest(generation: generation, work: work))
    }

    /// Makes every open question void, and asks anew.
    func restart() {
        generation += 1
        requests = []
        for index in panels.indices {
            panels[index].isLoading = false
            panels[index].valueAxis = nil
        }
        areVariablesAsked = false
        explore.isLoading = false
        explore.areNamesAsked = false
        logs.isAsked = false
        traces.isAsked = false
        services.isAsked = false
        // A trace does not change with the time shown; what is not here yet is asked for anew.
        if waterfall.isLoading { waterfall.isAsked = false }
        waterfall.pending = nil
        waterfall.pendingMetrics = nil
        lastRefresh = .min / 2
        lastAlerts = .min / 2
        askWhatIsDue()
    }

    /// Moves the clock, and asks what has become due.
    package func tick(now: Int64) {
        self.now = max(self.now, now)
        askWhatIsDue()
    }

    /// When `tick` should be called next, in milliseconds from now; nil when nothing is due by itself.
    package var millisecondsToNextTick: Int64? {
        var due = lastAlerts + alertsInterval
        if let refresh = refreshMilliseconds { due = min(due, lastRefresh + refresh) }
        // Ages on the screen count seconds.
        if outage != nil { due = min(due, now + 1000) }
        return max(50, due - now)
    }

    /// How often the screen asks again; nil when its time stands still.
    var refreshMilliseconds: Int64? {
        if outage != nil { return Self.retryMilliseconds }
        guard span.isLive, pausedAt == nil else { return nil }
        return dashboard?.refreshMilliseconds ?? 10_000
    }

    private var alertsInterval: Int64 {
        outage == nil ? Self.alertsMilliseconds : Self.retryMilliseconds
    }

    private func askWhatIsDue() {
        if now - lastAlerts >= alertsInterval {
            lastAlerts = now
            ask(.alerts)
        }
        if screen == .explore {
            // A server that was not there is asked again.
            if outage != nil, explore.names == nil, isRefreshDue, explore.job == nil {
                lastRefresh = now
                explore.areNamesAsked = false
            }
            askForNames()
            if explore.isLive, let refresh = refreshMilliseconds, now - lastRefresh >= refresh {
                lastRefresh = now
                runExplore(isNew: false)
            }
            return
        }
        if screen == .logs {
            if !logs.isAsked || (outage != nil && isRefreshDue) {
                lastRefresh = now
                askForLogs()
            }
            return
        }
        if [.traces, .services, .trace].contains(screen) {
            let isAsked =
                screen == .traces
                ? traces.isAsked : screen == .trace ? waterfall.isAsked : services.isAsked
            // Lists move with the time; a trace stays.
            let isDue = screen == .trace ? outage != nil && isRefreshDue : isRefreshDue
            if !isAsked || isDue {
                lastRefresh = now
                askForTraces()
            }
            askForSpan()
            return
        }
        guard let dashboard, screen == .dashboard else { return }
        guard areVariablesKnown || dashboard.variables.isEmpty else {
            guard !areVariablesAsked || (outage != nil && isRefreshDue) else { return }
            areVariablesAsked = true
            lastRefresh = now
            ask(.variables(dashboard.variables, scope))
            return
        }
        let isDue = isRefreshDue
        if isDue { lastRefresh = now }
        for index in visiblePanels {
            let state = panels[index]
            let isMissing = state.data == nil && state.error == nil
            if isDue || isMissing, !state.isLoading { askForPanel(index) }
        }
    }

    private var isRefreshDue: Bool {
        // The first time comes after a restart, whether time moves or not.
        if lastRefresh == .min / 2 { return true }
        return refreshMilliseconds.map { now - lastRefresh >= $0 } ?? false
    }

    /// Asks for one panel at its present width.
    func askForPanel(_ index: Int) {
        guard let dashboard, index < dashboard.panels.count else { return }
        let panel = dashboard.panels[index]
        guard panel.kind != .text else { return }
        let width =
            isMaximized && index == focus
            ? size.width
            : layout.places.first { $0.panel == index }?.rect.width ?? size.width
        panels[index].isLoading = true
        ask(
            .panel(
                index: index,
                PanelJob(
                    panel: panel,
                    scope: scope,
                    cells: PanelView.plotCells(panel, width: width)
                )
            )
        )
    }

    /// Takes an answer in.
    package func receive(_ result: FetchResult) {
        guard result.generation == generation else { return }
        switch result.answer {
        case .panel(let index, let answer):
            guard index < panels.count else { return }
            panels[index].receive(answer)
            note(answer)
            if case .success = answer { askForExemplars(index) }
        case .variables(let answer):
            note(answer)
            switch answer {
            case .success(let found):
                choices = found.values
                chosen = found.chosen
                areVariablesKnown = true
                lastRefresh = .min / 2
                askWhatIsDue()
            case .failure(let error):
                // What was asked for keeps being shown as an error in each panel.
                guard !error.isOutage else { return }
                areVariablesKnown = true
                message = "variables: \(error.text)"
                for variable in dashboard?.variables ?? [] where chosen[variable.name] == nil {
                    chosen[variable.name] =
                        variable.hasAll ? DashboardVariable.all : variable.defaultValue ?? ""
                }
                askWhatIsDue()
            }
        case .alerts(let answer):
            alerts.receive(answer)
            note(answer)
        case .explore(let job, let answer):
            note(answer)
            explore.receive(job, answer)
        case .logs(let job, let answer):
            note(answer)
            receiveLogs(job, answer)
        case .traces(let job, let answer):
            // Exemplars are something more: a server without them is not gone.
            if case .exemplars = job.part {} else { note(answer) }
            receiveTraces(job, answer)
        case .metricNames(let answer):
            note(answer)
            if case .success(let names) = answer { explore.names = names.sorted() }
        }
    }

    private func note<Value>(_ answer: Result<Value, APIError>) {
        switch answer {
        case .success: outage = nil
        case .failure(let error): if error.isOutage { outage = error }
        }
    }

    // MARK: Layout

    var layout: DashboardLayout {
        DashboardLayout(
            dashboard
                ?? Dashboard(
                    name: "",
                    title: "",
                    description: "",
                    rangeMilliseconds: 0,
                    refreshMilliseconds: 0,
                    intervalMilliseconds: 0,
                    variables: [],
                    rows: []
                ),
            width: size.width
        )
    }

    /// Between the header and the footer.
    var contentRect: Rect {
        let top = outage == nil ? 2 : 3
        return Rect(x: 0, y: top, width: size.width, height: size.height - top - 2)
    }

    /// The panels that can be seen now.
    var visiblePanels: [Int] {
        guard let dashboard else { return [] }
        if isMaximized { return focus < dashboard.panels.count ? [focus] : [] }
        let content = contentRect
        return layout.places.filter {
            $0.rect.maxY > scroll && $0.rect.y < scroll + content.height
        }.map { $0.panel }
    }

    /// Takes the terminal's new size in.
    package func resize(_ size: ScreenSize) {
        self.size = size
        scroll = min(scroll, scrollMax)
        restart()
    }

    var scrollMax: Int { max(0, layout.height - contentRect.height) }

    // MARK: Dashboards

    func open(_ name: String, keepsSpan: Bool) {
        do throws(DashboardError) {
            let opened = try dashboards.dashboard(name)
            dashboard = opened
            panels = Array(repeating: PanelState(), count: opened.panels.count)
            if !keepsSpan { span = .last(milliseconds: opened.rangeMilliseconds) }
            let names = opened.variables.map { $0.name }
            // A variable of the same name keeps its value from one dashboard to the next.
            chosen = chosen.filter { names.contains($0.key) }
            choices = [:]
            areVariablesKnown = false
            focus = 0
            scroll = 0
            isMaximized = false
            screens = [.dashboard]
            places = [:]
            restart()
        } catch {
            let line = error.line.map { "line \($0): " } ?? ""
            message = "\(name): \(line)\(error.text)"
            if dashboard == nil { screens = [.explore] }
        }
    }

    /// Sets variables before anything is asked, as `--var name=value` does.
    package func choose(_ values: [String: String]) {
        for (name, value) in values { chosen[name] = value }
        restart()
    }

    /// Shows another time, remembering the one before.
    func show(_ next: TimeSpan) {
        guard next != span else { return }
        spanHistory.append(span)
        if spanHistory.count > 100 { spanHistory.removeFirst() }
        span = next
        mark = nil
        restart()
        if screen == .explore { runExplore(isNew: false) }
    }

    func show(_ screen: Screen) {
        guard screen != self.screen else { return }
        // Where one came from by way of something is not forgotten.
        if places.isEmpty { screens.removeAll { $0 == screen } }
        screens.append(screen)
        message = ""
        lastRefresh = .min / 2
        askWhatIsDue()
    }
}
