/// Finds names by a few of their letters, in order.
package enum FuzzyMatch {
    /// How well `pattern` fits, greater is better; nil when its letters are not all there in order.
    ///
    /// Letters that follow each other, and letters at the start of a word, count more.
    package static func score(_ pattern: String, in text: String) -> Int? {
        let wanted = Array(pattern.lowercased().unicodeScalars.filter { $0 != " " })
        guard !wanted.isEmpty else { return 0 }
        let letters = Array(text.lowercased().unicodeScalars)
        var best: Int?
        // The first letter is tried at each place, the rest greedily after it.
        for start in letters.indices where letters[start] == wanted[0] {
            guard let score = score(wanted, letters, from: start) else { break }
            best = max(best ?? score, score)
        }
        return best
    }

    private static func score(
        _ wanted: [Unicode.Scalar],
        _ letters: [Unicode.Scalar],
        from start: Int
    ) -> Int? {
        var score = -start / 4 - letters.count / 8
        var next = 0
        var last = -2
        for index in start..<letters.count where next < wanted.count {
            guard letters[index] == wanted[next] else { continue }
            score += 1
            if index == last + 1 { score += 4 }
            if index == 0 || !letters[index - 1].properties.isAlphabetic { score += 3 }
            last = index
            next += 1
        }
        return next == wanted.count ? score : nil
    }

    /// The items that fit, best first; in their order when equal.
    package static func filter<Item>(
        _ items: [Item],
        by pattern: String,
        text: (Item) -> String
    ) -> [Item] {
        let scored = items.enumerated().compactMap { index, item in
            score(pattern, in: text(item)).map { (index: index, score: $0, item: item) }
        }
        return scored.sorted {
            $0.score == $1.score ? $0.index < $1.index : $0.score > $1.score
        }.map { $0.item }
    }
}
