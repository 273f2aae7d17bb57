/// How unlike two short texts are, for hints at the name that was meant.
package enum EditDistance {
    /// Insertions, removals and replacements of bytes that turn one into the other.
    ///
    /// O(product of the lengths): for short texts.
    package static func between(_ left: String, _ right: String) -> Int {
        let left = Array(left.utf8)
        let right = Array(right.utf8)
        var row = Array(0...right.count)
        for (index, byte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, other) in right.enumerated() {
                let replaced = diagonal + (byte == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, row[column] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }

    /// The known name most like `text`, when it is not too unlike to be meant.
    package static func nearest(to text: String, among known: [String]) -> String? {
        let text = text.utf8.count > 200 ? String(text.prefix(200)) : text
        let scored = known.map { (name: $0, distance: between(text, $0)) }
        guard let best = scored.min(by: { $0.distance < $1.distance }),
            best.distance <= max(2, text.count / 3)
        else { return nil }
        return best.name
    }
}
