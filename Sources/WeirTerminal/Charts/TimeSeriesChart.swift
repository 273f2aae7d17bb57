/// Lines over time, drawn so that they tell the truth: the envelope of every dot column, real gaps, and what
/// is not complete yet dimmed.
package struct TimeSeriesChart {
    package var series: [ChartSeries]
    package var axis: TimeAxis
    /// Columns that end after this time are not complete.
    package var complete: Int64
    package var unit: ValueUnit
    package var decimals: Int?
    package var minimum: Double?
    package var maximum: Double?
    package var thresholds: [ChartThreshold] = []
    /// Single values, drawn over the lines as `◆`.
    package var marks: [ChartMark] = []
    /// The time of the cursor, or nil.
    package var cursor: Int64?
    /// The axis of the frame before, so that it does not jump.
    package var previousAxis: ValueAxis?
    /// How far apart points are, in milliseconds: a line breaks where the gap is over 2.5 of them.
    package var pointStep: Int64

    package init(series: [ChartSeries], axis: TimeAxis, complete: Int64, unit: ValueUnit) {
        self.series = series
        self.axis = axis
        self.complete = complete
        self.unit = unit
        pointStep = axis.step
    }

    /// Where things ended up: for the cursor, the mouse, and the next frame's axis.
    package struct Geometry: Hashable, Sendable {
        package let plot: Rect
        package let axis: TimeAxis
        package let valueAxis: ValueAxis
    }

    /// The columns that the labels of the vertical axis take, for a plot as wide as `width` allows.
    package static let gutterWidth = 9

    /// How many cells are left for the plot in a rectangle of this width.
    package static func plotCells(width: Int) -> Int { max(1, width - gutterWidth) }

    private var visibleRange: ClosedRange<Double>? {
        var low = Double.infinity
        var high = -Double.infinity
        for line in series {
            for point in line.points
            where point.value.isFinite && axis.dot(of: point.time) != nil {
                low = min(low, point.value)
                high = max(high, point.value)
            }
        }
        return low <= high ? low...high : nil
    }

    /// Draws the chart with its axes into a rectangle.
    @discardableResult
    package func draw(into buffer: inout CellBuffer, in rect: Rect, theme: Theme) -> Geometry {
        let axisRows = rect.height >= 6 ? 2 : rect.height >= 3 ? 1 : 0
        let plot = Rect(
            x: rect.x + Self.gutterWidth,
            y: rect.y,
            width: min(axis.cells, rect.width - Self.gutterWidth),
            height: rect.height - axisRows
        )
        let valueAxis = ValueAxis(
            fitting: visibleRange,
            unit: unit,
            rows: plot.height,
            minimum: minimum,
            maximum: maximum,
            previous: previousAxis
        )
        let geometry = Geometry(plot: plot, axis: axis, valueAxis: valueAxis)
        guard !plot.isEmpty else { return geometry }
        drawThresholds(into: &buffer, geometry, theme)
        let canvas = lines(geometry)
        canvas.draw(into: &buffer, x: plot.x, y: plot.y)
        drawCursor(into: &buffer, geometry, canvas, theme)
        drawMarks(into: &buffer, geometry, theme)
        drawValueAxis(into: &buffer, rect, geometry, theme, hasLine: axisRows == 2)
        if axisRows > 0 { drawTimeAxis(into: &buffer, geometry, theme, hasLine: axisRows == 2) }
        if series.allSatisfy({ $0.points.isEmpty }) {
            let note = "no data"
            buffer.write(
                note,
                x: plot.x + max(0, (plot.width - note.utf8.count) / 2),
                y: plot.y + plot.height / 2,
                theme.muted,
                widthMax: plot.width
            )
        }
        return geometry
    }

    private func lines(_ geometry: Geometry) -> BrailleCanvas {
        var canvas = BrailleCanvas(cells: geometry.plot.width, rows: geometry.plot.height)
        let last = Double(canvas.height - 1)
        func row(_ value: Double) -> Int {
            let position = geometry.valueAxis.position(of: value) * last
            return Int(min(max(position.rounded(), -1), last + 1))
        }
        // The first series is the most important, so it is drawn last and keeps its colour.
        for line in series.reversed() {
            let full = Style(line.color)
            var before: ColumnEnvelope?
            for column in ColumnEnvelope.make(line.points, axis: axis) {
                let style = axis.time(ofDot: column.dot) > complete ? full.with(.dim) : full
                canvas.column(column.dot, row(column.max), row(column.min), style)
                if let before,
                    Double(column.firstTime - before.lastTime) <= 2.5 * Double(pointStep)
                {
                    canvas.line(before.dot, row(before.last), column.dot, row(column.first), style)
                }
                before = column
            }
        }
        return canvas
    }

    private func drawThresholds(
        into buffer: inout CellBuffer,
        _ geometry: Geometry,
        _ theme: Theme
    ) {
        for threshold in thresholds {
            let position = geometry.valueAxis.position(of: threshold.value)
            guard (0...1).contains(position) else { continue }
            let dots = Int((position * Double(geometry.plot.height * 4 - 1)).rounded())
            let style = theme.style(of: threshold.level).with(.dim)
            for x in geometry.plot.x..<geometry.plot.maxX {
                buffer.set(x, geometry.plot.y + dots / 4, "╌", style)
            }
        }
    }

    /// The greatest mark of each column of cells; one that is off the axis stands at its end.
    private func drawMarks(
        into buffer: inout CellBuffer,
        _ geometry: Geometry,
        _ theme: Theme
    ) {
        var greatest: [Int: Double] = [:]
        for mark in marks where mark.value.isFinite {
            guard let dot = axis.dot(of: mark.time), dot / 2 < geometry.plot.width else { continue }
            greatest[dot / 2] = max(greatest[dot / 2] ?? mark.value, mark.value)
        }
        for (cell, value) in greatest {
            let position = min(max(geometry.valueAxis.position(of: value), 0), 1)
            let row = Int((position * Double(geometry.plot.height - 1)).rounded())
            buffer.set(
                geometry.plot.x + cell,
                geometry.plot.y + row,
                "◆",
                Style(theme.seriesColor(2)).with(.bold)
            )
        }
    }

    private func drawCursor(
        into buffer: inout CellBuffer,
        _ geometry: Geometry,
        _ canvas: BrailleCanvas,
        _ theme: Theme
    ) {
        guard let cursor, let dot = axis.dot(of: cursor), dot / 2 < geometry.plot.width else {
            return
        }
        let cell = dot / 2
        for row in 0..<geometry.plot.height where canvas.isEmpty(cell: cell, row: row) {
            buffer.set(geometry.plot.x + cell, geometry.plot.y + row, "┊", theme.cursorLine)
        }
    }

    private func drawValueAxis(
        into buffer: inout CellBuffer,
        _ rect: Rect,
        _ geometry: Geometry,
        _ theme: Theme,
        hasLine: Bool
    ) {
        let plot = geometry.plot
        let x = plot.x - 1
        for row in 0..<plot.height { buffer.set(x, plot.y + row, "│", theme.border) }
        var lastRow = Int.min
        for tick in geometry.valueAxis.ticks {
            let position = geometry.valueAxis.position(of: tick.value)
            let row = Int((position * Double(plot.height * 4 - 1)).rounded()) / 4
            guard row >= 0, row < plot.height, row != lastRow else { continue }
            lastRow = row
            buffer.set(x, plot.y + row, "┤", theme.border)
            buffer.writeRight(
                tick.label,
                x: rect.x,
                y: plot.y + row,
                width: Self.gutterWidth - 1,
                theme.muted
            )
        }
    }

    private func drawTimeAxis(
        into buffer: inout CellBuffer,
        _ geometry: Geometry,
        _ theme: Theme,
        hasLine: Bool
    ) {
        let plot = geometry.plot
        if hasLine {
            buffer.set(plot.x - 1, plot.maxY, "└", theme.border)
            for x in plot.x..<plot.maxX { buffer.set(x, plot.maxY, "─", theme.border) }
        }
        let labelY = plot.maxY + (hasLine ? 1 : 0)
        var free = plot.x - Self.gutterWidth
        for tick in axis.ticks where tick.cell < plot.width {
            if hasLine { buffer.set(plot.x + tick.cell, plot.maxY, "┬", theme.border) }
            let width = tick.label.utf8.count
            let wanted = plot.x + tick.cell - width / 2
            let start = min(wanted, plot.maxX - width)
            guard start >= free else { continue }
            buffer.write(tick.label, x: start, y: labelY, theme.muted)
            free = start + width + 1
        }
    }
}
