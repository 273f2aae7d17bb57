/// A sum that carries its own rounding error: Kahan's, with Neumaier's improvement.
@usableFromInline
package struct CompensatedSum: Sendable {
    @usableFromInline package var sum: Double
    @usableFromInline package var compensation: Double

    @inlinable @inline(__always)
    package init(sum: Double = 0, compensation: Double = 0) {
        self.sum = sum
        self.compensation = compensation
    }

    @inlinable @inline(__always)
    package mutating func add(_ term: Double) {
        let total = sum + term
        if total.isInfinite {
            compensation = 0
        } else if sum.magnitude >= term.magnitude {
            compensation += (sum - total) + term
        } else {
            compensation += (term - total) + sum
        }
        sum = total
    }

    @inlinable @inline(__always)
    package var value: Double { sum.isInfinite ? sum : sum + compensation }

    /// The sum of `values[range]`, eight lanes at a time; each lane adds without loss (Knuth's
    /// two-sum), so the result is at least as good as one Kahan sum over all.
    ///
    /// A sum that is not finite is taken again one by one, where infinities are told apart.
    @inlinable @inline(__always)
    package static func of(_ values: Span<Double>, _ range: Range<Int>) -> CompensatedSum {
        precondition(range.lowerBound >= 0 && range.upperBound <= values.count)
        var index = range.lowerBound
        var total = CompensatedSum()
        if range.count >= 16 {
            var sums = SIMD8<Double>(repeating: 0)
            var errors = SIMD8<Double>(repeating: 0)
            let bytes = unsafe values.bytes
            let last = range.upperBound - 8
            while index <= last {
                // SAFETY: `index + 8` does not pass `range.upperBound`, which was checked.
                let terms = unsafe bytes.unsafeLoadUnaligned(
                    fromUncheckedByteOffset: index &* 8,
                    as: SIMD8<Double>.self
                )
                let next = sums + terms
                let taken = next - sums
                errors += (sums - (next - taken)) + (terms - taken)
                sums = next
                index &+= 8
            }
            for lane in 0..<8 { total.add(sums[lane]) }
            for lane in 0..<8 { total.compensation += errors[lane] }
        }
        while index < range.upperBound {
            // SAFETY: `index` is inside `range`, which was checked.
            total.add(unsafe values[unchecked: index])
            index &+= 1
        }
        if (total.sum + total.compensation).isFinite { return total }
        total = CompensatedSum()
        for index in range { total.add(values[index]) }
        return total
    }
}
