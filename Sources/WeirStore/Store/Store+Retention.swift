internal import Synchronization
internal import WeirCore
internal import WeirSystem

extension Store {
    /// Deletes whole days: those past the age limit of their signal, then the oldest ones while segments
    /// take too much room or the disk has too little.
    ///
    /// The newest day is never deleted for room, and rollups that may outlive their samples are last.
    func enforceRetention() {
        let now = clock.nowNanoseconds()
        for key in bucketKeys() where isExpired(key, at: now) {
            expire(key, reason: "older than the retention age")
        }
        if let limit = options.retentionBytes {
            while segmentByteCount() > limit, expireOldest(reason: "over the retention size") {}
        }
        while let free = freeBytes(), free < options.diskFreeBytesMin,
            expireOldest(reason: "the disk is nearly full")
        {
            // Where a snapshot or a reader holds on to the files, more of it would not help either.
            guard let left = freeBytes(), left > free else {
                log("the disk is nearly full, and deleting a day made no room")
                break
            }
        }
    }

    private func freeBytes() -> Int? {
        (try? fileSystem.space(at: options.directory)).map { Int($0.free) }
    }

    /// Whether a day is older than it may be.
    func isExpired(_ key: BucketKey, at now: Int64) -> Bool {
        let age: Int64? =
            switch retention(of: key.signal) {
            case .asSamples: options.retentionAge
            case .forever: nil
            case .age(let age): age
            }
        return age.map { key.end <= now &- $0 } ?? false
    }

    private func retention(of signal: Signal) -> RollupRetention {
        signal.resolution.flatMap { options.rollupRetention[$0] } ?? .asSamples
    }

    /// Of days with segments, the first to go first.
    private func bucketKeys() -> [BucketKey] {
        let keys = state.withLock { state in
            state.buckets.filter { !$0.value.segments.isEmpty }.map(\.key)
        }
        let outlives = { (key: BucketKey) in self.retention(of: key.signal) != .asSamples }
        // Of one day the samples come first: their rollups go with them.
        func isBefore(_ left: BucketKey, _ right: BucketKey) -> Bool {
            (left.day, left.signal.rawValue) < (right.day, right.signal.rawValue)
        }
        return keys.filter { !outlives($0) }.sorted(by: isBefore)
            + keys.filter(outlives).sorted(by: isBefore)
    }

    private func segmentByteCount() -> Int {
        state.withLock { state in
            state.buckets.values.reduce(0) { total, bucket in
                total + bucket.segments.reduce(0) { $0 + $1.record.byteCount }
            }
        }
    }

    private func expireOldest(reason: String) -> Bool {
        let keys = bucketKeys()
        guard let newest = keys.map(\.day).max(),
            let oldest = keys.first(where: { $0.day < newest })
        else { return false }
        return expire(oldest, reason: reason)
    }

    @discardableResult
    private func expire(_ key: BucketKey, reason: String) -> Bool {
        publishing.withLock { _ in
            let records = state.withLock { state in
                let own = state.buckets[key]?.segments.map(\.record) ?? []
                let going = RollupResolution.allCases.filter {
                    retention(of: $0.signal) == .asSamples
                }
                return own + state.rollups(of: own, going)
            }
            do throws(SQLiteError) {
                try catalog.publish(adding: [], retiring: records)
            } catch {
                log("catalog: \(error)")
                return false
            }
            state.withLock { $0.removeRows(records) }
            for record in records { try? fileSystem.removeFile(path(record.path)) }
            counters.expiredSegments.add(records.count)
            log("deleted \(key.path): \(reason)")
            return true
        }
    }
}
