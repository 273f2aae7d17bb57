internal import Glibc
internal import WeirCore
internal import WeirQuery
internal import WeirTestSupport

/// Observations counted in fine buckets, from which a histogram of any coarser schema is made, as
/// an instrumented program does: none lies in a bucket and within the zero bucket.
struct NativeObservations {
    /// The finest schema.
    let schema: Int8
    /// How many powers away from one observations may lie.
    let places: Int
    let hasNegative: Bool
    private var positive: [Int32: Double] = [:]
    private var negative: [Int32: Double] = [:]
    private var zero = 0.0
    private var sum = 0.0

    init(schema: Int8, places: Int, hasNegative: Bool) {
        self.schema = schema
        self.places = places
        self.hasNegative = hasNegative
        clear()
    }

    /// Each side has a populated bucket from the start: Prometheus takes what is around zero to be
    /// on one side only if the whole chunk that holds a sample has no bucket of the other side.
    mutating func clear() {
        positive = [3: 1]
        negative = hasNegative ? [3: 1] : [:]
        (zero, sum) = (0, 0)
    }

    mutating func add(_ weight: Double, _ random: inout SplitMix64) {
        let power = Int32.random(in: Int32(-places)...Int32(places), using: &random)
        let place = power << Int32(schema) + Int32.random(in: 0...2, using: &random)
        switch Int.random(in: 0..<(hasNegative ? 4 : 8), using: &random) {
        case 0: zero += weight
        case 1 where hasNegative: negative[place, default: 0] += weight
        default: positive[place, default: 0] += weight
        }
        let distance = Int.random(in: (hasNegative ? -16 : 0)...48, using: &random)
        sum += weight * Double(distance) / 16
    }

    /// The threshold must end a bucket of every schema asked for.
    func histogram(schema target: Int8, zeroThreshold: Double) -> NativeHistogram {
        var fine = FloatHistogram()
        fine.schema = schema
        fine.positive = Self.buckets(positive)
        fine.negative = Self.buckets(negative)
        var histogram = fine.coarsened(to: target)
        histogram.zeroThreshold = zeroThreshold
        histogram.zeroCount = zero
        let coarse = (histogram.positive, histogram.negative)
        histogram.positive = keeping(coarse.0, of: &histogram)
        histogram.negative = keeping(coarse.1, of: &histogram)
        histogram.count =
            ([histogram.zeroCount] + histogram.positive.counts + histogram.negative.counts)
            .reduce(0, +)
        histogram.sum = sum
        return histogram.stored
    }

    private static func buckets(_ counts: [Int32: Double]) -> FloatHistogram.Buckets {
        var buckets = FloatHistogram.Buckets()
        for (index, count) in counts.sorted(by: { $0.key < $1.key }) {
            buckets.append(index, count)
        }
        return buckets
    }

    /// The buckets outside the zero bucket; the others' counts go there.
    private func keeping(
        _ buckets: FloatHistogram.Buckets,
        of histogram: inout FloatHistogram
    ) -> FloatHistogram.Buckets {
        var kept = FloatHistogram.Buckets()
        for (index, count) in zip(buckets.indexes, buckets.counts) {
            // Bounds are powers of two: their exponents tell it exactly.
            let upper = Double(index) * exp2(-Double(histogram.schema))
            if histogram.zeroThreshold > 0, upper <= log2(histogram.zeroThreshold) {
                histogram.zeroCount += count
            } else {
                kept.append(index, count)
            }
        }
        return kept
    }
}
