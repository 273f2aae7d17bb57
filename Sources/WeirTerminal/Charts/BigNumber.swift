/// Digits three rows high, of half blocks.
package enum BigNumber {
    package static let rows = 3

    /// Five rows of three dots for each character, the last row lowest; a bit is a dot, the leftmost
    /// highest.
    private static let shapes: [Character: [UInt8]] = [
        "0": [7, 5, 5, 5, 7], "1": [2, 6, 2, 2, 7], "2": [7, 1, 7, 4, 7], "3": [7, 1, 7, 1, 7],
        "4": [5, 5, 7, 1, 1], "5": [7, 4, 7, 1, 7], "6": [7, 4, 7, 5, 7], "7": [7, 1, 1, 2, 2],
        "8": [7, 5, 7, 5, 7], "9": [7, 5, 7, 1, 7], "-": [0, 0, 7, 0, 0], ".": [0, 0, 0, 0, 2],
    ]

    /// The columns that a text takes; nil when it has a character without a shape.
    package static func width(of text: String) -> Int? {
        guard text.allSatisfy({ shapes[$0] != nil }) else { return nil }
        return text.reduce(0) { $0 + ($1 == "." ? 2 : 4) }
    }

    /// Draws the digits with their upper left corner at a place; returns the column after.
    package static func draw(
        _ text: String,
        into buffer: inout CellBuffer,
        x: Int,
        y: Int,
        _ style: Style
    ) -> Int {
        var left = x
        for character in text {
            guard let shape = shapes[character] else { continue }
            // A point is one column wide.
            let columns: [UInt8] = character == "." ? [2] : [4, 2, 1]
            for (index, mask) in columns.enumerated() {
                for row in 0..<rows {
                    let upper = shape[row * 2] & mask != 0
                    let lower = row * 2 + 1 < 5 && shape[row * 2 + 1] & mask != 0
                    guard upper || lower else { continue }
                    let glyph: Unicode.Scalar = upper ? (lower ? "█" : "▀") : "▄"
                    buffer.set(left + index, y + row, glyph, style)
                }
            }
            left += columns.count + 1
        }
        return left
    }
}
