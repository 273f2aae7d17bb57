internal import WeirCore

/// What a day has of metrics and of their rollups.
struct RollupDay: Sendable {
    /// Its metrics; nil when there are none.
    var metrics: Bucket?
    /// By resolution, where there is one.
    var rollups: [RollupResolution: LiveSegment] = [:]

    /// Whether a rollup stands for the whole day: it was made of all there is.
    func isCurrent(_ rollup: LiveSegment) -> Bool {
        guard let metrics, metrics.memoryRowCount == 0, metrics.segments.count == 1 else {
            return false
        }
        return metrics.segments[0].record.sequences == rollup.record.sequences
    }

    /// Whether the samples that a rollup was made of are no longer there.
    func isAlone(_ rollup: LiveSegment) -> Bool { isAlone(rollup.record) }

    func isAlone(_ rollup: SegmentRecord) -> Bool {
        guard let first = metrics?.segments.first else { return true }
        return first.record.sequences.lowerBound > rollup.sequences.lowerBound
    }

    /// The times of the rows of rollups whose samples are no longer there, nanoseconds.
    var aloneTimes: ClosedRange<Int64>? {
        let times = rollups.values.filter(isAlone).map(\.record.times)
        guard let first = times.map(\.lowerBound).min(), let last = times.map(\.upperBound).max()
        else { return nil }
        return first...last
    }

    /// The finest rollup whose samples are no longer there.
    var finestAlone: LiveSegment? {
        for resolution in RollupResolution.allCases {
            if let rollup = rollups[resolution], isAlone(rollup) { return rollup }
        }
        return nil
    }

    /// The one segment that some of `wanted` are due of: all of the day, and a rollup is not of it.
    func unrolled(_ wanted: [RollupResolution]) -> LiveSegment? {
        guard let metrics, metrics.memoryRowCount == 0, metrics.segments.count == 1 else {
            return nil
        }
        // One that stands alone knows of samples that the segment has not.
        if rollups.values.contains(where: isAlone) { return nil }
        for resolution in wanted {
            guard let rollup = rollups[resolution] else { return metrics.segments[0] }
            if !isCurrent(rollup) { return metrics.segments[0] }
        }
        return nil
    }
}

extension StoreState {
    /// The day of metrics that `key`, of metrics, names.
    func rollupDay(_ key: BucketKey) -> RollupDay {
        var day = RollupDay(metrics: buckets[key])
        for resolution in RollupResolution.allCases {
            day.rollups[resolution] = buckets[key.rollup(resolution)]?.segments.last
        }
        return day
    }

    /// The days of a tenant that have rollups, and metrics or not, and touch `times` (nanoseconds,
    /// inclusive), in order.
    func rollupDays(tenant: String, times: ClosedRange<Int64>) -> [RollupDay] {
        keys(tenant: tenant, times: times) { $0.resolution != nil }.map(rollupDay)
    }

    /// The days of a tenant that have metrics, rollups or both, and touch `times`, in order; none when
    /// no day has rollups.
    func metricDays(tenant: String, times: ClosedRange<Int64>) -> [RollupDay] {
        guard !keys(tenant: tenant, times: times, { $0.resolution != nil }).isEmpty else {
            return []
        }
        return keys(tenant: tenant, times: times) { $0 == .metrics || $0.resolution != nil }
            .map(rollupDay)
    }

    private func keys(
        tenant: String,
        times: ClosedRange<Int64>,
        _ isWanted: (Signal) -> Bool
    ) -> [BucketKey] {
        let days = BucketKey.day(of: times.lowerBound)...BucketKey.day(of: times.upperBound)
        let keys = buckets.keys.filter { key in
            isWanted(key.signal) && days.contains(key.day) && key.tenant == tenant
        }
        return Set(keys.map(\.metrics)).sorted { $0.day < $1.day }
    }

    /// The rollups of the days of metrics that some segments are of.
    func rollups(
        of records: [SegmentRecord],
        _ resolutions: [RollupResolution] = RollupResolution.allCases
    ) -> [SegmentRecord] {
        Set(records.map(\.bucket)).filter { $0.signal == .metrics }.flatMap { key in
            resolutions.flatMap { resolution in
                buckets[key.rollup(resolution)]?.segments.map(\.record) ?? []
            }
        }
    }
}

extension StoreState {
    /// Rollups that are set aside and were made of no more than a segment of metrics holds: those made of
    /// it stand for them.
    ///
    /// One that came back beside the other would count its rows twice.
    func setAsideRollups(
        of source: SegmentRecord,
        _ resolutions: [RollupResolution]
    ) -> [SegmentRecord] {
        let keys = resolutions.map { source.bucket.rollup($0) }
        return quarantined.filter { record in
            keys.contains(record.bucket)
                && source.sequences.contains(record.sequences.lowerBound)
                && source.sequences.contains(record.sequences.upperBound)
        }
    }

    /// Whether a rollup of the day that is set aside knows of samples that are no longer there.
    func missesRollup(_ key: BucketKey) -> Bool {
        let day = rollupDay(key)
        return quarantined.contains { record in
            record.bucket.signal.resolution != nil && record.bucket.metrics == key
                && day.isAlone(record)
        }
    }

    /// The rollups that go when some segments of metrics are written anew without all their rows: those
    /// that were made of them, and not those that stand for samples gone before.
    func rollupsMade(of records: [SegmentRecord]) -> [SegmentRecord] {
        rollups(of: records).filter { record in
            let day = rollupDay(record.bucket.metrics)
            return !day.rollups.values.contains {
                $0.record.name == record.name && day.isAlone($0)
            }
        }
    }
}

extension BucketKey {
    /// The same tenant's and day's bucket of a rollup.
    func rollup(_ resolution: RollupResolution) -> BucketKey {
        BucketKey(tenant: tenant, signal: resolution.signal, day: day)
    }

    /// The same tenant's and day's bucket of metrics.
    var metrics: BucketKey { BucketKey(tenant: tenant, signal: .metrics, day: day) }
}
