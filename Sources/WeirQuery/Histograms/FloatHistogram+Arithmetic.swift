internal import WeirCore

/// Why two histograms cannot be added, subtracted or told apart bucket by bucket.
package enum HistogramMismatch: Error, Hashable {
    /// One has exponential buckets, the other bounds of its own.
    case schemas
    /// Both have bounds of their own, but different ones.
    case bounds
}

extension FloatHistogram {
    // MARK: Scaling

    package func multiplied(by factor: Double) -> FloatHistogram {
        var result = self
        result.zeroCount *= factor
        result.count *= factor
        result.sum *= factor
        for place in result.positive.counts.indices { result.positive.counts[place] *= factor }
        for place in result.negative.counts.indices { result.negative.counts[place] *= factor }
        return result
    }

    /// Divides all counts; by zero no bucket is left.
    package func divided(by divisor: Double) -> FloatHistogram {
        var result = self
        result.zeroCount /= divisor
        result.count /= divisor
        result.sum /= divisor
        if divisor == 0 {
            result.positive = Buckets()
            result.negative = Buckets()
            return result
        }
        for place in result.positive.counts.indices { result.positive.counts[place] /= divisor }
        for place in result.negative.counts.indices { result.negative.counts[place] /= divisor }
        return result
    }

    /// Without buckets that are empty.
    package func compacted() -> FloatHistogram {
        var result = self
        result.positive = positive.compacted()
        result.negative = negative.compacted()
        return result
    }

    /// In a coarser schema; the hint is lost, as the counts are not those that were sent.
    package func coarsened(to target: Int8) -> FloatHistogram {
        guard target < schema, !hasCustomBounds else { return self }
        var result = self
        result.resetHint = .unknown
        result.positive = positive.coarsened(by: schema - target)
        result.negative = negative.coarsened(by: schema - target)
        result.schema = target
        return result
    }

    // MARK: Adding

    package mutating func add(_ other: FloatHistogram) throws(HistogramMismatch) {
        try checkLayout(other)
        if resetHint != other.resetHint {
            resetHint = isGauge || other.isGauge ? .gauge : .unknown
        }
        combine(other, sign: 1)
    }

    package mutating func subtract(_ other: FloatHistogram) throws(HistogramMismatch) {
        try checkLayout(other)
        combine(other, sign: -1)
    }

    private func checkLayout(_ other: FloatHistogram) throws(HistogramMismatch) {
        guard hasCustomBounds == other.hasCustomBounds else { throw .schemas }
        guard !hasCustomBounds || hasBounds(of: other) else { throw .bounds }
    }

    private func hasBounds(of other: FloatHistogram) -> Bool {
        customBounds.elementsEqual(other.customBounds) { $0.bitPattern == $1.bitPattern }
    }

    private mutating func combine(_ other: FloatHistogram, sign: Double) {
        if !hasCustomBounds { zeroCount += sign * reconcileZeroBuckets(other) }
        count += sign * other.count
        sum += sign * other.sum
        var (otherPositive, otherNegative) = (other.positive, other.negative)
        if !hasCustomBounds {
            if other.schema < schema {
                positive = positive.coarsened(by: schema - other.schema)
                negative = negative.coarsened(by: schema - other.schema)
                schema = other.schema
            } else if other.schema > schema {
                otherPositive = otherPositive.coarsened(by: other.schema - schema)
                otherNegative = otherNegative.coarsened(by: other.schema - schema)
            }
            otherPositive.dropFirst(upTo: zeroThreshold, schema: schema)
            otherNegative.dropFirst(upTo: zeroThreshold, schema: schema)
        }
        positive = positive.merged(with: otherPositive, sign: sign)
        if !hasCustomBounds { negative = negative.merged(with: otherNegative, sign: sign) }
    }

    // MARK: The zero bucket

    /// Widens this histogram's zero bucket until it can hold the other's, and ends in no populated
    /// bucket of either.
    ///
    /// - Returns: What the other's zero bucket would count at that width.
    private mutating func reconcileZeroBuckets(_ other: FloatHistogram) -> Double {
        var otherCount = other.zeroCount
        var otherThreshold = other.zeroThreshold
        while otherThreshold != zeroThreshold {
            if zeroThreshold > otherThreshold {
                (otherCount, otherThreshold) = other.zeroCount(upTo: zeroThreshold)
            }
            if otherThreshold > zeroThreshold {
                (zeroCount, zeroThreshold) = zeroCount(upTo: otherThreshold)
                dropBucketsInZeroBucket()
            }
        }
        return otherCount
    }

    /// What the zero bucket would count if its threshold were `threshold`, which is not less than
    /// its own, and that threshold, raised to the end of a populated bucket that it cuts.
    private func zeroCount(upTo threshold: Double) -> (count: Double, threshold: Double) {
        guard threshold != zeroThreshold else { return (zeroCount, threshold) }
        var threshold = threshold
        while true {
            var total = zeroCount
            for (index, count) in zip(positive.indexes, positive.counts) {
                let bucket = bucket(index, count, isPositive: true)
                if bucket.lower >= threshold { break }
                total += count
                if bucket.upper > threshold {
                    if count != 0 { threshold = bucket.upper }
                    break
                }
            }
            var isWidened = false
            for (index, count) in zip(negative.indexes, negative.counts) {
                let bucket = bucket(index, count, isPositive: false)
                if bucket.upper <= -threshold { break }
                total += count
                if bucket.lower < -threshold {
                    if count != 0 {
                        threshold = -bucket.lower
                        isWidened = true
                    }
                    break
                }
            }
            if !isWidened { return (total, threshold) }
        }
    }

