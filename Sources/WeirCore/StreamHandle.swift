import Synchronization

/// What a sender's part of the server remembers of a stream: the number a store gave it the last time.
///
/// A hint only: the store looks whether the number is still that stream's. One handle is for one
/// tenant and signal.
package final class StreamHandle: Sendable {
    private let value = Atomic<UInt64>(.max)

    package init() {}

    /// The store's number, once there is one.
    package var reference: UInt32? {
        get { UInt32(exactly: value.load(ordering: .relaxed)) }
        set { value.store(newValue.map(UInt64.init) ?? .max, ordering: .relaxed) }
    }
}
