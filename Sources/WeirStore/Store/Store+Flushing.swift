internal import Synchronization
internal import WeirColumns
internal import WeirCore
internal import WeirSystem

extension Store {
    /// How often the flush thread looks at the clock.
    private static let tickNanoseconds: Int64 = 1_000_000_000
    /// How often retention is enforced.
    private static let retentionNanoseconds: Int64 = 30_000_000_000

    /// Moves all rows in memory into segments, and returns when they are on disk.
    package func flush() throws(StoreError) {
        try Self.waitForRound(of: flushes)
    }

    static func waitForRound(of queue: Monitor<WorkQueue>) throws(StoreError) {
        let outcome = Monitor<Result<Void, StoreError>?>(nil)
        let isTaken = queue.update { queue in
            guard !queue.isStopping else { return false }
            queue.requests.append { result in outcome.update { $0 = result } }
            return true
        }
        guard isTaken, let result = outcome.wait(until: { $0 }) else { throw .stopping }
        try result.get()
    }

    func runFlushes() {
        var orders: [RegistryKey: StreamOrder] = [:]
        let encoder = PageEncoder(effort: .fast)
        let packer = FieldBlockPacker(encoder: encoder)
        var retentionAt = Stopwatch.monotonicNanoseconds()
        while true {
            let work: WorkQueue =
                flushes.wait(timeoutNanoseconds: Self.tickNanoseconds) { queue in
                    let isIdle =
                        queue.requests.isEmpty && !queue.isFlushDue && !queue.isSortDue
                        && !queue.isStopping
                    if isIdle { return nil }
                    let work = queue
                    queue.requests = []
                    queue.isFlushDue = false
                    queue.isSortDue = false
                    return work
                } ?? WorkQueue()
            if work.isSortDue { sortActiveRows(onlyDue: true, through: .max, &orders, packer) }
            let isFlushDue = work.isFlushDue && isMemoryHalfFull()
            if isFlushDue || !work.requests.isEmpty || isFlushOverdue() {
                let result = flushRound(&orders, encoder: encoder, packer: packer)
                for request in work.requests { request(result) }
                merges.update { $0.isFlushDue = true }
                Allocator.trim()
            }
            if Stopwatch.monotonicNanoseconds() >= retentionAt {
                enforceRetention()
                retentionAt = Stopwatch.monotonicNanoseconds() + Self.retentionNanoseconds
            }
            if work.isStopping { return }
        }
    }

    /// Asked again when the flush begins: the one before may have made room since it was due.
    private func isMemoryHalfFull() -> Bool {
        state.withLock { $0.memoryByteCount } >= options.memoryBytesMax / 2
    }

    private func isFlushOverdue() -> Bool {
        guard let oldest = state.withLock({ $0.oldestRowAt }) else { return false }
        return clock.nowNanoseconds() - oldest >= options.flushInterval
    }

    /// Sorts or encodes the unsorted rows of all buckets, or of those for which it is due; those of
    /// batches after `sequence` stay as they are, so that no part straddles a checkpoint.
    private func sortActiveRows(
        onlyDue: Bool,
        through sequence: UInt64,
        _ orders: inout [RegistryKey: StreamOrder],
        _ packer: FieldBlockPacker
    ) {
        let keys = state.withLock { state in
            state.buckets.filter { key, bucket in
                bucket.activeRowCount > 0
                    && (!onlyDue || bucket.isSortDue(hasFields: key.signal.schema.hasFields))
            }.map(\.key)
        }
        for key in keys {
            let registryKey = RegistryKey(tenant: key.tenant, signal: key.signal)
            var order = orders.removeValue(forKey: registryKey) ?? StreamOrder()
            // The rows first, the order after: it then knows every stream they name.
            let active = state.withLock { $0.buckets[key]?.active ?? [] }
            let batches = Array(active.prefix { $0.sequence <= sequence })
            order.update(from: registry(tenant: key.tenant, signal: key.signal))
            let schema = key.signal.schema
            let part =
                schema.hasFields ? nil : MemoryPart(batches, order: order, schema: schema)
            let fieldParts =
                schema.hasFields
                ? Self.pieces(of: batches).compactMap {
                    FieldPart(Array($0), order: order, schema: schema, packer: packer)
                } : []
            orders[registryKey] = order
            state.withLock { state in
                guard var bucket = state.buckets.removeValue(forKey: key) else { return }
                for batch in bucket.active[..<batches.count] {
                    state.memoryByteCount -= batch.byteCount
                    bucket.activeByteCount -= batch.byteCount
                    bucket.activeRowCount -= batch.rowCount
                }
                bucket.active.removeFirst(batches.count)
                if let part {
                    bucket.parts.append(part)
                    state.memoryByteCount += part.byteCount
                }
                bucket.fieldParts += fieldParts
                for part in fieldParts { state.memoryByteCount += part.byteCount }
                state.buckets[key] = bucket
            }
            if schema.hasFields, !schema.isOrderedByTrace { Allocator.trim() }
        }
    }

    /// Batches that are encoded together: a field's values lie end to end then, and a column holds
    /// at most 4 GiB.
    private static func pieces(of batches: [ResolvedBatch]) -> [ArraySlice<ResolvedBatch>] {
        var pieces: [ArraySlice<ResolvedBatch>] = []
        var start = 0
        var byteCount = 0
        for (index, batch) in batches.enumerated() {
            if index > start, byteCount + batch.byteCount > pieceBytesMax {
                pieces.append(batches[start..<index])
                start = index
                byteCount = 0
            }
            byteCount += batch.byteCount
        }
        pieces.append(batches[start...])
        return pieces
    }

