/// Quantiles by linear interpolation between order statistics.
package enum Quantile {
    /// Sorts `numbers` (NaN first) and takes the `phi`-quantile: infinities for a `phi` outside
    /// 0…1, NaN for none.
    package static func of(_ numbers: inout [Double], _ phi: Double) -> Double {
        guard !numbers.isEmpty, !phi.isNaN else { return .nan }
        if phi < 0 { return -.infinity }
        if phi > 1 { return .infinity }
        numbers.sort { left, right in
            left.isNaN ? !right.isNaN : left < right
        }
        let rank = phi * Double(numbers.count - 1)
        let lower = max(0, Int(rank.rounded(.down)))
        let upper = min(numbers.count - 1, lower + 1)
        let weight = rank - rank.rounded(.down)
        return numbers[lower] * (1 - weight) + numbers[upper] * weight
    }
}
