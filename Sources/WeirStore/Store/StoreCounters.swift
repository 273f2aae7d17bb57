package import Synchronization

/// Totals since the start, for the store's own telemetry.
package final class StoreCounters: Sendable {
    package let rows = Atomic<Int>(0)
    package let batches = Atomic<Int>(0)
    package let refusedBatches = Atomic<Int>(0)
    package let syncs = Atomic<Int>(0)
    package let journalBytes = Atomic<Int>(0)
    package let flushes = Atomic<Int>(0)
    package let merges = Atomic<Int>(0)
    package let mergedRows = Atomic<Int>(0)
    package let segmentBytesWritten = Atomic<Int>(0)
    package let expiredSegments = Atomic<Int>(0)
}

/// What waits for the flush or the merge thread.
struct WorkQueue {
    /// Callers that wait for a round of work to end.
    var requests: [@Sendable (Result<Void, StoreError>) -> Void] = []
    var isFlushDue = false
    var isSortDue = false
    var isStopping = false
}
