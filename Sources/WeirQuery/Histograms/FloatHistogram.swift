package import WeirCore

/// A native histogram as queries compute with it: counts are doubles, buckets are by index.
///
/// Semantics: docs/native-histograms.md, after Prometheus 3.5.
package struct FloatHistogram: Hashable, Sendable {
    /// One side's buckets, ascending by index; a bucket may be listed and empty.
    package struct Buckets: Hashable, Sendable {
        package var indexes: [Int32] = []
        package var counts: [Double] = []

        package init() {}

        package var isEmpty: Bool { indexes.isEmpty }

        package mutating func append(_ index: Int32, _ count: Double) {
            indexes.append(index)
            counts.append(count)
        }
    }

    package var schema: Int8 = 0
    package var resetHint = NativeHistogram.ResetHint.unknown
    package var zeroThreshold = 0.0
    package var zeroCount = 0.0
    package var count = 0.0
    package var sum = 0.0
    package var positive = Buckets()
    package var negative = Buckets()
    package var customBounds: [Double] = []

    package init() {}

    package var hasCustomBounds: Bool { schema == NativeHistogram.customSchema }
    /// Whether some observations were no numbers: they are counted, but in no bucket.
    package var hasNaN: Bool {
        sum.isNaN
            && positive.counts.reduce(0, +) + negative.counts.reduce(0, +) + zeroCount < count
    }
    package var isGauge: Bool { resetHint == .gauge }

    /// A stored sample.
    ///
    /// Of hints only the gauge's is kept: whether a counter was reset is seen in the counts, which
    /// a query may look at with samples left out. Of buckets only the populated are kept: which
    /// empty ones are listed depends on the sender. What does not fit together (fewer counts than
    /// spans say, indexes that do not ascend, a threshold that is no distance) is left out.
    package init(_ stored: NativeHistogram) {
        schema = stored.schema
        resetHint = stored.resetHint == .gauge ? .gauge : .unknown
        count = stored.count
        sum = stored.sum
        if stored.hasCustomBounds {
            customBounds = stored.customBounds
            positive = Self.buckets(stored.positive, through: Int64(customBounds.count))
            return
        }
        schema = max(NativeHistogram.schemas.lowerBound, schema)
        schema = min(NativeHistogram.schemas.upperBound, schema)
        zeroThreshold = stored.zeroThreshold >= 0 ? stored.zeroThreshold : 0
        zeroCount = stored.zeroCount
        positive = Self.buckets(stored.positive, through: Int64(Int32.max) - 1)
        negative = Self.buckets(stored.negative, through: Int64(Int32.max) - 1)
    }

    private static func buckets(_ side: NativeHistogram.Side, through last: Int64) -> Buckets {
        var buckets = Buckets()
        buckets.indexes.reserveCapacity(side.counts.count)
        var index: Int64 = 0
        var next = 0
        for span in side.spans {
            index += Int64(span.offset)
            for _ in 0..<span.length {
                guard next < side.counts.count, index <= last, index >= Int64(Int32.min) + 1,
                    buckets.indexes.last.map({ Int64($0) < index }) ?? true
                else { return buckets }
                if side.counts[next] != 0 { buckets.append(Int32(index), side.counts[next]) }
                index += 1
                next += 1
            }
        }
        return buckets
    }

    /// As a sample to store, with counts of any kind of number.
    package var stored: NativeHistogram {
        var stored = NativeHistogram()
        stored.schema = schema
        stored.resetHint = resetHint
        stored.hasFloatCounts = true
        stored.zeroThreshold = zeroThreshold
        stored.zeroCount = zeroCount
        stored.count = count
        stored.sum = sum
        stored.customBounds = customBounds
        stored.positive = Self.side(positive)
        stored.negative = Self.side(negative)
        return stored
    }

    private static func side(_ buckets: Buckets) -> NativeHistogram.Side {
        var side = NativeHistogram.Side(counts: buckets.counts)
        var next: Int32 = 0
        for (place, index) in buckets.indexes.enumerated() {
            if place > 0, index == next {
                side.spans[side.spans.count - 1].length += 1
            } else {
                side.spans.append(.init(offset: index &- next, length: 1))
            }
            next = index &+ 1
        }
        return side
    }

    /// What a histogram takes in memory, about.
    package var byteCount: Int {
        160 + 12 * (positive.indexes.count + negative.indexes.count) + 8 * customBounds.count
    }
}

/// A bucket with its bounds.
package struct HistogramBucket: Hashable, Sendable {
    package var lower: Double
    package var upper: Double
    package var includesLower: Bool
    package var includesUpper: Bool
    package var count: Double
}

extension FloatHistogram {
    /// The buckets of one side, away from zero; of custom buckets ascending.
    func bucket(_ index: Int32, _ count: Double, isPositive: Bool) -> HistogramBucket {
        if hasCustomBounds {
            let place = Int(index)
            return HistogramBucket(
                lower: place <= 0 || place > customBounds.count
                    ? -.infinity : customBounds[place - 1],
                upper: place < 0 || place >= customBounds.count ? .infinity : customBounds[place],
                includesLower: place == 0,
                includesUpper: true,
                count: count
            )
        }
        let far = HistogramBounds.upper(index, schema: schema)
        let near = HistogramBounds.upper(index - 1, schema: schema)
        return HistogramBucket(
            lower: isPositive ? near : -far,
            upper: isPositive ? far : -near,
            includesLower: !isPositive && -far < 0,
            includesUpper: isPositive && far > 0,
            count: count
        )
    }

    var zeroBucket: HistogramBucket {
        HistogramBucket(
            lower: -zeroThreshold,
            upper: zeroThreshold,
            includesLower: true,
            includesUpper: true,
            count: zeroCount
        )
    }

    /// All buckets from the lowest to the highest, listed empty ones included; those that reach
    /// into the zero bucket are cut at its threshold.
    package func allBuckets() -> [HistogramBucket] {
        var buckets: [HistogramBucket] = []
        buckets.reserveCapacity(positive.indexes.count + negative.indexes.count + 1)
        func cut(_ bucket: HistogramBucket) -> HistogramBucket {
            var bucket = bucket
            if bucket.upper < 0, bucket.upper > -zeroThreshold {
                bucket.upper = -zeroThreshold
            } else if bucket.lower > 0, bucket.lower < zeroThreshold {
                bucket.lower = zeroThreshold
            }
            return bucket
        }
        for place in negative.indexes.indices.reversed() {
            buckets.append(
                cut(bucket(negative.indexes[place], negative.counts[place], isPositive: false))
            )
        }
        if zeroCount > 0 { buckets.append(zeroBucket) }
        for place in positive.indexes.indices {
            buckets.append(
                cut(bucket(positive.indexes[place], positive.counts[place], isPositive: true))
            )
        }
        return buckets
    }
}
