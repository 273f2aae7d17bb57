/// One number, large, with the line of how it came about.
package struct StatWidget {
    package var label: String
    package var value: Double?
    package var points: [ChartPoint]
    package var unit: ValueUnit
    package var decimals: Int?
    package var thresholds: [ChartThreshold] = []
    package var color: Color

    package init(
        label: String = "",
        value: Double?,
        points: [ChartPoint],
        unit: ValueUnit,
        color: Color
    ) {
        self.label = label
        self.value = value
        self.points = points
        self.unit = unit
        self.color = color
    }

    /// Draws the number and, where there is room, its line.
    package func draw(
        into buffer: inout CellBuffer,
        in rect: Rect,
        axis: TimeAxis?,
        complete: Int64,
        theme: Theme
    ) {
        guard !rect.isEmpty else { return }
        guard let value else {
            buffer.write("no data", x: rect.x, y: rect.y, theme.muted, widthMax: rect.width)
            return
        }
        let level = ChartThreshold.level(of: value, thresholds)
        let style = level.map { theme.style(of: $0) } ?? Style(color, .bold)
        let parts = unit.parts(value, decimals: decimals)
        // A level is told by its word too, for those who do not see the colour.
        let word = level.flatMap { $0 == .ok ? nil : $0.rawValue } ?? ""
        let bigWidth = BigNumber.width(of: parts.number)
        let needed = (bigWidth ?? .max / 2) + parts.suffix.count + 1
        let isBig = rect.height >= 4 && needed <= rect.width
        var below = rect
        if isBig {
            let after = BigNumber.draw(
                parts.number,
                into: &buffer,
                x: rect.x + 1,
                y: rect.y,
                style
            )
            buffer.write(
                parts.suffix,
                x: after,
                y: rect.y + 2,
                style,
                widthMax: rect.maxX - after
            )
            let free = rect.maxX - after - parts.suffix.count - 2
            writeNotes(
                into: &buffer,
                x: after + parts.suffix.count + 2,
                y: rect.y,
                width: free,
                word,
                style,
                theme
            )
            below = Rect(x: rect.x, y: rect.y + 3, width: rect.width, height: rect.height - 3)
        } else {
            let after = buffer.write(
                parts.number + parts.suffix,
                x: rect.x,
                y: rect.y,
                style.with(.bold),
                widthMax: rect.width
            )
            let note = [label, word].filter { !$0.isEmpty }.joined(separator: " ")
            buffer.write(
                CharacterWidth.truncated(note, to: rect.maxX - after - 2),
                x: after + 2,
                y: rect.y,
                theme.muted
            )
            below = Rect(x: rect.x, y: rect.y + 1, width: rect.width, height: rect.height - 1)
        }
        if let axis, !below.isEmpty {
            Sparkline(points: points, color: color).draw(
                into: &buffer,
                in: below,
                axis: axis,
                complete: complete
            )
        }
    }

    private func writeNotes(
        into buffer: inout CellBuffer,
        x: Int,
        y: Int,
        width: Int,
        _ word: String,
        _ style: Style,
        _ theme: Theme
    ) {
        guard width > 2 else { return }
        buffer.write(CharacterWidth.truncated(label, to: width), x: x, y: y, theme.muted)
        buffer.write(CharacterWidth.truncated(word, to: width), x: x, y: y + 1, style)
    }
}

/// A line without axes, scaled to its own range.
package struct Sparkline {
    private let points: [ChartPoint]
    private let color: Color

    package init(points: [ChartPoint], color: Color) {
        self.points = points
        self.color = color
    }

    /// Draws the line over the whole rectangle.
    package func draw(
        into buffer: inout CellBuffer,
        in rect: Rect,
        axis: TimeAxis,
        complete: Int64
    ) {
        let columns = ColumnEnvelope.make(points, axis: axis)
        guard !rect.isEmpty, let least = columns.map({ $0.min }).min(),
            let greatest = columns.map({ $0.max }).max()
        else { return }
        let low = ChartNumber.held(least)
        let high = ChartNumber.held(greatest)
        var canvas = BrailleCanvas(cells: min(rect.width, axis.cells), rows: rect.height)
        let last = Double(canvas.height - 1)
        func row(_ value: Double) -> Int {
            guard high > low else { return canvas.height - 1 }
            return Int(((high - ChartNumber.held(value)) / (high - low) * last).rounded())
        }
        var before: ColumnEnvelope?
        for column in columns {
            let style =
                axis.time(ofDot: column.dot) > complete ? Style(color, .dim) : Style(color)
            canvas.column(column.dot, row(column.max), row(column.min), style)
            if let before, Double(column.firstTime - before.lastTime) <= 2.5 * Double(axis.step) {
                canvas.line(before.dot, row(before.last), column.dot, row(column.first), style)
            }
            before = column
        }
        canvas.draw(into: &buffer, x: rect.x, y: rect.y)
    }
}
