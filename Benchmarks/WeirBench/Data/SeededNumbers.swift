import Glibc

/// The bench's own randomness: SplitMix64, so that the same seed makes the same bytes everywhere.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64
    private var spare: Double?

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word &>> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word &>> 31)
    }

    /// Uniform in `0 ..< 1`.
    mutating func uniform() -> Double { Double(next() &>> 11) * 0x1p-53 }

    /// Uniform in `0 ..< count`.
    mutating func index(below count: Int) -> Int { Int(next() % UInt64(count)) }

    /// Mean 0, deviation 1 (Box and Muller, both numbers used).
    mutating func gaussian() -> Double {
        if let spare {
            self.spare = nil
            return spare
        }
        let radius = sqrt(-2 * log(1 - uniform()))
        let angle = 2 * Double.pi * uniform()
        spare = radius * sin(angle)
        return radius * cos(angle)
    }
}
