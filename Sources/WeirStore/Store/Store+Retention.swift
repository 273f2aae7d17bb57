internal import Synchronization
internal import WeirCore
internal import WeirSystem

extension Store {
    /// Deletes whole days: those past the age limit, then the oldest ones while segments take too
    /// much room or the disk has too little.
    ///
    /// The newest day is never deleted for room.
    func enforceRetention() {
        if let age = options.retentionAge {
            let oldest = clock.nowNanoseconds() - age
            for key in bucketKeys()
            where key.end <= oldest {
                expire(key, reason: "older than the retention age")
            }
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

    private func bucketKeys() -> [BucketKey] {
        state.withLock { state in
            state.buckets.filter { !$0.value.segments.isEmpty }.map(\.key)
        }.sorted { $0.day < $1.day }
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
        guard let oldest = keys.first, let newest = keys.last, oldest.day < newest.day else {
            return false
        }
        return expire(oldest, reason: reason)
    }

    @discardableResult
    private func expire(_ key: BucketKey, reason: String) -> Bool {
        publishing.withLock { _ in
            let records = state.withLock { $0.buckets[key]?.segments.map(\.record) ?? [] }
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
