import Synchronization

/// What a sender's part of the server remembers of one stream: the number a registry of streams gave it
/// the last time, and which registry that was.
///
/// A handle is for one label set of one tenant and signal. A registry takes its own numbers without
/// looking at the labels again.
package final class StreamHandle: Sendable {
    private let value = Atomic<UInt64>(.max)

    package init() {}

    /// The number that `registry` gave; nil before it gave one, and when another gave the last.
    package func reference(in registry: UInt32) -> UInt32? {
        let value = value.load(ordering: .relaxed)
        return value != .max && value >> 32 == UInt64(registry)
            ? UInt32(truncatingIfNeeded: value) : nil
    }

    /// Remembers the number that `registry` gave.
    package func setReference(_ reference: UInt32, in registry: UInt32) {
        value.store(UInt64(registry) << 32 | UInt64(reference), ordering: .relaxed)
    }
}