    private mutating func dropBucketsInZeroBucket() {
        for place in positive.indexes.indices {
            if bucket(positive.indexes[place], 0, isPositive: true).lower >= zeroThreshold { break }
            positive.counts[place] = 0
        }
        for place in negative.indexes.indices {
            if bucket(negative.indexes[place], 0, isPositive: false).upper <= -zeroThreshold {
                break
            }
            negative.counts[place] = 0
        }
        self = compacted()
    }

    // MARK: Comparing

    /// Whether all numbers are the same bit for bit, listed empty buckets included.
    package func equals(_ other: FloatHistogram) -> Bool {
        schema == other.schema && count.bitPattern == other.count.bitPattern
            && sum.bitPattern == other.sum.bitPattern && hasBounds(of: other)
            && zeroThreshold == other.zeroThreshold
            && zeroCount.bitPattern == other.zeroCount.bitPattern
            && positive.equals(other.positive) && negative.equals(other.negative)
    }

    /// Whether a counter began anew between `previous` and this sample: some count fell, or the
    /// layout changed in a way that only a fresh start explains.
    package func isReset(after previous: FloatHistogram) -> Bool {
        switch resetHint {
        case .reset: return true
        case .noReset: return false
        case .unknown, .gauge: break
        }
        if count < previous.count { return true }
        if hasCustomBounds != previous.hasCustomBounds { return true }
        if hasCustomBounds, !hasBounds(of: previous) { return true }
        if schema > previous.schema || zeroThreshold < previous.zeroThreshold { return true }
        let (previousZero, threshold) = previous.zeroCount(upTo: zeroThreshold)
        if threshold != zeroThreshold || zeroCount < previousZero { return true }
        func hasFallen(_ own: Buckets, _ before: Buckets) -> Bool {
            var (own, before) = (own, before)
            if !hasCustomBounds {
                before = before.coarsened(by: previous.schema - schema)
                own.dropFirst(upTo: zeroThreshold, schema: schema)
                before.dropFirst(upTo: zeroThreshold, schema: schema)
            }
            return own.hasFallen(since: before)
        }
        return hasFallen(positive, previous.positive) || hasFallen(negative, previous.negative)
    }
}

extension FloatHistogram.Buckets {
    func compacted() -> Self {
        guard counts.contains(0) else { return self }
        var result = Self()
        for (index, count) in zip(indexes, counts) where count != 0 { result.append(index, count) }
        return result
    }

    /// Merges 2^`steps` neighbours into one bucket each.
    func coarsened(by steps: Int8) -> Self {
        guard steps > 0 else { return self }
        var result = Self()
        for (index, count) in zip(indexes, counts) {
            let target = ((index - 1) >> Int32(steps)) + 1
            if result.indexes.last == target {
                result.counts[result.counts.count - 1] += count
            } else {
                result.append(target, count)
            }
        }
        return result
    }

    /// Drops the buckets that lie whole within the zero bucket.
    mutating func dropFirst(upTo threshold: Double, schema: Int8) {
        guard threshold > 0 else { return }
        let kept =
            indexes.firstIndex { HistogramBounds.upper($0, schema: schema) > threshold }
            ?? indexes.count
        indexes.removeFirst(kept)
        counts.removeFirst(kept)
    }

    func merged(with other: Self, sign: Double) -> Self {
        if indexes == other.indexes {
            var result = self
            for place in counts.indices { result.counts[place] += sign * other.counts[place] }
            return result
        }
        var result = Self()
        result.indexes.reserveCapacity(indexes.count + other.indexes.count)
        result.counts.reserveCapacity(indexes.count + other.indexes.count)
        var (left, right) = (0, 0)
        while left < indexes.count || right < other.indexes.count {
            let own = left < indexes.count ? indexes[left] : Int32.max
            let next = right < other.indexes.count ? other.indexes[right] : Int32.max
            var count = 0.0
            if own <= next {
                count = counts[left]
                left += 1
            }
            if next <= own {
                count += sign * other.counts[right]
                right += 1
            }
            result.append(min(own, next), count)
        }
        return result
    }

    func equals(_ other: Self) -> Bool {
        indexes == other.indexes
            && counts.elementsEqual(other.counts) { $0.bitPattern == $1.bitPattern }
    }

    /// Whether a bucket counts less than it did in `before`, or is gone though it had counts.
    func hasFallen(since before: Self) -> Bool {
        var place = 0
        for (index, count) in zip(before.indexes, before.counts) {
            while place < indexes.count, indexes[place] < index { place += 1 }
            if place < indexes.count, indexes[place] == index {
                if counts[place] < count { return true }
            } else if count != 0 {
                return true
            }
        }
        return false
    }
}
