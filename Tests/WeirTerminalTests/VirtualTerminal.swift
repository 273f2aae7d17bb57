import WeirTerminal

/// A small model of a terminal: what a screen shows after the bytes it was sent.
///
/// It knows only what `FrameEncoder` may use, and notes everything else as `unknown`.
struct VirtualTerminal {
    struct Place: Equatable {
        var text = " "
        var style = Style.plain
        /// The right half of a wide character.
        var isContinuation = false
    }

    let width: Int
    let height: Int
    private(set) var places: [Place]
    private(set) var unknown: [String] = []
    private(set) var isSynchronized = false
    private(set) var isCursorShown = true
    private(set) var x = 0
    private(set) var y = 0
    private var style = Style.plain
    /// The place of the character written last.
    private var last: Int?

    init(size: ScreenSize) {
        width = size.width
        height = size.height
        places = Array(repeating: Place(), count: size.width * size.height)
    }

    /// Something else wrote over the screen.
    mutating func scribble() {
        for index in places.indices where index % 3 == 0 {
            places[index] = Place(text: "#", style: Style(.indexed(9)))
        }
        x = width / 2
        y = height / 2
        style = Style(.indexed(3), on: .indexed(4), .bold)
    }

    mutating func feed(_ bytes: [UInt8]) {
        var scalars = Substring(String(decoding: bytes, as: UTF8.self)).unicodeScalars
        while let scalar = scalars.popFirst() {
            switch scalar {
            case "\u{1B}": escape(&scalars)
            case "\r": x = 0
            case "\n": y = min(y + 1, height - 1)
            default:
                if scalar.value < 0x20 || scalar.value == 0x7F {
                    unknown.append("control \(scalar.value)")
                } else {
                    put(scalar)
                }
            }
        }
    }

    private mutating func put(_ scalar: Unicode.Scalar) {
        let wide = CharacterWidth.of(scalar)
        guard wide > 0 else {
            // An accent joins what was written last.
            if let last { places[last].text.unicodeScalars.append(scalar) }
            return
        }
        // Wrapping is off: at the margin the last place is written again.
        let start = min(x, width - wide)
        blankHalves(start)
        last = y * width + start
        places[y * width + start] = Place(text: String(Character(scalar)), style: style)
        if wide == 2 {
            blankHalves(start + 1)
            places[y * width + start + 1] = Place(text: "", style: style, isContinuation: true)
        }
        x = min(start + wide, width - 1)
    }

    private mutating func blankHalves(_ column: Int) {
        let index = y * width + column
        if places[index].isContinuation {
            places[index - 1].text = " "
            places[index].isContinuation = false
            places[index].text = " "
        }
        if column + 1 < width, places[index + 1].isContinuation {
            places[index + 1].isContinuation = false
            places[index + 1].text = " "
        }
    }

    private mutating func escape(_ scalars: inout Substring.UnicodeScalarView) {
        guard scalars.popFirst() == "[" else {
            unknown.append("escape")
            return
        }
        var body = ""
        while let scalar = scalars.popFirst() {
            guard (0x40...0x7E).contains(scalar.value) else {
                body.unicodeScalars.append(scalar)
                continue
            }
            control(body, scalar)
            return
        }
        unknown.append("unfinished")
    }

    private mutating func control(_ body: String, _ final: Unicode.Scalar) {
        switch (body, final) {
        case ("?2026", "h"): isSynchronized = true
        case ("?2026", "l"): isSynchronized = false
        case ("?25", "h"): isCursorShown = true
        case ("?25", "l"): isCursorShown = false
        case ("2", "J"):
            for index in places.indices { places[index] = Place(style: erased) }
        case ("", "K"):
            blankHalves(x)
            for column in x..<width { places[y * width + column] = Place(style: erased) }
        case (_, "m"): rendition(body)
        case (_, "H"):
            let parts = body.split(separator: ";", omittingEmptySubsequences: false).map {
                Int($0) ?? 1
            }
            y = min(height, max(1, parts.first ?? 1)) - 1
            x = parts.count > 1 ? min(width, max(1, parts[1])) - 1 : 0
        case (_, "C"): x = min(width - 1, x + (Int(body) ?? 1))
        case (_, "D"): x = max(0, x - (Int(body) ?? 1))
        default: unknown.append(body + String(final))
        }
    }

    /// Erasing fills with the pen's background.
    private var erased: Style { Style(.terminal, on: style.background) }

    private mutating func rendition(_ body: String) {
        var codes = body.split(separator: ";", omittingEmptySubsequences: false)
            .map { Int($0) ?? 0 }[...]
        while let code = codes.popFirst() {
            switch code {
            case 0: style = .plain
            case 1: style.attributes.insert(.bold)
            case 2: style.attributes.insert(.dim)
            case 3: style.attributes.insert(.italic)
            case 4: style.attributes.insert(.underline)
            case 7: style.attributes.insert(.reverse)
            case 9: style.attributes.insert(.strikethrough)
            case 22: style.attributes.subtract([.bold, .dim])
            case 23: style.attributes.remove(.italic)
            case 24: style.attributes.remove(.underline)
            case 27: style.attributes.remove(.reverse)
            case 29: style.attributes.remove(.strikethrough)
            case 30...37: style.foreground = .indexed(UInt8(code - 30))
            case 90...97: style.foreground = .indexed(UInt8(code - 82))
            case 39: style.foreground = .terminal
            case 40...47: style.background = .indexed(UInt8(code - 40))
            case 100...107: style.background = .indexed(UInt8(code - 92))
            case 49: style.background = .terminal
            case 38: if let color = extended(&codes) { style.foreground = color }
            case 48: if let color = extended(&codes) { style.background = color }
            default: unknown.append("\(code)m")
            }
        }
    }

    private mutating func extended(_ codes: inout ArraySlice<Int>) -> Color? {
        switch codes.popFirst() {
        case 5: return codes.popFirst().map { .indexed(UInt8(truncatingIfNeeded: $0)) }
        case 2:
            guard let red = codes.popFirst(), let green = codes.popFirst(),
                let blue = codes.popFirst()
            else { return nil }
            return .rgb(UInt8(red & 255), UInt8(green & 255), UInt8(blue & 255))
        default:
            unknown.append("38")
            return nil
        }
    }

    /// What a terminal shows that was sent `frame` whole.
    static func expected(_ frame: CellBuffer, colors: ColorDepth) -> [Place] {
        var places: [Place] = []
        for y in 0..<frame.height {
            for x in 0..<frame.width {
                let cell = frame[x, y]
                places.append(
                    Place(
                        text: cell.text,
                        style: Style(
                            cell.foreground.reduced(to: colors),
                            on: cell.background.reduced(to: colors),
                            cell.attributes
                        ),
                        isContinuation: cell.width == 0
                    )
                )
            }
        }
        return places
    }

    /// Where the screen first differs from `expected`; nil when it does not.
    func difference(_ frame: CellBuffer, colors: ColorDepth) -> String? {
        let expected = Self.expected(frame, colors: colors)
        guard let index = places.indices.first(where: { places[$0] != expected[$0] }) else {
            return nil
        }
        return "at \(index % width),\(index / width): \(places[index]), not \(expected[index])"
    }
}
