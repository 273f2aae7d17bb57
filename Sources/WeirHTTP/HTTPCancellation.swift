internal import Synchronization

/// Lets another thread end a request of an `HTTPClient`.
package final class HTTPCancellation: Sendable {
    private let isCancelledFlag = Atomic<Bool>(false)

    package init() {}

    /// Ends the request within about a second, or at its next byte.
    package func cancel() { isCancelledFlag.store(true, ordering: .relaxed) }

    package var isCancelled: Bool { isCancelledFlag.load(ordering: .relaxed) }
}
