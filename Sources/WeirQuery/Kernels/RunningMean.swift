internal import WeirColumns

/// A mean that does not overflow where the sum would.
package struct RunningMean {
    private var total = CompensatedSum()
    private var count: Double = 0
    private var isIncremental = false

    package init() {}

    package mutating func add(_ value: Double) {
        count += 1
        if !isIncremental {
            var next = total
            next.add(value)
            if count == 1 || !next.sum.isInfinite {
                total = next
                return
            }
            isIncremental = true
            total.sum /= count - 1
            total.compensation /= count - 1
        }
        if total.sum.isInfinite {
            // An infinite mean stays what it is, but for the opposite infinity or NaN.
            if value.isInfinite, (total.sum > 0) == (value > 0) { return }
            if value.isFinite { return }
        }
        total.add(value / count - (total.sum + total.compensation) / count)
    }

    package var value: Double {
        if isIncremental { return total.sum + total.compensation }
        return total.sum / count + total.compensation / count
    }
}
