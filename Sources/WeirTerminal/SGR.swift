/// Select Graphic Rendition: the sequence that sets colours and attributes (ECMA-48, 8.3.117).
enum SGR {
    /// The shortest sequence from one style to another; empty when a terminal with `colors` shows no
    /// difference.
    ///
    /// `from` nil means unknown.
    static func change(from: Style?, to: Style, colors: ColorDepth) -> String {
        let whole = sequence(["0"] + additions(from: .plain, to: to, colors: colors))
        guard let from else { return whole }
        guard shown(from, colors) != shown(to, colors) else { return "" }
        let delta = sequence(
            removals(from: from, to: to) + additions(from: from, to: to, colors: colors)
        )
        if shown(to, colors) == .plain { return "\u{1B}[m" }
        return delta.utf8.count <= whole.utf8.count ? delta : whole
    }

    private static func shown(_ style: Style, _ colors: ColorDepth) -> Style {
        Style(
            style.foreground.reduced(to: colors),
            on: style.background.reduced(to: colors),
            style.attributes
        )
    }

    private static func sequence(_ codes: [String]) -> String {
        "\u{1B}[" + codes.joined(separator: ";") + "m"
    }

    private static let codes: [(attribute: TextAttributes, on: String, off: String)] = [
        (.bold, "1", "22"), (.dim, "2", "22"), (.italic, "3", "23"), (.underline, "4", "24"),
        (.reverse, "7", "27"), (.strikethrough, "9", "29"),
    ]

    private static func removals(from: Style, to: Style) -> [String] {
        var removed: [String] = []
        for code in codes
        where from.attributes.contains(code.attribute) && !to.attributes.contains(code.attribute) {
            if removed.last != code.off { removed.append(code.off) }
        }
        return removed
    }

    private static func additions(from: Style, to: Style, colors: ColorDepth) -> [String] {
        var added: [String] = []
        let weight: TextAttributes = [.bold, .dim]
        // One code takes both bold and dim away, so what stays of them is set again.
        let losesWeight = !from.attributes.intersection(weight).subtracting(to.attributes).isEmpty
        for code in codes where to.attributes.contains(code.attribute) {
            let isSetAgain = losesWeight && weight.contains(code.attribute)
            if !from.attributes.contains(code.attribute) || isSetAgain { added.append(code.on) }
        }
        let foreground = to.foreground.reduced(to: colors)
        if foreground != from.foreground.reduced(to: colors) {
            added.append(code(foreground, base: 30))
        }
        let background = to.background.reduced(to: colors)
        if background != from.background.reduced(to: colors) {
            added.append(code(background, base: 40))
        }
        return added
    }

    private static func code(_ color: Color, base: Int) -> String {
        if let index = color.index {
            if index < 8 { return "\(base + Int(index))" }
            if index < 16 { return "\(base + 60 + Int(index) - 8)" }
            return "\(base + 8);5;\(index)"
        }
        guard let (red, green, blue) = color.components else { return "\(base + 9)" }
        return "\(base + 8);2;\(red);\(green);\(blue)"
    }
}
