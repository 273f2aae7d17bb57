/// The meaning of one control sequence that came from a terminal.
struct ControlSequence {
    private let prefix: UInt8?
    private let intermediate: UInt8?
    /// Each parameter with its sub-parameters; an empty one is nil.
    private let parameters: [[Int?]]
    private let final: UInt8

    /// `body`: what stands between `CSI` and the final byte.
    init(_ body: ArraySlice<UInt8>, final: UInt8) {
        self.final = final
        var rest = body
        if let first = rest.first, (0x3C...0x3F).contains(first) {
            prefix = first
            rest = rest.dropFirst()
        } else {
            prefix = nil
        }
        intermediate = rest.last.flatMap { (0x20...0x2F).contains($0) ? $0 : nil }
        let numbers = rest.filter { $0 >= 0x30 }
        parameters = numbers.split(separator: 0x3B, maxSplits: 16, omittingEmptySubsequences: false)
            .map { parameter in
                parameter.split(separator: 0x3A, maxSplits: 8, omittingEmptySubsequences: false)
                    .map { digits in Int(String(decoding: digits, as: UTF8.self)) }
            }
    }

    private func parameter(_ index: Int) -> Int? {
        guard index < parameters.count else { return nil }
        return parameters[index].first ?? nil
    }

    var event: InputEvent? {
        if prefix == UInt8(ascii: "?") {
            switch (final, intermediate) {
            case (UInt8(ascii: "c"), nil): return .answer(.deviceAttributes)
            case (UInt8(ascii: "y"), UInt8(ascii: "$")):
                return .answer(.privateMode(parameter(0) ?? 0, state: parameter(1) ?? 0))
            case (UInt8(ascii: "u"), nil): return .answer(.kittyFlags(parameter(0) ?? 0))
            default: return .answer(.other)
            }
        }
        if prefix == UInt8(ascii: "<") { return mouse }
        if prefix != nil || intermediate != nil { return nil }
        switch final {
        case UInt8(ascii: "I"): return .focus(true)
        case UInt8(ascii: "O"): return .focus(false)
        case UInt8(ascii: "Z"): return .key(KeyPress(.tab, .shift))
        case UInt8(ascii: "A"): return press(.up)
        case UInt8(ascii: "B"): return press(.down)
        case UInt8(ascii: "C"): return press(.right)
        case UInt8(ascii: "D"): return press(.left)
        case UInt8(ascii: "H"): return press(.home)
        case UInt8(ascii: "F"): return press(.end)
        case UInt8(ascii: "P"): return press(.function(1))
        case UInt8(ascii: "Q"): return press(.function(2))
        case UInt8(ascii: "S"): return press(.function(4))
        case UInt8(ascii: "~"): return tildeKey
        case UInt8(ascii: "u"): return kittyKey
        default: return nil
        }
    }

    /// The second parameter: one more than the bits shift 1, alt 2, control 4; a release is no press.
    private func press(_ key: Key) -> InputEvent? {
        var modifiers: KeyModifiers = []
        if parameters.count > 1 {
            if parameters[1].count > 1, parameters[1][1] == 3 { return nil }
            if let code = parameter(1), (1...256).contains(code) {
                modifiers = KeyModifiers(rawValue: UInt8((code - 1) & 7))
            }
        }
        return .key(KeyPress(key, modifiers))
    }

    private var tildeKey: InputEvent? {
        switch parameter(0) ?? 0 {
        case 1, 7: press(.home)
        case 2: press(.insert)
        case 3: press(.delete)
        case 4, 8: press(.end)
        case 5: press(.pageUp)
        case 6: press(.pageDown)
        case let number where (11...15).contains(number): press(.function(number - 10))
        case let number where (17...21).contains(number): press(.function(number - 11))
        case 23: press(.function(11))
        case 24: press(.function(12))
        default: nil
        }
    }

    private var kittyKey: InputEvent? {
        switch parameter(0) ?? 0 {
        case 9: return press(.tab)
        case 13, 57414: return press(.enter)
        case 27: return press(.escape)
        case 127, 8: return press(.backspace)
        // The private use area holds keys without a character: modifiers alone, media keys.
        case 57344...63743: return nil
        case let code:
            guard code >= 0x20, code <= 0x10FFFF, let scalar = Unicode.Scalar(UInt32(code)) else {
                return nil
            }
            return press(.character(scalar))
        }
    }

    private var mouse: InputEvent? {
        guard final == UInt8(ascii: "M") || final == UInt8(ascii: "m"), parameters.count == 3,
            let code = parameter(0), let column = parameter(1), let row = parameter(2),
            (1...10_000).contains(column), (1...10_000).contains(row), (0..<256).contains(code)
        else { return nil }
        let button = code & 3
        let action: MouseEvent.Action
        if code & 64 != 0 {
            guard button < 2 else { return nil }
            action = button == 0 ? .wheelUp : .wheelDown
        } else if final == UInt8(ascii: "m") {
            action = .release
        } else if code & 32 != 0 {
            action = button == 3 ? .move : .drag(button: button)
        } else {
            action = .press(button: button)
        }
        return .mouse(MouseEvent(action, x: column - 1, y: row - 1))
    }

    /// What an OSC or DCS answer says.
    ///
    /// `bytes` begins with the escape and has no terminator.
    static func answer(toString bytes: ArraySlice<UInt8>) -> InputEvent? {
        let text = String(decoding: bytes.dropFirst(2), as: UTF8.self)
        if text.hasPrefix("11;rgb:") {
            let parts = text.dropFirst(7).split(separator: "/")
            guard parts.count == 3 else { return .answer(.other) }
            let values = parts.map { Int($0.prefix(2), radix: 16) ?? 0 }
            return .answer(.background(values[0], values[1], values[2]))
        }
        // The answer to asking for the current SGR: it holds the colour only if that was understood.
        if text.hasPrefix("1$r"), text.hasSuffix("m") {
            let isKept =
                text.contains("48:2::1:2:3") || text.contains("48:2:1:2:3")
                || text.contains("48;2;1;2;3")
            return .answer(isKept ? .truecolorKept : .other)
        }
        return .answer(.other)
    }
}
