package import WeirTerminal

/// Keys written down, for `weir tui --script`.
///
/// Letters stand for themselves; names stand in angle brackets: `<enter> <esc> <tab> <s-tab> <up>
/// <left> <c-p> <a-f> <f1> <space> <lt>`. `<size 80x24>` resizes, `<tick 10s>` moves the clock,
/// `<paste text>` pastes, `<dump>` prints the screen. Line breaks mean nothing; a line that begins with `#` is a
/// comment.
package enum KeyScript {
    package enum Step: Hashable, Sendable {
        case event(InputEvent)
        case resize(ScreenSize)
        /// In milliseconds.
        case tick(Int64)
        case dump
    }

    /// Why a script cannot be played.
    package enum ScriptError: Error, Hashable, Sendable {
        case unknownKey(line: Int, name: String)
        case unclosed(line: Int)
    }

    private static let names: [String: Key] = [
        "enter": .enter, "esc": .escape, "tab": .tab, "backspace": .backspace, "up": .up,
        "down": .down, "left": .left, "right": .right, "home": .home, "end": .end,
        "pgup": .pageUp, "pgdn": .pageDown, "insert": .insert, "delete": .delete,
        "space": .character(" "), "lt": .character("<"), "gt": .character(">"),
    ]

    /// Reads a script.
    package static func parse(_ text: String) throws(ScriptError) -> [Step] {
        var steps: [Step] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        where !line.hasPrefix("#") {
            var rest = line.unicodeScalars[...]
            while let scalar = rest.popFirst() {
                guard scalar == "<" else {
                    if scalar != "\r" {
                        steps.append(.event(.key(KeyPress(.character(scalar)))))
                    }
                    continue
                }
                guard let end = rest.firstIndex(of: ">") else {
                    throw .unclosed(line: index + 1)
                }
                let name = String(rest[..<end])
                rest = rest[rest.index(after: end)...]
                guard let step = step(name) else {
                    throw .unknownKey(line: index + 1, name: name)
                }
                steps.append(step)
            }
        }
        return steps
    }

    private static func step(_ name: String) -> Step? {
        if name == "dump" { return .dump }
        if name.hasPrefix("size ") { return ScreenSize(String(name.dropFirst(5))).map(Step.resize) }
        if name.hasPrefix("paste ") { return .event(.paste(String(name.dropFirst(6)))) }
        if name.hasPrefix("tick ") {
            return DurationText.milliseconds(String(name.dropFirst(5))).map(Step.tick)
        }
        var rest = name[...]
        var modifiers: KeyModifiers = []
        while rest.count > 2, rest.dropFirst().first == "-" {
            switch rest.first {
            case "c": modifiers.insert(.control)
            case "a": modifiers.insert(.alt)
            case "s": modifiers.insert(.shift)
            default: return nil
            }
            rest = rest.dropFirst(2)
        }
        if let key = names[String(rest)] { return .event(.key(KeyPress(key, modifiers))) }
        if rest.first == "f", let number = Int(rest.dropFirst()), (1...12).contains(number) {
            return .event(.key(KeyPress(.function(number), modifiers)))
        }
        let scalars = Array(rest.unicodeScalars)
        guard scalars.count == 1, !modifiers.isEmpty else { return nil }
        return .event(.key(KeyPress(.character(scalars[0]), modifiers)))
    }
}
