/// How text is cut: into tokens, which filters hold, and into words and variables, which
/// templates are made of.
///
/// Part of the format: docs/format/fields.md.
enum TextWords {
    /// 0: a separator; 1: a letter or a byte over 127; 2: a digit.
    static let classes: [UInt8] = (0..<256).map { byte in
        switch byte {
        case 0x30...0x39: 2
        case 0x41...0x5A, 0x61...0x7A, 0x80...0xFF: 1
        default: 0
        }
    }

    static func nextToken(in text: Span<UInt8>, from start: Int) -> Range<Int>? {
        var first = start
        while first < text.count, classes[Int(text[first])] == 0 { first += 1 }
        guard first < text.count else { return nil }
        var end = first
        while end < text.count, classes[Int(text[end])] != 0 { end += 1 }
        return first..<end
    }

    static func hasDigit(_ token: Span<UInt8>) -> Bool {
        for index in 0..<token.count where classes[Int(token[index])] == 2 { return true }
        return false
    }

    /// What may follow a number directly and still be the template's: `12ms`, `3GiB`.
    ///
    /// None of them is made of hexadecimal digits alone, so that ids are not torn.
    static func isUnit(_ suffix: Span<UInt8>) -> Bool {
        guard suffix.count <= 3 else { return false }
        var word: UInt32 = 0
        for index in 0..<suffix.count { word = word << 8 | UInt32(suffix[index]) }
        return units.contains(word)
    }

    private static let units: Set<UInt32> = Set(
        [
            "s", "ms", "us", "ns", "m", "h", "B", "kB", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB",
            "x", "px", "K", "M", "G", "T",
        ]
        .map { text in text.utf8.reduce(0) { $0 << 8 | UInt32($1) } }
    )

    /// Whether a UUID stands at `start`: 36 bytes, dashes in their places, and a digit somewhere.
    static func isUUID(_ text: Span<UInt8>, at start: Int) -> Bool {
        guard start + 36 <= text.count, text[start + 8] == 0x2D, text[start + 13] == 0x2D,
            text[start + 18] == 0x2D, text[start + 23] == 0x2D
        else { return false }
        var hasDigit = false
        for offset in 0..<36 where offset != 8 && offset != 13 && offset != 18 && offset != 23 {
            guard isLowerHex(text[start + offset]) else { return false }
            hasDigit = hasDigit || text[start + offset] < 0x3A
        }
        return hasDigit
    }

    static func isLowerHex(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || byte &- 0x61 < 6
    }
}
