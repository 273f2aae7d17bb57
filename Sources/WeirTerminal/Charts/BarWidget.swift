/// Named values as horizontal bars: a bar chart, or a gauge when the ends are fixed.
package struct BarWidget {
    package struct Bar: Hashable, Sendable {
        package let name: String
        package let value: Double
        package let color: Color

        package init(name: String, value: Double, color: Color) {
            self.name = name
            self.value = value
            self.color = color
        }
    }

    package var bars: [Bar]
    package var unit: ValueUnit
    package var decimals: Int?
    package var minimum: Double?
    package var maximum: Double?
    package var thresholds: [ChartThreshold] = []
    /// A gauge shows the whole track and where its thresholds are.
    package var isGauge: Bool

    package init(bars: [Bar], unit: ValueUnit, isGauge: Bool) {
        self.bars = bars
        self.unit = unit
        self.isGauge = isGauge
    }

    private static let eighths: [Unicode.Scalar] = [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]

    /// One bar a row; the last row counts what has no room.
    package func draw(into buffer: inout CellBuffer, in rect: Rect, theme: Theme) {
        guard rect.height >= 1, rect.width >= 8 else { return }
        guard !bars.isEmpty else {
            buffer.write("no data", x: rect.x, y: rect.y, theme.muted, widthMax: rect.width)
            return
        }
        let finite = bars.map { $0.value }.filter { $0.isFinite }.map { ChartNumber.held($0) }
        let low = ChartNumber.held(minimum ?? min(0, finite.min() ?? 0))
        let fullHigh = maximum ?? max(finite.max() ?? 1, isGauge ? thresholdTop : -.infinity)
        let high = fullHigh > low ? ChartNumber.held(fullHigh) : low + max(1, abs(low))
        let values = bars.map { unit.text($0.value, decimals: decimals) }
        let valueWidth = min(rect.width / 3, (values.map { CharacterWidth.of($0) }.max() ?? 0))
        let longest = bars.map { CharacterWidth.of($0.name) }.max() ?? 0
        let nameWidth = min(longest, (rect.width - valueWidth - 2) / 2)
        let trackX = rect.x + nameWidth + (nameWidth > 0 ? 1 : 0)
        let trackWidth = max(0, rect.maxX - valueWidth - 1 - trackX)
        let count = bars.count > rect.height ? rect.height - 1 : bars.count
        for (row, bar) in bars.prefix(count).enumerated() {
            let y = rect.y + row
            buffer.write(
                CharacterWidth.truncated(bar.name, to: nameWidth),
                x: rect.x,
                y: y,
                theme.text
            )
            let level = ChartThreshold.level(of: bar.value, thresholds)
            let style = level.map { theme.style(of: $0) } ?? Style(bar.color)
            let track = Rect(x: trackX, y: y, width: trackWidth, height: 1)
            drawTrack(into: &buffer, track, low, high, theme)
            if bar.value.isFinite {
                let share = min(max((ChartNumber.held(bar.value) - low) / (high - low), 0), 1)
                let eighths = Int((share * Double(trackWidth * 8)).rounded())
                for x in 0..<(eighths / 8) { buffer.set(trackX + x, y, "█", style) }
                if eighths % 8 > 0 {
                    buffer.set(trackX + eighths / 8, y, Self.eighths[eighths % 8], style)
                }
            }
            buffer.writeRight(
                values[row],
                x: rect.maxX - valueWidth,
                y: y,
                width: valueWidth,
                level == nil ? theme.strong : style.with(.bold)
            )
        }
        if count < bars.count {
            buffer.write("+\(bars.count - count) more", x: rect.x, y: rect.y + count, theme.muted)
        }
    }

    private var thresholdTop: Double { thresholds.map { $0.value }.max() ?? -.infinity }

    private func drawTrack(
        into buffer: inout CellBuffer,
        _ track: Rect,
        _ low: Double,
        _ high: Double,
        _ theme: Theme
    ) {
        guard isGauge else { return }
        for x in track.x..<track.maxX { buffer.set(x, track.y, "─", theme.border) }
        for threshold in thresholds {
            let share = (threshold.value - low) / (high - low)
            guard share > 0, share < 1 else { continue }
            let x = track.x + Int(share * Double(track.width))
            buffer.set(x, track.y, "┼", theme.style(of: threshold.level))
        }
    }
}
