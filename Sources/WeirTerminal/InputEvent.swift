/// A key, apart from its modifiers.
package enum Key: Hashable, Sendable {
    case character(Unicode.Scalar)
    case enter
    case tab
    case backspace
    case escape
    case up
    case down
    case left
    case right
    case home
    case end
    case pageUp
    case pageDown
    case insert
    case delete
    case function(Int)
}

/// Held-down modifier keys.
package struct KeyModifiers: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let shift = KeyModifiers(rawValue: 1)
    package static let alt = KeyModifiers(rawValue: 2)
    package static let control = KeyModifiers(rawValue: 4)
}

/// One press of a key.
package struct KeyPress: Hashable, Sendable {
    package var key: Key
    package var modifiers: KeyModifiers

    package init(_ key: Key, _ modifiers: KeyModifiers = []) {
        self.key = key
        self.modifiers = modifiers
    }

    /// The character of a key without control or alt, for typing and for single-letter commands.
    package var character: Unicode.Scalar? {
        guard case .character(let scalar) = key, modifiers.subtracting(.shift).isEmpty else {
            return nil
        }
        return scalar
    }
}

/// What a mouse did.
///
/// Columns and rows count from 0.
package struct MouseEvent: Hashable, Sendable {
    package enum Action: Hashable, Sendable {
        case press(button: Int)
        case release
        case drag(button: Int)
        case wheelUp
        case wheelDown
        case move
    }

    package let action: Action
    package let x: Int
    package let y: Int

    package init(_ action: Action, x: Int, y: Int) {
        self.action = action
        self.x = x
        self.y = y
    }
}

/// What a terminal answers to a query.
package enum TerminalAnswer: Hashable, Sendable {
    /// DA1: the end of a batch of queries, as every terminal answers it.
    case deviceAttributes
    /// DECRPM: 1 and 2 mean that the mode is known and can be set.
    case privateMode(Int, state: Int)
    case kittyFlags(Int)
    /// The colour that was set came back in full.
    case truecolorKept
    /// Red, green and blue of the background, each 0-255.
    case background(Int, Int, Int)
    case other
}

/// What came in from the terminal.
package enum InputEvent: Hashable, Sendable {
    case key(KeyPress)
    case paste(String)
    case mouse(MouseEvent)
    case focus(Bool)
    case answer(TerminalAnswer)
}
