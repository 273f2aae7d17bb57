package import WeirCore
package import WeirTestSupport

/// What a source of observations has counted so far.
package struct ObservationCounts {
    let hasNegative: Bool
    private var positive: [Int: Double] = [:]
    private var negative: [Int: Double] = [:]
    private var zero = 0.0
    private var sum = 0.0

    /// Each side has a populated bucket from the start: Prometheus takes what is around zero to be
    /// on one side only if the whole chunk that holds a sample has no bucket of the other side.
    package init(hasNegative: Bool) {
        self.hasNegative = hasNegative
        positive = [3: 1]
        if hasNegative { negative = [2: 1] }
    }

    package mutating func clear() { self = ObservationCounts(hasNegative: hasNegative) }

    package mutating func add(
        _ weight: Double,
        place: Int,
        _ random: inout SplitMix64
    ) {
        switch random.next() % (hasNegative ? 4 : 8) {
        case 0: zero += weight
        case 1 where hasNegative: negative[place, default: 0] += weight
        default: positive[place, default: 0] += weight
        }
        sum += weight * Double(Int(random.next() % 64) - (hasNegative ? 16 : 0)) / 16
    }

    package func fill(_ histogram: inout NativeHistogram) {
        // Buckets that a finer schema or a narrower zero bucket has are no business of counts.
        histogram.positive = Self.side(positive)
        histogram.negative = Self.side(negative)
        histogram.zeroCount = zero
        histogram.sum = sum
        histogram.count =
            zero + histogram.positive.counts.reduce(0, +) + histogram.negative.counts.reduce(0, +)
    }

    private static func side(_ counts: [Int: Double]) -> NativeHistogram.Side {
        var side = NativeHistogram.Side()
        var next: Int?
        for (index, count) in counts.sorted(by: { $0.key < $1.key }) {
            if let next, next == index {
                side.spans[side.spans.count - 1].length += 1
            } else {
                side.spans.append(.init(offset: Int32(index - (next ?? 0)), length: 1))
            }
            next = index + 1
            side.counts.append(count)
        }
        return side
    }
}
