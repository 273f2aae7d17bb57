package import WeirTerminal

/// Where each panel of a dashboard is, on a page as wide as the screen and as long as it needs.
package struct DashboardLayout: Hashable, Sendable {
    package struct Place: Hashable, Sendable {
        /// The panel's index in reading order.
        package let panel: Int
        package let rect: Rect
    }

    package struct Heading: Hashable, Sendable {
        package let title: String
        package let y: Int
    }

    package let places: [Place]
    package let headings: [Heading]
    package let height: Int

    /// The least width at which a kind can be read.
    static func widthMin(_ kind: Panel.Kind) -> Int {
        switch kind {
        case .timeseries, .table, .logs, .traces: 36
        case .bar: 28
        case .stat, .gauge, .text: 18
        }
    }

    /// Rows whose panels would be too narrow are broken into several.
    package init(_ dashboard: Dashboard, width: Int) {
        var places: [Place] = []
        var headings: [Heading] = []
        var y = 0
        var index = 0
        for row in dashboard.rows {
            if !row.title.isEmpty {
                headings.append(Heading(title: row.title, y: y))
                y += 1
            }
            for line in Self.lines(row.panels, width: width) {
                let total = line.reduce(0) { $0 + $1.width }
                var used = 0
                var x = 0
                for panel in line {
                    used += panel.width
                    let end = width * used / total
                    places.append(
                        Place(
                            panel: index,
                            rect: Rect(x: x, y: y, width: end - x, height: row.height)
                        )
                    )
                    x = end
                    index += 1
                }
                y += row.height
            }
        }
        self.places = places
        self.headings = headings
        height = y
    }

    private static func lines(_ panels: [Panel], width: Int) -> [[Panel]] {
        func fits(_ line: [Panel]) -> Bool {
            let total = line.reduce(0) { $0 + $1.width }
            return line.allSatisfy { width * $0.width / total >= widthMin($0.kind) }
        }
        if fits(panels) || panels.count < 2 { return [panels] }
        var lines: [[Panel]] = []
        var line: [Panel] = []
        for panel in panels {
            if !line.isEmpty, !fits(line + [panel]) {
                lines.append(line)
                line = []
            }
            line.append(panel)
        }
        lines.append(line)
        return lines
    }
}
