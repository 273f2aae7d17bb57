/// Estimates from histograms kept as cumulative buckets: series that differ only in `le`.
enum ClassicHistogram {
    static let boundLabel = "le"
    /// Counts that fall by less than this share are float noise.
    private static let noise = 1e-12

    /// How many observations are up to a bound.
    struct Bucket {
        let bound: Double
        var count: Double
    }

    /// A bound as Go reads it; nil for what is no number.
    static func parseBound(_ text: String) -> Double? {
        switch text.lowercased() {
        case "+inf", "inf", "+infinity", "infinity": .infinity
        case "-inf", "-infinity": -.infinity
        case "nan": nil
        default: Double(text)
        }
    }

    /// The `phi`-quantile, and whether counts that fell had to be mended; `buckets` are in ascending
    /// order of distinct bounds.
    static func quantile(
        _ phi: Double,
        _ buckets: inout [Bucket]
    ) -> (value: Double, isForced: Bool) {
        if phi.isNaN { return (.nan, false) }
        if phi < 0 { return (-.infinity, false) }
        if phi > 1 { return (.infinity, false) }
        guard let top = buckets.last, top.bound == .infinity else { return (.nan, false) }
        let isForced = makeMonotonic(&buckets)
        guard buckets.count >= 2 else { return (.nan, false) }
        return (rankValue(phi, buckets), isForced)
    }

    /// Lets no count be below one before it.
    ///
    /// - Returns: Whether one was, by more than float noise.
    private static func makeMonotonic(_ buckets: inout [Bucket]) -> Bool {
        var isForced = false
        var highest = buckets[0].count
        for index in 1..<max(1, buckets.count) {
            let count = buckets[index].count
            if count == highest { continue }
            let isNoise =
                (count - highest).magnitude < noise * (count.magnitude + highest.magnitude)
            if isNoise {
                buckets[index].count = highest
            } else if count < highest {
                buckets[index].count = highest
                isForced = true
            } else {
                highest = count
            }
        }
        return isForced
    }

    private static func rankValue(_ phi: Double, _ buckets: [Bucket]) -> Double {
        let observations = buckets[buckets.count - 1].count
        if observations == 0 { return .nan }
        var rank = phi * observations
        var index = 0
        while index < buckets.count - 1, !(buckets[index].count >= rank) { index += 1 }
        if index == buckets.count - 1 { return buckets[buckets.count - 2].bound }
        if index == 0, buckets[0].bound <= 0 { return buckets[0].bound }
        var start = 0.0
        var count = buckets[index].count
        if index > 0 {
            start = buckets[index - 1].bound
            count -= buckets[index - 1].count
            rank -= buckets[index - 1].count
        }
        return start + (buckets[index].bound - start) * (rank / count)
    }

    /// The share of observations between two bounds; `buckets` as for `quantile`.
    static func fraction(
        _ lower: Double,
        _ upper: Double,
        _ buckets: [Bucket]
    ) -> Double {
        guard let top = buckets.last, top.bound == .infinity, top.count != 0, !lower.isNaN,
            !upper.isNaN
        else { return .nan }
        if lower >= upper { return 0 }
        let share = rank(of: upper, buckets) - rank(of: lower, buckets)
        return share / top.count
    }

    /// How many observations are below `value`, evenly spread within a bucket.
    private static func rank(of value: Double, _ buckets: [Bucket]) -> Double {
        let total = buckets[buckets.count - 1].count
        var rank = 0.0
        for (index, bucket) in buckets.enumerated() {
            // Nothing is known of where the first bucket begins: what lies inside it is NaN.
            let start = index > 0 ? buckets[index - 1].bound : -Double.infinity
            if start >= value { return min(rank, total) }
            if bucket.bound > value {
                let part = (bucket.count - rank) * (value - start) / (bucket.bound - start)
                return min(rank + part, total)
            }
            rank = bucket.count
        }
        return total
    }
}
