/// Estimates from a histogram kept as cumulative buckets: series that differ only in `le`.
enum ClassicHistogram {
    static let bucketLabel = "le"
    /// Counts that fall by less than this share are float noise.
    private static let noise = 1e-12

    /// How many observations are up to a bound.
    struct Bucket {
        let bound: Double
        var count: Double
    }

    static func parseBound(_ text: String) -> Double? {
        switch text.lowercased() {
        case "+inf", "inf", "+infinity", "infinity": .infinity
        case "-inf", "-infinity": -.infinity
        case "nan": nil
        default: Double(text)
        }
    }

    /// `buckets` are in ascending order of distinct bounds.
    static func quantile(_ phi: Double, _ buckets: inout [Bucket]) -> Double {
        if phi.isNaN { return .nan }
        if phi < 0 { return -.infinity }
        if phi > 1 { return .infinity }
        guard let top = buckets.last, top.bound == .infinity, buckets.count >= 2 else {
            return .nan
        }
        var highest = buckets[0].count
        for index in 1..<buckets.count {
            let count = buckets[index].count
            let isNoise =
                count != highest
                && (count - highest).magnitude < noise * (count.magnitude + highest.magnitude)
            if count < highest || isNoise { buckets[index].count = highest }
            if count > highest, !isNoise { highest = count }
        }
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

    /// The share of observations between two bounds, interpolated within a bucket on a linear
    /// scale; `buckets` as for `quantile`.
    static func fraction(_ lower: Double, _ upper: Double, _ buckets: [Bucket]) -> Double {
        guard let top = buckets.last, top.bound == .infinity else { return .nan }
        let count = top.count
        if count == 0 || lower.isNaN || upper.isNaN { return .nan }
        if lower >= upper { return 0 }
        var rank = 0.0
        var start = -Double.infinity
        var lowerRank: Double?
        var upperRank: Double?
        for bucket in buckets {
            func rankOf(_ value: Double) -> Double? {
                if start >= value { return rank }
                guard bucket.bound > value else { return nil }
                return rank + (bucket.count - rank) * (value - start) / (bucket.bound - start)
            }
            lowerRank = lowerRank ?? rankOf(lower)
            upperRank = upperRank ?? rankOf(upper)
            if lowerRank != nil, upperRank != nil { break }
            rank = bucket.count
            start = bucket.bound
        }
        // Not `min`: what is no number stays none.
        func capped(_ rank: Double?) -> Double {
            guard let rank else { return count }
            return rank > count ? count : rank
        }
        return (capped(upperRank) - capped(lowerRank)) / count
    }
}
