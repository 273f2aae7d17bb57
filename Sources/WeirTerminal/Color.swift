/// A colour as one integer: the terminal's own, one of the 256, or red-green-blue.
package struct Color: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The terminal's own foreground or background.
    package static let terminal = Color(rawValue: 0)

    /// One of the 256 of xterm's palette: 0-15 the theme's, 16-231 a 6×6×6 cube, 232-255 greys.
    package static func indexed(_ index: UInt8) -> Color {
        Color(rawValue: 0x0100_0000 | UInt32(index))
    }

    /// 24-bit colour.
    package static func rgb(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> Color {
        Color(rawValue: 0x0200_0000 | UInt32(red) << 16 | UInt32(green) << 8 | UInt32(blue))
    }

    /// The palette index, when this is one of the 256.
    package var index: UInt8? {
        rawValue >> 24 == 1 ? UInt8(truncatingIfNeeded: rawValue) : nil
    }

    /// Red, green and blue, for any colour but the terminal's own.
    ///
    /// The first 16 are taken as xterm's defaults, since a theme's are not known.
    package var components: (red: Int, green: Int, blue: Int)? {
        switch rawValue >> 24 {
        case 2:
            return (
                Int(rawValue >> 16 & 255), Int(rawValue >> 8 & 255), Int(rawValue & 255)
            )
        case 1:
            let index = Int(rawValue & 255)
            if index < 16 { return Self.sixteen[index] }
            if index >= 232 {
                let level = 8 + 10 * (index - 232)
                return (level, level, level)
            }
            let cube = index - 16
            return (
                Self.cubeLevels[cube / 36], Self.cubeLevels[cube / 6 % 6], Self.cubeLevels[cube % 6]
            )
        default: return nil
        }
    }

    /// The nearest colour that `depth` can show; the terminal's own when it shows none.
    package func reduced(to depth: ColorDepth) -> Color {
        guard let (red, green, blue) = components else { return self }
        switch depth {
        case .truecolor: return self
        case .indexed256:
            return index != nil ? self : .indexed(Self.nearest256(red, green, blue))
        case .indexed16:
            if let index, index < 16 { return self }
            return .indexed(Self.nearest16(red, green, blue))
        case .none: return .terminal
        }
    }

    private static let cubeLevels = [0, 95, 135, 175, 215, 255]

    private static let sixteen: [(red: Int, green: Int, blue: Int)] = [
        (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205),
        (0, 205, 205), (229, 229, 229), (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0),
        (92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255),
    ]

    private static func distance(
        _ left: (red: Int, green: Int, blue: Int),
        _ right: (red: Int, green: Int, blue: Int)
    ) -> Int {
        let red = left.red - right.red
        let green = left.green - right.green
        let blue = left.blue - right.blue
        return 2 * red * red + 4 * green * green + 3 * blue * blue
    }

    private static func nearest256(_ red: Int, _ green: Int, _ blue: Int) -> UInt8 {
        func level(_ value: Int) -> Int {
            var best = 0
            for index in 1..<6 where abs(cubeLevels[index] - value) < abs(cubeLevels[best] - value)
            {
                best = index
            }
            return best
        }
        let (r, g, b) = (level(red), level(green), level(blue))
        let cube = (cubeLevels[r], cubeLevels[g], cubeLevels[b])
        let greyStep = max(0, min(23, ((red + green + blue) / 3 - 3) / 10))
        let grey = (8 + 10 * greyStep, 8 + 10 * greyStep, 8 + 10 * greyStep)
        let wanted = (red, green, blue)
        return distance(grey, wanted) < distance(cube, wanted)
            ? UInt8(232 + greyStep) : UInt8(16 + 36 * r + 6 * g + b)
    }

    private static func nearest16(_ red: Int, _ green: Int, _ blue: Int) -> UInt8 {
        var best = 0
        for index in 1..<16
        where distance(sixteen[index], (red, green, blue))
            < distance(sixteen[best], (red, green, blue))
        {
            best = index
        }
        return UInt8(best)
    }
}