    private static let pieceBytesMax = 1 << 30

    /// One checkpoint: everything journaled so far goes into segments, and the journal is cut.
    private func flushRound(
        _ orders: inout [RegistryKey: StreamOrder],
        encoder: PageEncoder,
        packer: FieldBlockPacker
    ) -> Result<Void, StoreError> {
        let outcome = Monitor<Result<UInt64, StoreError>?>(nil)
        let isTaken = commits.update { queue in
            guard !queue.isStopped, !queue.isPoisoned else { return false }
            queue.jobs.append(.rotate { result in outcome.update { $0 = result } })
            return true
        }
        guard isTaken, let rotated = outcome.wait(until: { $0 }) else { return .failure(.stopping) }
        let sequence: UInt64
        switch rotated {
        case .failure(let error): return .failure(error)
        case .success(let last): sequence = last
        }
        sortActiveRows(onlyDue: false, through: sequence, &orders, packer)
        do throws(StoreError) {
            try publishParts(through: sequence, encoder: encoder)
        } catch {
            noteFailedWrite(error)
            return .failure(error)
        }
        commits.update { $0.jobs.append(.removeFiles(through: sequence)) }
        counters.flushes.add(1)
        forgetIdleStreams()
        return .success(())
    }

    /// Says once that the disk is full; a failed sync ends the process.
    func noteFailedWrite(_ error: StoreError) {
        switch error {
        case .file(let error) where error.operation == .sync: fail(error)
        case .diskFull(let error):
            let wasFull = state.withLock { state in
                let wasFull = state.isDiskFull
                state.isDiskFull = true
                return wasFull
            }
            if !wasFull { log("disk full: rows stay in memory until there is room: \(error)") }
        default: log("flush: \(error)")
        }
    }

    private func forgetIdleStreams() {
        let isEmpty = state.withLock { $0.memoryByteCount == 0 }
        guard isEmpty else { return }
        let oldest = clock.nowNanoseconds() - options.streamIdle
        for registry in registries.withLock({ Array($0.values) }) {
            registry.sweep(notWrittenSince: oldest)
        }
    }

    /// The parts of one bucket that a flush moves to disk.
    private struct BucketParts {
        let key: BucketKey
        let parts: [MemoryPart]
        let fieldParts: [FieldPart]

        var firstSequence: UInt64 {
            min(
                parts.first?.sequences.lowerBound ?? .max,
                fieldParts.first?.sequences.lowerBound ?? .max
            )
        }

        var byteCount: Int {
            parts.reduce(0) { $0 + $1.byteCount } + fieldParts.reduce(0) { $0 + $1.byteCount }
        }
    }

    /// Writes the sorted rows of every bucket up to `sequence` as one segment each, and publishes
    /// them together with the checkpoint.
    private func publishParts(through sequence: UInt64, encoder: PageEncoder) throws(StoreError) {
        let work = state.withLock { state in
            state.buckets.compactMap { key, bucket -> BucketParts? in
                let parts = BucketParts(
                    key: key,
                    parts: bucket.parts.filter { $0.sequences.upperBound <= sequence },
                    fieldParts: bucket.fieldParts.filter { $0.sequences.upperBound <= sequence }
                )
                return parts.parts.isEmpty && parts.fieldParts.isEmpty ? nil : parts
            }
        }
        var added: [LiveSegment] = []
        do throws(StoreError) {
            for bucket in work {
                let segment = try writeSegment(
                    bucket.key.signal.schema.hasFields
                        ? .fields(bucket.fieldParts.map(FieldSource.init))
                        : .runs(bucket.parts.map(MemoryPartCursor.init)),
                    bucket: bucket.key,
                    sequences: bucket.firstSequence...sequence,
                    encoder: encoder
                )
                if let segment { added.append(segment) }
            }
            try publish(adding: added, sequence: sequence, parts: work)
        } catch {
            for segment in added { try? fileSystem.removeFile(segment.reader.path) }
            throw error
        }
    }

    private func publish(
        adding added: [LiveSegment],
        sequence: UInt64,
        parts: [BucketParts]
    ) throws(StoreError) {
        let batches = seenBatches.withLock { $0.toPublish(through: sequence) }
        try publishing.withLock { _ throws(StoreError) in
            do throws(SQLiteError) {
                try catalog.publish(
                    adding: added.map(\.record),
                    retiring: [],
                    checkpoint: sequence,
                    batches: batches
                )
            } catch {
                throw .catalog(error)
            }
            state.withLock { state in
                for bucket in parts {
                    let done = Set(
                        bucket.parts.map { ObjectIdentifier($0) }
                            + bucket.fieldParts.map { ObjectIdentifier($0) }
                    )
                    state.buckets[bucket.key]?.parts.removeAll {
                        done.contains(ObjectIdentifier($0))
                    }
                    state.buckets[bucket.key]?.fieldParts.removeAll {
                        done.contains(ObjectIdentifier($0))
                    }
                    state.memoryByteCount -= bucket.byteCount
                }
                for segment in added { state.insert(segment) }
                state.oldestRowAt = state.memoryByteCount > 0 ? clock.nowNanoseconds() : nil
                state.isDiskFull = false
            }
        }
        let oldest = clock.nowNanoseconds() - options.batchMemory
        seenBatches.withLock { $0.published(through: sequence, forgettingBefore: oldest) }
    }
}
