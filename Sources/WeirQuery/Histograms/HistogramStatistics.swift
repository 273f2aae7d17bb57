internal import Glibc
internal import WeirColumns

/// Numbers estimated from a histogram's buckets.
extension FloatHistogram {
    /// What lies around zero is on one side only if the other side has no buckets.
    private func withoutEmptySide(_ bucket: HistogramBucket) -> HistogramBucket {
        var bucket = bucket
        if negative.isEmpty, !positive.isEmpty {
            bucket.lower = 0
        } else if positive.isEmpty, !negative.isEmpty {
            bucket.upper = 0
        }
        return bucket
    }

    /// The `phi`-quantile: within exponential buckets interpolated on a logarithmic scale, within
    /// the zero bucket and custom ones on a linear one.
    ///
    /// With observations of NaN, which are in no bucket, it is too high, or NaN.
    package func quantile(_ phi: Double) -> Double {
        if phi < 0 { return -.infinity }
        if phi > 1 { return .infinity }
        if count == 0 || phi.isNaN { return .nan }
        // Observations of NaN are in no bucket: then only counting from below is right.
        let isForward = sum.isNaN || phi < 0.5
        var rank = (isForward ? phi : 1 - phi) * count
        let all = allBuckets()
        var found = HistogramBucket(
            lower: 0,
            upper: 0,
            includesLower: false,
            includesUpper: false,
            count: 0
        )
        var below = 0.0
        for bucket in isForward ? all : all.reversed() {
            found = bucket
            if bucket.count == 0 { continue }
            below += bucket.count
            if below >= rank { break }
        }
        if hasCustomBounds {
            if found.lower == -.infinity {
                if found.upper <= 0 { return found.upper }
                found.lower = 0
            } else if found.upper == .infinity {
                return found.lower
            }
        } else if found.lower < 0, found.upper > 0 {
            found = withoutEmptySide(found)
        }
        below = min(below, count)
        if below < rank { return sum.isNaN ? .nan : found.upper }
        rank = isForward ? rank - (below - found.count) : below - rank
        let part = rank / found.count
        if hasCustomBounds || found.lower <= 0 && found.upper >= 0 {
            return found.lower + (found.upper - found.lower) * part
        }
        let lower = log2(found.lower.magnitude)
        let upper = log2(found.upper.magnitude)
        if found.lower > 0 { return exp2(lower + (upper - lower) * part) }
        return -exp2(upper + (lower - upper) * (1 - part))
    }

    /// The share of observations between two bounds; those of NaN are in none.
    package func fraction(from lower: Double, to upper: Double) -> Double {
        if count == 0 || lower.isNaN || upper.isNaN { return .nan }
        if lower >= upper { return 0 }
        var rank = 0.0
        var lowerRank: Double?
        var upperRank: Double?
        let all = allBuckets()
        for listed in all {
            let isZero = listed.lower <= 0 && listed.upper >= 0
            let bucket = isZero ? withoutEmptySide(listed) : listed
            let isLinear = hasCustomBounds || isZero
            func rankOf(_ value: Double) -> Double? {
                if bucket.lower >= value { return rank }
                guard bucket.upper > value else { return nil }
                return rank + bucket.count * Self.share(of: value, in: bucket, isLinear: isLinear)
            }
            lowerRank = lowerRank ?? rankOf(lower)
            upperRank = upperRank ?? rankOf(upper)
            if lowerRank != nil, upperRank != nil { break }
            rank += bucket.count
        }
        // Where a bound lies above all buckets, all they hold is below it.
        let top = sum.isNaN ? all.reduce(0) { $0 + $1.count } : count
        return (min(upperRank ?? top, top) - min(lowerRank ?? top, top)) / count
    }

    /// How far into a bucket a value lies.
    private static func share(
        of value: Double,
        in bucket: HistogramBucket,
        isLinear: Bool
    ) -> Double {
        if isLinear { return (value - bucket.lower) / (bucket.upper - bucket.lower) }
        let lower = log2(bucket.lower.magnitude)
        let upper = log2(bucket.upper.magnitude)
        let place = log2(value.magnitude)
        if value > 0 { return (place - lower) / (upper - lower) }
        return 1 - (place - upper) / (lower - upper)
    }

    /// The variance, taking each observation to lie in the middle of its bucket: the geometric
    /// one, or the arithmetic one of custom buckets.
    package var variance: Double {
        let mean = sum / count
        var total = CompensatedSum()
        for bucket in allBuckets() where bucket.count != 0 {
            var value = 0.0
            if hasCustomBounds {
                value = (bucket.upper + bucket.lower) / 2
            } else if !(bucket.lower <= 0 && bucket.upper >= 0) {
                value = (bucket.upper * bucket.lower).squareRoot()
                if bucket.upper < 0 { value = -value }
            }
            let distance = value - mean
            total.add(bucket.count * distance * distance)
        }
        return (total.sum + total.compensation) / count
    }
}
