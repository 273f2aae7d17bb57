internal import WeirCore

/// Durations of flags and scripts, in milliseconds.
package enum DurationText {
    /// Reads `1h30m`; nil when it is none, or shorter than a millisecond.
    package static func milliseconds(_ text: String) -> Int64? {
        guard let nanoseconds = Units.nanoseconds(text), nanoseconds >= 1_000_000 else {
            return nil
        }
        return nanoseconds / 1_000_000
    }
}
