internal import Synchronization
package import WeirCore
internal import WeirSystem

/// How a store is doing.
///
/// Sizes are bytes.
package struct StoreStatus: Sendable {
    package struct SignalStatus: Sendable {
        package let tenant: String
        package let signal: Signal
        package var segments = 0
        package var segmentRows = 0
        package var segmentBytes = 0
        package var memoryRows = 0
        package var memoryBytes = 0
        package var activeStreams = 0
        package var days = 0
    }

    package struct Quarantined: Sendable {
        package let path: String
        package let reason: String
        package let rows: Int
    }

    package let signals: [SignalStatus]
    package let quarantined: [Quarantined]
    package let memoryBytes: Int
    package let memoryBytesMax: Int
    package let journalBytes: Int
    /// Rows that are durable in the journal but not yet in a segment.
    package let journalLagRows: Int
    package let lastSequence: UInt64
    package let isDiskFull: Bool
    package let isMerging: Bool
    package let diskFreeBytes: Int
    package let streamsMax: Int
}

extension Store {
    /// The last batch that a reader sees who selects now.
    package var visibleSequence: UInt64 { state.withLock { $0.lastSequence } }

    /// The streams of a signal that were written lately.
    package func activeStreams(tenant: String = "default", signal: Signal) -> ActiveStreams {
        registry(tenant: tenant, signal: signal).active
    }

    /// The first and last time of the metrics that are kept, in nanoseconds; nil when there are none.
    package func metricTimes(tenant: String = "default") -> ClosedRange<Int64>? {
        let buckets = state.withLock { state in
            state.buckets.filter { $0.key.tenant == tenant && $0.key.signal == .metrics }
        }
        var ranges: [ClosedRange<Int64>] = []
        for bucket in buckets.values {
            ranges += bucket.segments.map(\.record.times) + bucket.parts.map(\.timeRange)
            for batch in bucket.active where batch.rowCount > 0 { ranges.append(batch.timeRange) }
        }
        guard let first = ranges.lazy.map(\.lowerBound).min(),
            let last = ranges.lazy.map(\.upperBound).max()
        else { return nil }
        return first...last
    }

    package func status() -> StoreStatus {
        let snapshot = state.withLock { $0 }
        var bySignal: [RegistryKey: StoreStatus.SignalStatus] = [:]
        for (key, bucket) in snapshot.buckets {
            let place = RegistryKey(tenant: key.tenant, signal: key.signal)
            var status =
                bySignal[place]
                ?? StoreStatus.SignalStatus(tenant: key.tenant, signal: key.signal)
            status.days += 1
            status.segments += bucket.segments.count
            status.segmentRows += bucket.segments.reduce(0) { $0 + $1.record.rowCount }
            status.segmentBytes += bucket.segments.reduce(0) { $0 + $1.record.byteCount }
            status.memoryRows += bucket.memoryRowCount
            status.memoryBytes += bucket.memoryByteCount
            bySignal[place] = status
        }
        for (place, registry) in registries.withLock({ $0 }) {
            var status =
                bySignal[place]
                ?? StoreStatus.SignalStatus(tenant: place.tenant, signal: place.signal)
            status.activeStreams = registry.activeCount
            bySignal[place] = status
        }
        let signals = bySignal.values.sorted {
            ($0.tenant, $0.signal.rawValue) < ($1.tenant, $1.signal.rawValue)
        }
        return StoreStatus(
            signals: signals,
            quarantined: snapshot.quarantined.map {
                StoreStatus.Quarantined(path: $0.path, reason: $0.reason, rows: $0.rowCount)
            },
            memoryBytes: snapshot.memoryByteCount,
            memoryBytesMax: options.memoryBytesMax,
            journalBytes: journalByteCount(),
            journalLagRows: signals.reduce(0) { $0 + $1.memoryRows },
            lastSequence: snapshot.lastSequence,
            isDiskFull: snapshot.isDiskFull,
            isMerging: snapshot.isMerging,
            diskFreeBytes: (try? fileSystem.space(at: options.directory))?.free ?? 0,
            streamsMax: options.streamsMax
        )
    }

    private func journalByteCount() -> Int {
        let directory = path("journal")
        var total = 0
        for name in (try? fileSystem.list(directory)) ?? [] {
            if let file = try? fileSystem.openForReading("\(directory)/\(name)") {
                total += (try? file.size()) ?? 0
            }
        }
        return total
    }
}
