package import WeirCore

/// Prometheus's order of label sets: pairs by name in byte order, `__name__` among the others.
package enum LabelOrder {
    /// The pairs by name, as the API writes them.
    package static func pairs(_ labels: Labels) -> [(name: String, value: String)] {
        var pairs = labels.pairs
        // Canonical order differs only in the place of the metric name and in length prefixes.
        pairs.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        return pairs
    }

    /// The pairs as Prometheus writes them in messages: `{a="b", c="d"}`.
    package static func text(_ labels: Labels) -> String {
        let written = pairs(labels).map { pair in
            PromQLPrinter.label(pair.name) + "=" + PromQLStringLiteral.quote(pair.value)
        }
        return "{" + written.joined(separator: ", ") + "}"
    }

    /// Bytes whose order is the order of the label sets.
    package static func key(_ labels: Labels) -> [UInt8] {
        var key: [UInt8] = []
        key.reserveCapacity(labels.bytes.count + 16)
        for pair in pairs(labels) {
            key.append(contentsOf: pair.name.utf8)
            key.append(0)
            key.append(contentsOf: pair.value.utf8)
            key.append(0)
        }
        return key
    }

    /// The indices of `labels` in order.
    package static func sortedIndices(_ labels: [Labels]) -> [Int] {
        let keys = labels.map(key)
        return labels.indices.sorted { keys[$0].lexicographicallyPrecedes(keys[$1]) }
    }
}
