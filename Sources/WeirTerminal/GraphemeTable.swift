internal import Synchronization

/// Texts of more than one scalar (a letter with its accents) by number, so that a cell stays an integer.
///
/// One table for the process: cells of different buffers must compare by number alone. It never
/// shrinks; when it is full, accents are dropped.
package enum GraphemeTable {
    package static let capacity = 1 << 16
    /// At most this many scalars in one cell.
    static let scalarsMax = 8
    /// The bit that tells a table index from a scalar.
    static let mark: UInt32 = 0x8000_0000

    private struct Contents {
        var texts: [String] = []
        var indices: [String: UInt32] = [:]
    }

    private static let contents = Mutex(Contents())

    /// The glyph for `glyph` followed by `scalar`; `glyph` itself when there is no room.
    static func appending(_ scalar: Unicode.Scalar, to glyph: UInt32) -> UInt32 {
        var text = ""
        if glyph & mark != 0 {
            text = Self.text(of: glyph)
        } else if let base = Unicode.Scalar(glyph) {
            text.unicodeScalars.append(base)
        }
        guard !text.isEmpty, text.unicodeScalars.count < scalarsMax else { return glyph }
        text.unicodeScalars.append(scalar)
        return contents.withLock { contents in
            if let index = contents.indices[text] { return index | mark }
            guard contents.texts.count < capacity else { return glyph }
            let index = UInt32(contents.texts.count)
            contents.texts.append(text)
            contents.indices[text] = index
            return index | mark
        }
    }

    /// The text of a glyph that `appending` made.
    package static func text(of glyph: UInt32) -> String {
        contents.withLock { contents in
            let index = Int(glyph & ~mark)
            return index < contents.texts.count ? contents.texts[index] : "\u{FFFD}"
        }
    }
}
