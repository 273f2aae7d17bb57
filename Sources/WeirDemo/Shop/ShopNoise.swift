internal import Glibc

/// Seeded noise: the same seed gives the same shop.
///
/// Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", 2014.
struct ShopNoise: Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// 64 even bits.
    mutating func bits() -> UInt64 { next() }

    /// One of `0..<bound`; `bound` is at least 1.
    mutating func below(_ bound: Int) -> Int { Int(next() >> 33) % bound }

    /// Evenly within 0..<1.
    mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// About normal, mean 0 and deviation 1: the sum of four even ones is near enough for charts.
    mutating func normal() -> Double {
        let sum = uniform() + uniform() + uniform() + uniform()
        return (sum - 2) * 1.7320508
    }
}

/// A value that wanders around 0 with deviation 1 and forgets slowly.
struct Wander: Sendable {
    private(set) var value = 0.0
    private let keep: Double
    private let step: Double

    /// - Parameter keep: How much of it is left one tick later, 0..<1.
    init(keep: Double) {
        self.keep = keep
        step = (1 - keep * keep).squareRoot()
    }

    mutating func advance(_ noise: inout ShopNoise) {
        value = value * keep + noise.normal() * step
    }
}
