import Testing
import WeirTerminal
import WeirTestSupport

/// Widgets against files: a text row and a row of looks.
@Suite struct ChartGoldenTests {
    private static let start: Int64 = 1_764_000_000_000
    private static let minute: Int64 = 60_000

    private static func buffer(_ width: Int, _ height: Int) -> CellBuffer {
        CellBuffer(size: ScreenSize(width: width, height: height))
    }

    private static func check(_ buffer: CellBuffer, _ name: String) {
        if let difference = GoldenFile.difference(GoldenFile.text(of: buffer), name) {
            Issue.record(Comment(rawValue: difference))
        }
    }

    /// A triangle wave: no library function whose last digit may differ.
    private static func wave(_ index: Int, period: Int, low: Double, high: Double) -> Double {
        let phase = index % period
        let half = period / 2
        let share = Double(phase < half ? phase : period - phase) / Double(half)
        return low + (high - low) * share
    }

    private static func series(
        _ name: String,
        _ color: UInt8,
        axis: TimeAxis,
        period: Int,
        low: Double,
        high: Double,
        without gap: Range<Int> = 0..<0
    ) -> ChartSeries {
        ChartSeries(
            name: name,
            color: .indexed(color),
            points: (0..<axis.dots).filter { !gap.contains($0) }.map {
                ChartPoint(
                    time: axis.time(ofDot: $0),
                    value: wave($0, period: period, low: low, high: high)
                )
            }
        )
    }

    private static func axis(_ cells: Int) -> TimeAxis {
        TimeAxis(from: start, to: start + 60 * minute, cells: cells)
    }

    @Test func timeseries() {
        var buffer = Self.buffer(72, 14)
        let axis = Self.axis(TimeSeriesChart.plotCells(width: 70))
        let lines = [
            Self.series("p99", 75, axis: axis, period: 60, low: 0.2, high: 0.9, without: 50..<62),
            Self.series("p50", 220, axis: axis, period: 30, low: 0.05, high: 0.17),
        ]
        var chart = TimeSeriesChart(
            series: lines,
            axis: axis,
            complete: axis.end - 4 * axis.step,
            unit: .seconds
        )
        chart.thresholds = [ChartThreshold(value: 0.75, level: .critical)]
        chart.cursor = axis.time(ofDot: 31)
        let inside = Frame(title: "Latency", number: 1, isFocused: true).draw(
            into: &buffer,
            in: buffer.bounds,
            theme: .dark
        )
        let plot = Rect(x: inside.x, y: inside.y, width: inside.width, height: inside.height - 3)
        chart.draw(into: &buffer, in: plot, theme: .dark)
        Legend(series: lines, complete: chart.complete, unit: .seconds).draw(
            into: &buffer,
            in: Rect(x: inside.x, y: plot.maxY, width: inside.width, height: 3),
            theme: .dark
        )
        Self.check(buffer, "timeseries")
    }

    @Test func smallAndEmptyTimeseries() {
        var buffer = Self.buffer(40, 12)
        let axis = Self.axis(TimeSeriesChart.plotCells(width: 40))
        var chart = TimeSeriesChart(series: [], axis: axis, complete: axis.end, unit: .bytes)
        chart.draw(into: &buffer, in: Rect(x: 0, y: 0, width: 40, height: 6), theme: .dark)
        chart.series = [
            Self.series("heap", 75, axis: axis, period: 20, low: 1e9, high: 2.5e9)
        ]
        chart.draw(into: &buffer, in: Rect(x: 0, y: 7, width: 40, height: 5), theme: .dark)
        Self.check(buffer, "timeseries-small")
    }

    @Test func legendCountsTheRest() {
        var buffer = Self.buffer(60, 9)
        let axis = Self.axis(40)
        let lines = (0..<36).map {
            Self.series("pod-\($0)", 75, axis: axis, period: 20, low: 0, high: Double($0))
        }
        let legend = Legend(series: lines, complete: axis.end, unit: .short)
        legend.draw(into: &buffer, in: Rect(x: 0, y: 0, width: 60, height: 7), theme: .dark)
        legend.draw(into: &buffer, in: Rect(x: 0, y: 8, width: 60, height: 1), theme: .dark)
        Self.check(buffer, "legend")
    }

