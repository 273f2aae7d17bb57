package import WeirCore

/// How a store behaves.
///
/// Sizes are bytes, times are nanoseconds.
package struct StoreOptions: Hashable, Sendable {
    /// The folder everything is kept in.
    package var directory: String
    /// When acknowledged batches are forced to the disk.
    package var sync: SyncMode = .always
    /// Rows in memory may take this much before writes are refused; half of it starts a flush.
    package var memoryBytesMax = 96 << 20
    /// Rows wait in memory at most this long.
    package var flushInterval: Int64 = 10 * 60 * 1_000_000_000
    /// Active streams per tenant and signal.
    package var streamsMax = 2_000_000
    /// Rows older than this are deleted, a whole day at a time; nil keeps them.
    package var retentionAge: Int64?
    /// A day of metrics gets rollups when it has been over for this long; nil: none does.
    package var rollupAfter: Int64? = 24 * 3600 * 1_000_000_000
    /// How long rollups are kept; those that are not named go with the metrics they are of.
    package var rollupRetention: [RollupResolution: RollupRetention] = [:]
    /// The oldest days go when the segments take more than this.
    package var retentionBytes: Int?
    /// The oldest days go when the disk has less than this free.
    package var diskFreeBytesMin = 512 << 20
    /// How long batch ids are remembered.
    package var batchMemory: Int64 = 24 * 3600 * 1_000_000_000
    /// A stream that was not written for this long is no longer active.
    package var streamIdle: Int64 = 3600 * 1_000_000_000
    /// Threads that work for queries, besides the one that asks.
    package var scanThreadCount = 1

    package init(directory: String) { self.directory = directory }
}

/// When an acknowledged batch is on stable storage.
package enum SyncMode: Hashable, Sendable {
    /// Before it is acknowledged.
    case always
    /// At most this many nanoseconds after.
    case interval(Int64)
}

/// How long the rollups of a resolution are kept.
package enum RollupRetention: Hashable, Sendable {
    /// As long as the samples they are of.
    case asSamples
    case forever
    /// Days older than this many nanoseconds are deleted.
    case age(Int64)
}
