/// Quantiles by linear interpolation between order statistics.
package enum Quantile {
    /// Takes the `phi`-quantile of `numbers`, NaN counting as the smallest, and leaves them in another
    /// order: infinities for a `phi` outside 0…1, NaN for none.
    package static func of(_ numbers: inout [Double], _ phi: Double) -> Double {
        guard !numbers.isEmpty, !phi.isNaN else { return .nan }
        if phi < 0 { return -.infinity }
        if phi > 1 { return .infinity }
        let rank = phi * Double(numbers.count - 1)
        let lower = max(0, Int(rank.rounded(.down)))
        let weight = rank - rank.rounded(.down)
        var start = 0
        for index in numbers.indices where numbers[index].isNaN {
            numbers.swapAt(index, start)
            start += 1
        }
        if lower >= start { select(&numbers, start, lower) }
        let value = numbers[lower]
        var next = value
        if lower + 1 < start {
            next = numbers[lower + 1]
        } else if lower + 1 < numbers.count {
            next = .infinity
            for index in (lower + 1)..<numbers.count { next = min(next, numbers[index]) }
        }
        return value * (1 - weight) + next * weight
    }

    /// Puts the number that would stand at `wanted`, were they sorted from `start` on, in its place.
    ///
    /// Smaller ones are before it then, larger ones behind. None is NaN.
    private static func select(_ numbers: inout [Double], _ start: Int, _ wanted: Int) {
        var low = start
        var high = numbers.count - 1
        // Past this many turns the input is made to be slow: what is left is sorted.
        var turns = 2 * (Int.bitWidth - (high - low).leadingZeroBitCount)
        while low < high {
            guard turns > 0 else {
                numbers[low...high].sort()
                return
            }
            turns -= 1
            // The median of three keeps sorted input from being the worst case.
            let middle = low + (high - low) / 2
            if numbers[middle] < numbers[low] { numbers.swapAt(middle, low) }
            if numbers[high] < numbers[low] { numbers.swapAt(high, low) }
            if numbers[high] < numbers[middle] { numbers.swapAt(high, middle) }
            let pivot = numbers[middle]
            var left = low
            var right = high
            while left <= right {
                while numbers[left] < pivot { left += 1 }
                while numbers[right] > pivot { right -= 1 }
                if left <= right {
                    numbers.swapAt(left, right)
                    left += 1
                    right -= 1
                }
            }
            if wanted <= right {
                high = right
            } else if wanted >= left {
                low = left
            } else {
                return
            }
        }
    }
}
