package import WeirCore
package import WeirTerminal

/// How a frame is printed.
package enum RenderStyle: Hashable, Sendable {
    /// No colours.
    case plain
    /// With colours.
    case ansi
}

/// Prints what a person would see in the terminal: for CI, incident channels and the demo.
package enum DashboardRenderer {
    /// Asks the server and draws one dashboard as the terminal would show it.
    ///
    /// - `dashboard`: What to draw.
    /// - `api`: Whom to ask; called on this thread.
    /// - `size`: The screen. With `isWhole` the height follows from the dashboard.
    /// - `at`: The end of the time shown, in milliseconds since 1970.
    /// - `range`: The length of the time shown in milliseconds; the dashboard's own when nil.
    /// - `style`: With or without colours.
    /// - `variables`: Chosen values.
    /// - `isWhole`: All rows of the dashboard, however long.
    /// - `capabilities`: Of the terminal it is printed for.
    package static func render(
        _ dashboard: Dashboard,
        api: any QueryAPI,
        size: ScreenSize,
        at: Int64,
        range: Int64? = nil,
        style: RenderStyle,
        variables: [String: String] = [:],
        isWhole: Bool = false,
        serverName: String = "local",
        capabilities: TerminalCapabilities = TerminalCapabilities()
    ) -> String {
        printed(
            frame(
                dashboard,
                api: api,
                size: size,
                at: at,
                range: range,
                variables: variables,
                isWhole: isWhole,
                serverName: serverName,
                theme: Theme(capabilities: capabilities)
            ),
            style,
            capabilities
        )
    }

    /// The frame itself.
    package static func frame(
        _ dashboard: Dashboard,
        api: any QueryAPI,
        size: ScreenSize,
        at: Int64,
        range: Int64? = nil,
        variables: [String: String] = [:],
        isWhole: Bool = false,
        serverName: String = "local",
        theme: Theme = .dark
    ) -> CellBuffer {
        let whole = ScreenSize(
            width: size.width,
            height: DashboardLayout(dashboard, width: size.width).height + 4
        )
        let app = App(
            library: DashboardLibrary(
                entries: [
                    DashboardLibrary.Entry(
                        name: dashboard.name,
                        path: "",
                        result: .success(dashboard)
                    )
                ]
            ),
            dashboardName: dashboard.name,
            span: range.map { .last(milliseconds: $0) },
            serverName: serverName,
            theme: theme,
            size: isWhole ? whole : size,
            now: at
        )
        if !variables.isEmpty { app.choose(variables) }
        app.focus = -1
        ScriptPlayer.settle(app, api, clock: TUI.systemClock)
        var buffer = CellBuffer(size: app.size)
        _ = app.draw(into: &buffer)
        return buffer
    }

    /// Draws the answer of one range query as a chart with its legend: `weir query --graph`.
    ///
    /// - `answer`: The body of `/api/v1/query_range`, or of `/api/v1/query`.
    /// - `title`: Over the chart, such as the expression.
    /// - `from`: The start that was asked for, in milliseconds since 1970.
    /// - `to`: The end.
    /// - `step`: The step that was asked for, in milliseconds.
    /// - `now`: Values after it are not complete.
    /// Throws `APIError.malformed` when the answer is no result.
    package static func renderGraph(
        _ answer: JSONValue,
        title: String,
        from: Int64,
        to: Int64,
        step: Int64,
        now: Int64,
        size: ScreenSize,
        style: RenderStyle,
        unit: ValueUnit = .short,
        capabilities: TerminalCapabilities = TerminalCapabilities()
    ) throws(APIError) -> String {
        let result = try QueryResult(answer)
        let names = SeriesNaming.names(result.series, fallback: title)
        var lines = result.series.enumerated().map {
            PanelData.Line(name: names[$0.offset], series: $0.element)
        }
        lines.sort { $0.name < $1.name }
        // The axis as it was asked for; drawing fits it to the width.
        let dots = Int(min(20_000, max(1, (to - from) / max(1, step) + 1)))
        var panel = Panel(title: title, kind: .timeseries)
        panel.unit = unit
        var state = PanelState()
        state.data = PanelData(
            lines: lines,
            axis: TimeAxis(start: from, step: step, dots: dots),
            complete: now,
            total: lines.count,
            fetchedAt: now
        )
        let theme = Theme(capabilities: capabilities)
        var buffer = CellBuffer(size: size)
        var view = PanelView(panel: panel, state: state, now: now, staleAfter: .max)
        view.isMaximized = true
        view.draw(into: &buffer, in: buffer.bounds, theme: theme)
        return printed(buffer, style, capabilities)
    }

    /// The step at which a chart of this width has one point for each dot column, in milliseconds.
    package static func graphStep(from: Int64, to: Int64, width: Int) -> Int64 {
        let cells = TimeSeriesChart.plotCells(width: max(1, width - 2))
        return TimeAxis(from: from, to: to, cells: cells).step
    }

    private static func printed(
        _ frame: CellBuffer,
        _ style: RenderStyle,
        _ capabilities: TerminalCapabilities
    ) -> String {
        switch style {
        case .plain: FrameText.plain(frame, glyphs: capabilities.glyphs)
        case .ansi: FrameText.ansi(frame, capabilities: capabilities)
        }
    }
}