    @Test func stats() {
        var buffer = Self.buffer(60, 8)
        let axis = Self.axis(28)
        let line = Self.series("x", 75, axis: axis, period: 24, low: 1, high: 4)
        var stat = StatWidget(
            label: "checkout",
            value: 0.0421,
            points: line.points,
            unit: .ratio,
            color: .indexed(75)
        )
        stat.thresholds = [
            ChartThreshold(value: 0.01, level: .warning),
            ChartThreshold(value: 0.05, level: .critical),
        ]
        let left = Rect(x: 0, y: 0, width: 28, height: 8)
        stat.draw(into: &buffer, in: left, axis: axis, complete: axis.end, theme: .dark)
        stat.value = -12_345
        stat.unit = .short
        let small = Rect(x: 30, y: 0, width: 28, height: 3)
        stat.draw(into: &buffer, in: small, axis: axis, complete: axis.end, theme: .dark)
        stat.value = nil
        let none = Rect(x: 30, y: 4, width: 28, height: 3)
        stat.draw(into: &buffer, in: none, axis: axis, complete: axis.end, theme: .dark)
        Self.check(buffer, "stat")
    }

    @Test func barsAndGauges() {
        var buffer = Self.buffer(50, 10)
        var widget = BarWidget(
            bars: [
                .init(name: "/pay", value: 1240, color: .indexed(75)),
                .init(name: "/cart", value: 840, color: .indexed(75)),
                .init(name: "/a-very-long-route/with/many/parts", value: 91, color: .indexed(75)),
                .init(name: "/nan", value: .nan, color: .indexed(75)),
                .init(name: "/e", value: 1, color: .indexed(75)),
            ],
            unit: .perSecond,
            isGauge: false
        )
        widget.draw(into: &buffer, in: Rect(x: 0, y: 0, width: 50, height: 4), theme: .dark)
        widget = BarWidget(
            bars: [
                .init(name: "disk", value: 93, color: .indexed(75)),
                .init(name: "cpu", value: 41, color: .indexed(220)),
                .init(name: "heap", value: 140, color: .indexed(165)),
            ],
            unit: .percent,
            isGauge: true
        )
        widget.minimum = 0
        widget.maximum = 100
        widget.thresholds = [
            ChartThreshold(value: 80, level: .warning), ChartThreshold(value: 90, level: .critical),
        ]
        widget.draw(into: &buffer, in: Rect(x: 0, y: 5, width: 50, height: 4), theme: .dark)
        Self.check(buffer, "bars")
    }

    @Test func table() {
        var buffer = Self.buffer(48, 6)
        var table = TableWidget(
            columns: [.init("instance"), .init("job"), .init("value", isRightAligned: true)],
            rows: (1...9).map { index in
                [
                    .init("host-\(index).example.internal:9100"), .init("node"),
                    .init("\(index * 17)", Style(.indexed(196), .bold)),
                ]
            }
        )
        table.selected = 1
        table.draw(into: &buffer, in: buffer.bounds, theme: .dark)
        Self.check(buffer, "table")
    }

    @Test func chartsFitAnyRectangle() {
        var random = SplitMix64(seed: 3)
        for _ in 0..<300 {
            let width = Int.random(in: 1..<60, using: &random)
            let height = Int.random(in: 1..<16, using: &random)
            var buffer = Self.buffer(60, 16)
            let rect = Rect(x: 0, y: 0, width: width, height: height)
            let axis = Self.axis(TimeSeriesChart.plotCells(width: width))
            let values: [Double] = [.nan, .infinity, -.infinity, 0, -1e308, 1e308, 1, 2]
            let points = (0..<axis.dots).map {
                ChartPoint(
                    time: axis.time(ofDot: $0),
                    value: values[Int.random(in: 0..<values.count, using: &random)]
                )
            }
            let line = ChartSeries(name: "日本", color: .indexed(1), points: points)
            let chart = TimeSeriesChart(
                series: [line],
                axis: axis,
                complete: axis.end,
                unit: .short
            )
            buffer.clip = rect
            chart.draw(into: &buffer, in: rect, theme: .dark)
            Legend(series: [line], complete: axis.end, unit: .short).draw(
                into: &buffer,
                in: rect,
                theme: .dark
            )
            StatWidget(
                value: points.last?.value,
                points: points,
                unit: .bytes,
                color: .indexed(3)
            ).draw(into: &buffer, in: rect, axis: axis, complete: axis.end, theme: .light)
            BarWidget(
                bars: points.prefix(9).map {
                    .init(name: "n", value: $0.value, color: .indexed(2))
                },
                unit: .short,
                isGauge: Bool.random(using: &random)
            ).draw(into: &buffer, in: rect, theme: .dark)
            for y in 0..<16 {
                for x in 0..<60 where !rect.contains(x: x, y: y) {
                    #expect(buffer[x, y] == .blank)
                }
            }
        }
    }
}
