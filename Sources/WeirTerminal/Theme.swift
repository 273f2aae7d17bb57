/// The colours of everything drawn.
///
/// Exact in 256 colours, and apart for colour-blind eyes.
package struct Theme: Sendable {
    package let text: Style
    package let strong: Style
    package let muted: Style
    package let border: Style
    package let focusedBorder: Style
    package let title: Style
    package let header: Style
    package let selection: Style
    /// An error's word stands beside the colour always.
    package let error: Style
    package let warning: Style
    package let good: Style
    package let cursorLine: Style
    /// The colours of series, in the order they are given out.
    package let series: [Color]

    package static let dark = Theme(
        isLight: false,
        series: [75, 220, 165, 85, 166, 44, 210, 169]
    )
    package static let light = Theme(
        isLight: true,
        series: [69, 22, 127, 136, 21, 131, 54, 169]
    )

    package init(capabilities: TerminalCapabilities) {
        self = capabilities.isLight ? .light : .dark
    }

    private init(isLight: Bool, series: [UInt8]) {
        let accent = Color.indexed(isLight ? 25 : 75)
        text = .plain
        strong = Style(.terminal, .bold)
        muted = Style(.indexed(isLight ? 243 : 245))
        border = Style(.indexed(isLight ? 249 : 240))
        focusedBorder = Style(accent, .bold)
        title = Style(.terminal, .bold)
        header = Style(.indexed(isLight ? 16 : 252), on: .indexed(isLight ? 253 : 236))
        selection = Style(.indexed(isLight ? 255 : 16), on: accent)
        error = Style(.indexed(196), .bold)
        warning = Style(.indexed(isLight ? 130 : 214))
        good = Style(.indexed(isLight ? 28 : 78))
        cursorLine = Style(.indexed(isLight ? 240 : 250))
        self.series = series.map { .indexed($0) }
    }

    /// The colour of the series at a place in its panel; the palette repeats.
    package func seriesColor(_ index: Int) -> Color { series[index % series.count] }

    /// The look of a threshold's level.
    package func style(of level: ChartLevel) -> Style {
        switch level {
        case .ok: good
        case .warning: warning
        case .critical: error
        }
    }
}

/// What reaching a threshold means.
package enum ChartLevel: String, CaseIterable, Sendable {
    case ok
    case warning
    case critical
}

/// From `value` on, `level` holds.
package struct ChartThreshold: Hashable, Sendable {
    package let value: Double
    package let level: ChartLevel

    package init(value: Double, level: ChartLevel) {
        self.value = value
        self.level = level
    }

    /// The level that holds at a value, or nil below every threshold.
    package static func level(of value: Double, _ thresholds: [ChartThreshold]) -> ChartLevel? {
        thresholds.filter { $0.value <= value }.max { $0.value < $1.value }?.level
    }
}
