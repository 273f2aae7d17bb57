/// How many colours a terminal shows.
package enum ColorDepth: Int, Comparable, Sendable {
    case none
    case indexed16
    case indexed256
    case truecolor

    package static func < (left: ColorDepth, right: ColorDepth) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// What the font may be trusted with.
package enum GlyphRepertoire: Sendable {
    case braille
    case blocks
    case ascii
}

/// What a terminal can do, as far as is known.
package struct TerminalCapabilities: Hashable, Sendable {
    package var colors: ColorDepth
    package var glyphs: GlyphRepertoire
    /// Understands `CSI ? 2026 h`: shows a frame at once.
    package var hasSynchronizedOutput = false
    /// Understands the kitty keyboard protocol.
    package var hasKittyKeyboard = false
    package var isLight = false

    package init(colors: ColorDepth = .indexed256, glyphs: GlyphRepertoire = .braille) {
        self.colors = colors
        self.glyphs = glyphs
    }

    /// What the environment says, before the terminal is asked.
    ///
    /// `WEIR_COLORS` (`none 16 256 truecolor`), `WEIR_GLYPHS` (`braille blocks ascii`) and `WEIR_THEME`
    /// (`dark light`) win; then `NO_COLOR`, `COLORTERM`, `TERM`, and the locale's character set.
    package init(environment: [String: String]) {
        let term = environment["TERM"] ?? ""
        self.init(colors: .indexed16, glyphs: .braille)
        if ["truecolor", "24bit"].contains(environment["COLORTERM"] ?? "")
            || term.hasSuffix("-direct")
        {
            colors = .truecolor
        } else if term.contains("256color") || term.contains("kitty") || term.contains("alacritty")
            || term.contains("ghostty") || term.contains("wezterm")
        {
            colors = .indexed256
        } else if term.isEmpty || term == "dumb" {
            colors = .none
        }
        let locale =
            ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }
            .first { !$0.isEmpty } ?? "C.UTF-8"
        let isUTF8 = locale.lowercased().contains("utf-8") || locale.lowercased().contains("utf8")
        if !isUTF8 { glyphs = .ascii }
        if term == "linux" { glyphs = .blocks }
        if let noColor = environment["NO_COLOR"], !noColor.isEmpty { colors = .none }
        if let wanted = Self.overriddenColors(environment) { colors = wanted }
        switch environment["WEIR_GLYPHS"] {
        case "braille": glyphs = .braille
        case "blocks": glyphs = .blocks
        case "ascii": glyphs = .ascii
        default: break
        }
        isLight = environment["WEIR_THEME"] == "light"
    }

    private static func overriddenColors(_ environment: [String: String]) -> ColorDepth? {
        switch environment["WEIR_COLORS"] {
        case "none": ColorDepth.none
        case "16": .indexed16
        case "256": .indexed256
        case "truecolor": .truecolor
        default: nil
        }
    }

    /// Takes in what the terminal answered.
    ///
    /// The environment's word on colours and theme is kept.
    package mutating func learn(
        from answer: TerminalAnswer,
        environment: [String: String]
    ) {
        switch answer {
        case .privateMode(let mode, let state):
            if mode == 2026 { hasSynchronizedOutput = state == 1 || state == 2 }
        case .kittyFlags: hasKittyKeyboard = true
        case .truecolorKept:
            let isFree =
                Self.overriddenColors(environment) == nil
                && (environment["NO_COLOR"] ?? "").isEmpty
            if isFree { colors = .truecolor }
        case .background(let red, let green, let blue):
            guard environment["WEIR_THEME"] == nil else { return }
            isLight = 2 * red + 5 * green + blue > 8 * 128
        case .deviceAttributes, .other: break
        }
    }
}
