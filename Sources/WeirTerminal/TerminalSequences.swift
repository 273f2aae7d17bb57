/// The control sequences that are sent.
///
/// Sources: ECMA-48, xterm's control sequences.
package enum TerminalSequences {
    /// The other screen, no cursor, no wrapping at the margin, pastes marked.
    package static let enter = "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l\u{1B}[?2004h\u{1B}[2J"

    /// Undoes all that may have been set, in the order that any half-sent sequence survives.
    package static let leave =
        "\u{1B}\\\u{1B}[?2026l\u{1B}[0m\u{1B}[?1002l\u{1B}[?1006l\u{1B}[?2004l\u{1B}[?7h\u{1B}[?25h"
        + "\u{1B}[?1049l"

    /// The kitty keyboard's flag for telling apart what used to look alike.
    ///
    /// The other screen has its own flags, so leaving it gives the shell's back.
    package static let enterKittyKeyboard = "\u{1B}[=1u"
    package static let leaveKittyKeyboard = "\u{1B}[=0u"

    package static let mouseOn = "\u{1B}[?1002h\u{1B}[?1006h"
    package static let mouseOff = "\u{1B}[?1002l\u{1B}[?1006l"

    /// Asks for synchronized output, the kitty keyboard, true colour (set one, ask what is set) and the
    /// background; every terminal answers the last one, so that is where the waiting ends.
    package static let queries =
        "\u{1B}[?2026$p\u{1B}[?u\u{1B}[48:2::1:2:3m\u{1B}P$qm\u{1B}\\\u{1B}[0m"
        + "\u{1B}]11;?\u{1B}\\\u{1B}[c"

    package static let beginFrame = "\u{1B}[?2026h"
    package static let endFrame = "\u{1B}[?2026l"
}
