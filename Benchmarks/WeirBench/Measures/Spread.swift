/// Measured values, in order.
struct Spread: Sendable {
    private let sorted: [Double]

    init(_ values: [Double]) { sorted = values.sorted() }

    var median: Double { quantile(0.5) }
    var max: Double { sorted.last ?? 0 }
    var min: Double { sorted.first ?? 0 }

    /// The value at or below which `share` of all lie (nearest rank); 0 when there are none.
    func quantile(_ share: Double) -> Double {
        guard !sorted.isEmpty else { return 0 }
        let rank = Int((share * Double(sorted.count)).rounded(.up)) - 1
        return sorted[Swift.max(0, Swift.min(sorted.count - 1, rank))]
    }
}
