package import WeirSystem

/// Totals since the start, for the store's own telemetry.
package final class StoreCounters: Sendable {
    package let rows = Counter()
    package let batches = Counter()
    package let refusedBatches = Counter()
    package let syncs = Counter()
    package let journalBytes = Counter()
    package let flushes = Counter()
    package let merges = Counter()
    package let mergedRows = Counter()
    /// Days of metrics that rollups were made of, and their rows.
    package let rolledUpDays = Counter()
    package let rolledUpRows = Counter()
    package let segmentBytesWritten = Counter()
    package let expiredSegments = Counter()
    package let erasedRows = Counter()
}

/// What waits for the flush or the merge thread.
struct WorkQueue {
    /// Callers that wait for a round of work to end.
    var requests: [@Sendable (Result<Void, StoreError>) -> Void] = []
    /// What is to be erased; of the merge thread only.
    var erasures: [ErasureRequest] = []
    var isFlushDue = false
    var isSortDue = false
    var isStopping = false
}
