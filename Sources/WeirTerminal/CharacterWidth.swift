/// How many columns text takes.
///
/// Source: UAX #11 and the general categories, by `WidthTable`.
package enum CharacterWidth {
    /// 0, 1 or 2.
    ///
    /// Control characters count as 1, as they are shown by a stand-in.
    package static func of(_ scalar: Unicode.Scalar) -> Int {
        let code = scalar.value
        if code < 0x300 { return 1 }
        if contains(WidthTable.wide, code) { return 2 }
        return contains(WidthTable.zero, code) ? 0 : 1
    }

    /// The columns of a line, as `CellBuffer.write` would place it.
    package static func of(_ text: some StringProtocol) -> Int {
        var width = 0
        for scalar in text.unicodeScalars {
            if let shown = shown(scalar) { width += of(shown) }
        }
        return width
    }

    /// What is shown for a scalar: a stand-in for control characters, nil for what terminals disagree
    /// about (joiners, variation selectors, direction marks).
    package static func shown(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
        switch scalar.value {
        case 0x09: return " "
        case 0..<0x20, 0x7F..<0xA0: return "\u{B7}"
        case 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFE00...0xFE0F, 0xFEFF,
            0xFFF9...0xFFFB, 0xE0000...0xE01EF:
            return nil
        default: return scalar
        }
    }

    /// `text` cut to at most `width` columns, ending in `…` when something was cut.
    package static func truncated(_ text: String, to width: Int) -> String {
        guard of(text) > width else { return text }
        guard width > 0 else { return "" }
        var kept = String.UnicodeScalarView()
        var used = 0
        for scalar in text.unicodeScalars {
            guard let shown = shown(scalar) else { continue }
            let next = of(shown)
            guard used + next <= width - 1 else { break }
            kept.append(shown)
            used += next
        }
        return String(kept) + "…"
    }

    private static func contains(_ table: [UInt32], _ code: UInt32) -> Bool {
        var low = 0
        var high = table.count / 2
        while low < high {
            let middle = (low + high) / 2
            if code < table[2 * middle] {
                high = middle
            } else if code > table[2 * middle + 1] {
                low = middle + 1
            } else {
                return true
            }
        }
        return false
    }
}
