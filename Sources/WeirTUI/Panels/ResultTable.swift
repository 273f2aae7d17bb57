package import WeirTerminal

/// An instant result as a table: a column for each label, and the value; greatest value first.
package struct ResultTable {
    package let lines: [PanelData.Line]
    package let unit: ValueUnit
    package let decimals: Int?
    package let thresholds: [ChartThreshold]

    package init(
        lines: [PanelData.Line],
        unit: ValueUnit,
        decimals: Int? = nil,
        thresholds: [ChartThreshold] = []
    ) {
        self.lines = lines
        self.unit = unit
        self.decimals = decimals
        self.thresholds = thresholds
    }

    /// The table to draw.
    package func widget(theme: Theme) -> TableWidget {
        var names: [String] = []
        for line in lines {
            for pair in line.series.labels where !names.contains(pair.name) {
                names.append(pair.name)
            }
        }
        names.sort()
        // The metric's name is said once by the query; a column of it says it again in each row.
        if Set(lines.map { $0.series["__name__"] ?? "" }).count == 1 {
            names.removeAll { $0 == "__name__" }
        }
        // A label without a column of its own: a name that the legend gave.
        let isNamed = names.isEmpty && lines.count > 1
        let ranked = lines.enumerated().sorted { left, right in
            let a = left.element.series.points.last?.value ?? .nan
            let b = right.element.series.points.last?.value ?? .nan
            if a.isNaN || b.isNaN {
                return a.isNaN == b.isNaN ? left.offset < right.offset : b.isNaN
            }
            return a == b ? left.offset < right.offset : a > b
        }.map { $0.element }
        let rows = ranked.map { line in
            var row = names.map { TableWidget.Entry(line.series[$0] ?? "") }
            if isNamed { row = [TableWidget.Entry(line.name)] }
            let value = line.series.points.last?.value ?? .nan
            let level = ChartThreshold.level(of: value, thresholds)
            row.append(
                TableWidget.Entry(
                    line.series.histogram ?? unit.text(value, decimals: decimals),
                    level.map { theme.style(of: $0) } ?? theme.strong
                )
            )
            return row
        }
        var columns = names.map { TableWidget.Column($0 == "__name__" ? "metric" : $0) }
        if isNamed { columns = [TableWidget.Column("name")] }
        columns.append(TableWidget.Column("value", isRightAligned: true))
        return TableWidget(columns: columns, rows: rows)
    }
}
