/// The name somebody probably meant.
package enum NearestName {
    /// The candidate with the fewest edits away, when few enough: a third of the name, one at least.
    package static func of(_ name: String, among candidates: some Sequence<String>) -> String? {
        let wanted = Array(name.lowercased().utf8.prefix(64))
        var best: (distance: Int, name: String)?
        for candidate in candidates {
            let distance = distance(wanted, Array(candidate.lowercased().utf8.prefix(64)))
            if best.map({ distance < $0.distance }) ?? true { best = (distance, candidate) }
        }
        guard let best, best.distance <= max(1, (wanted.count + 1) / 3) else { return nil }
        return best.name
    }

    /// Edits from one text to the other; exchanging neighbours is one (optimal string alignment).
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for i in 0..<left.count {
            var row = [i + 1]
            for j in 0..<right.count {
                var cost = min(
                    row[j] + 1,
                    last[j + 1] + 1,
                    last[j] + (left[i] == right[j] ? 0 : 1)
                )
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    cost = min(cost, beforeLast[j - 1] + 1)
                }
                row.append(cost)
            }
            beforeLast = last
            last = row
        }
        return last[right.count]
    }
}
