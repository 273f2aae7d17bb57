internal import WeirCore
package import WeirTerminal

/// Draws one panel with its frame.
package struct PanelView {
    package let panel: Panel
    package let state: PanelState
    package var number: Int?
    package var isFocused = false
    package var cursor: Int64?
    package var now: Int64
    /// Old data is told by its age when it is older than this.
    package var staleAfter: Int64
    /// Gives the legend half of the height.
    package var isMaximized = false

    package init(panel: Panel, state: PanelState, now: Int64, staleAfter: Int64) {
        self.panel = panel
        self.state = state
        self.now = now
        self.staleAfter = staleAfter
    }

    /// The width of the plot in a panel of a width: what the query is asked for.
    package static func plotCells(_ panel: Panel, width: Int) -> Int {
        let inside = max(1, width - 2)
        return panel.kind == .timeseries ? TimeSeriesChart.plotCells(width: inside) : inside
    }

    /// Draws it; returns where the chart ended up, for a time series.
    @discardableResult
    package func draw(
        into buffer: inout CellBuffer,
        in rect: Rect,
        theme: Theme
    ) -> TimeSeriesChart.Geometry? {
        let clip = buffer.clip
        defer { buffer.clip = clip }
        let (note, noteStyle) = note(theme)
        let inside = Frame(
            title: panel.title,
            number: number,
            note: note,
            noteStyle: noteStyle,
            isFocused: isFocused
        ).draw(into: &buffer, in: rect, theme: theme)
        guard !inside.isEmpty else { return nil }
        buffer.clip = inside.intersection(clip)
        if panel.kind == .text {
            drawText(panel.text, into: &buffer, in: inside, theme.text)
            return nil
        }
        guard let data = state.data else {
            drawWithoutData(into: &buffer, in: inside, theme)
            return nil
        }
        switch panel.kind {
        case .timeseries: return drawTimeSeries(data, into: &buffer, in: inside, theme)
        case .stat: drawStats(data, into: &buffer, in: inside, theme)
        case .gauge, .bar: drawBars(data, into: &buffer, in: inside, theme)
        case .table: drawTable(data, into: &buffer, in: inside, theme)
        case .logs: LogLines.draw(data.logs, into: &buffer, in: inside, theme: theme)
        case .traces:
            TraceList(items: data.traces, theme: theme).draw(into: &buffer, in: inside)
        case .text: break
        }
        return nil
    }

    private func note(_ theme: Theme) -> (String, Style?) {
        guard let data = state.data else {
            return state.isLoading && state.error == nil ? ("loading", nil) : ("", nil)
        }
        let age = now - data.fetchedAt
        let ageText = "\(Units.text(nanoseconds: max(0, age) / 1000 * 1_000_000_000)) old"
        if let error = state.error {
            return (error.isOutage ? ageText : "error, \(ageText)", theme.error)
        }
        if age > staleAfter { return (ageText, theme.warning) }
        if data.total > data.lines.count {
            return ("top \(data.lines.count) of \(data.total)", nil)
        }
        return isFocused ? ("focus", nil) : ("", nil)
    }

    private func drawWithoutData(
        into buffer: inout CellBuffer,
        in rect: Rect,
        _ theme: Theme
    ) {
        if let error = state.error {
            drawText("error: \(error.text)", into: &buffer, in: rect, theme.error)
        } else if state.isLoading {
            buffer.write("loading", x: rect.x, y: rect.y, theme.muted)
        }
    }

    private func drawText(
        _ text: String,
        into buffer: inout CellBuffer,
        in rect: Rect,
        _ style: Style
    ) {
        for (row, line) in TextWrap.lines(text, width: rect.width).prefix(rect.height).enumerated()
        {
            buffer.write(line, x: rect.x, y: rect.y + row, style)
        }
    }

    private func series(_ data: PanelData, _ theme: Theme) -> [ChartSeries] {
        data.lines.enumerated().map { index, line in
            ChartSeries(
                name: line.name,
                color: theme.seriesColor(index),
                points: line.series.points
            )
        }
    }

    private func drawTimeSeries(
        _ data: PanelData,
        into buffer: inout CellBuffer,
        in rect: Rect,
        _ theme: Theme
    ) -> TimeSeriesChart.Geometry? {
        guard let asked = data.axis else { return nil }
        let series = series(data, theme)
        // Data that was asked for another width is drawn on this one until the new answer is here.
        let cells = TimeSeriesChart.plotCells(width: rect.width)
        let axis =
            asked.cells == cells
            ? asked : TimeAxis(from: asked.start, to: asked.end, cells: cells)
        let legendRows: Int
        if series.isEmpty || rect.height < 5 {
            legendRows = 0
        } else if isMaximized {
            legendRows = Legend.rows(series: series.count, limit: rect.height / 2)
        } else if rect.height < 10 {
            legendRows = 1
        } else {
            legendRows = Legend.rows(series: series.count, limit: max(3, rect.height * 2 / 5))
        }
        let plot = Rect(
            x: rect.x,
            y: rect.y,
            width: rect.width,
            height: rect.height - legendRows
        )
        var chart = TimeSeriesChart(
            series: series,
            axis: axis,
            complete: data.complete,
            unit: panel.unit
        )
        chart.pointStep = max(axis.step, asked.step)
        chart.minimum = panel.minimum
        chart.maximum = panel.maximum
        chart.thresholds = panel.thresholds
        chart.cursor = cursor
        chart.marks = state.exemplars.map { ChartMark(time: $0.time, value: $0.value) }
        chart.previousAxis = state.valueAxis
        let geometry = chart.draw(into: &buffer, in: plot, theme: theme)
        if legendRows > 0 {
            Legend(
                series: series,
                complete: data.complete,
                unit: panel.unit,
                decimals: panel.decimals
            ).draw(
                into: &buffer,
                in: Rect(x: rect.x, y: plot.maxY, width: rect.width, height: legendRows),
                theme: theme
            )
        }
        return geometry
    }

    /// One number of a series; nil when it has no value near the end.
    private func reduced(_ line: PanelData.Line, _ data: PanelData) -> Double? {
        let points = line.series.points.filter {
            $0.time <= data.complete && $0.value.isFinite
        }
        guard let last = points.last else { return nil }
        switch panel.reduction {
        case .last:
            guard let axis = data.axis else { return last.value }
            // A series that ended has no last value now.
            return Double(min(axis.end, data.complete) - last.time) <= 2.5 * Double(axis.step)
                ? last.value : nil
        case .min: return points.map { $0.value }.min()
        case .max: return points.map { $0.value }.max()
        case .sum: return points.reduce(0) { $0 + $1.value }
        case .avg:
            return points.reduce(0) { $0 + $1.value / Double(points.count) }
        }
    }

    private func drawStats(
        _ data: PanelData,
        into buffer: inout CellBuffer,
        in rect: Rect,
        _ theme: Theme
    ) {
        let count = max(1, data.lines.count)
        // Each number has three rows at least; what has no room is counted.
        let shown = min(count, max(1, rect.height / (count > 1 ? 2 : 1)), max(1, rect.height))
        let height = max(1, rect.height / shown)
        guard !data.lines.isEmpty else {
            buffer.write("no data", x: rect.x, y: rect.y, theme.muted)
            return
        }
        for (index, line) in data.lines.prefix(shown).enumerated() {
            var stat = StatWidget(
                label: line.name == panel.title ? "" : line.name,
                value: reduced(line, data),
                points: line.series.points,
                unit: panel.unit,
                color: theme.seriesColor(index)
            )
            stat.decimals = panel.decimals
            stat.thresholds = panel.thresholds
            let y = rect.y + index * height
            stat.draw(
                into: &buffer,
                in: Rect(
                    x: rect.x,
                    y: y,
                    width: rect.width,
                    height: index == shown - 1 ? rect.maxY - y : height
                ),
                axis: data.axis,
                complete: data.complete,
                theme: theme
            )
        }
        if shown < data.lines.count {
            buffer.writeRight(
                "+\(data.lines.count - shown) more",
                x: rect.x,
                y: rect.maxY - 1,
                width: rect.width,
                theme.muted
            )
        }
    }

    private func drawBars(
        _ data: PanelData,
        into buffer: inout CellBuffer,
        in rect: Rect,
        _ theme: Theme
    ) {
        var bars = data.lines.enumerated().compactMap { index, line in
            line.series.points.last.map {
                BarWidget.Bar(
                    name: line.name == panel.title ? "" : line.name,
                    value: $0.value,
                    color: theme.seriesColor(panel.kind == .gauge ? index : 0)
                )
            }
        }
        if panel.kind == .bar {
            bars = bars.enumerated().sorted { left, right in
                let (a, b) = (left.element.value, right.element.value)
                return a == b || a.isNaN || b.isNaN
                    ? (a.isNaN == b.isNaN ? left.offset < right.offset : b.isNaN) : a > b
            }.map { $0.element }
        }
        var widget = BarWidget(bars: bars, unit: panel.unit, isGauge: panel.kind == .gauge)
        widget.decimals = panel.decimals
        widget.thresholds = panel.thresholds
        widget.minimum = panel.minimum
        widget.maximum = panel.maximum ?? naturalMaximum
        widget.draw(into: &buffer, in: rect, theme: theme)
    }

    private var naturalMaximum: Double? {
        guard panel.kind == .gauge else { return nil }
        switch panel.unit {
        case .percent: return 100
        case .ratio: return 1
        default: return nil
        }
    }

    private func drawTable(
        _ data: PanelData,
        into buffer: inout CellBuffer,
        in rect: Rect,
        _ theme: Theme
    ) {
        ResultTable(
            lines: data.lines,
            unit: panel.unit,
            decimals: panel.decimals,
            thresholds: panel.thresholds
        ).widget(theme: theme).draw(into: &buffer, in: rect, theme: theme)
    }
}
