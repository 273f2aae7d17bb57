/// How text looks, apart from its colours.
package struct TextAttributes: OptionSet, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let bold = TextAttributes(rawValue: 1)
    package static let dim = TextAttributes(rawValue: 2)
    package static let italic = TextAttributes(rawValue: 4)
    package static let underline = TextAttributes(rawValue: 8)
    package static let reverse = TextAttributes(rawValue: 16)
    package static let strikethrough = TextAttributes(rawValue: 32)
}

/// Colours and attributes together.
package struct Style: Hashable, Sendable {
    package var foreground: Color
    package var background: Color
    package var attributes: TextAttributes

    package init(
        _ foreground: Color = .terminal,
        on background: Color = .terminal,
        _ attributes: TextAttributes = []
    ) {
        self.foreground = foreground
        self.background = background
        self.attributes = attributes
    }

    /// The terminal's own colours, no attributes.
    package static let plain = Style()

    /// The same with `more` attributes.
    package func with(_ more: TextAttributes) -> Style {
        Style(foreground, on: background, attributes.union(more))
    }

    /// The same on another background.
    package func on(_ background: Color) -> Style {
        Style(foreground, on: background, attributes)
    }
}
