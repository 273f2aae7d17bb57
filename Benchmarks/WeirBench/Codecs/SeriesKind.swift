import Glibc

/// Six kinds of series that codecs are measured on.
enum SeriesKind: String, CaseIterable {
    /// A temperature with one decimal that seldom moves.
    case steadyGauge = "steady gauge"
    /// A percentage with two decimals that never rests.
    case noisyGauge = "noisy gauge"
    /// A whole number that moves by normally distributed steps.
    case integerWalk = "integer walk"
    /// Requests since a start, some 50 a sample; it begins anew about every 2,000 samples.
    case counterWithResets = "counter with resets"
    /// A quotient of two measurements: every bit of it counts.
    case fullMantissa = "full-mantissa float"
    /// Zero, but for a burst of a few samples now and then.
    case sparse

    /// One seeded series.
    func values(count: Int, _ numbers: inout SeededNumbers) -> [Double] {
        var level = 20 + numbers.uniform() * 60
        var whole = Double(numbers.index(below: 100_000))
        var burst = 0
        var values: [Double] = []
        values.reserveCapacity(count)
        for _ in 0..<count {
            switch self {
            case .steadyGauge:
                if numbers.index(below: 20) == 0 { level += numbers.gaussian() * 0.2 }
                values.append((level * 10).rounded() / 10)
            case .noisyGauge:
                values.append(((level + numbers.gaussian() * 5) * 100).rounded() / 100)
            case .integerWalk:
                whole += numbers.gaussian().rounded()
                values.append(whole)
            case .counterWithResets:
                whole += max(0, (50 + 7 * numbers.gaussian()).rounded())
                if numbers.index(below: 2000) == 0 { whole = 0 }
                values.append(whole)
            case .fullMantissa:
                level = max(0.001, level + numbers.gaussian())
                values.append(level * (1 + 0.1 * numbers.gaussian()))
            case .sparse:
                if numbers.index(below: 200) == 0 { burst = 1 + numbers.index(below: 8) }
                burst = max(0, burst - 1)
                values.append(burst > 0 ? Double(1 + numbers.index(below: 500)) : 0)
            }
        }
        return values
    }
}
