internal import Synchronization
internal import WeirCore
internal import WeirSystem

/// The commit thread's own: the journal and the next batch's number.
struct CommitLog {
    let journal: Journal
    var nextSequence: UInt64
    /// When the oldest record that is not synced was written, on the monotonic clock.
    var unsyncedSince: Int64?
    var syncInterval: Int64 = 0
    var sharing = SyncSharing()
    /// The requests that the group being committed came from.
    var requestCount = 0
}

extension Store {
    /// Rows journaled in one group: enough to share a sync, few enough to bound memory.
    private static let groupRowsMax = 1_000_000

    func runCommits(_ initial: CommitLog) {
        var commitLog = initial
        while let jobs = nextJobs(&commitLog) {
            var group: [PendingBatch] = []
            commitLog.requestCount = jobs.count
            if !jobs.isEmpty, jobs.allSatisfy(\.isAppend) { waitForRoom(commitLog) }
            for job in jobs {
                switch job {
                case .append(let batches): group += batches
                case .rotate(let completion):
                    commit(group, &commitLog)
                    group = []
                    completion(rotate(&commitLog))
                case .removeFiles(let sequence, let completion):
                    do throws(FileError) {
                        try commitLog.journal.removeFiles(through: sequence)
                        completion?(.success(()))
                    } catch {
                        log("journal: \(error)")
                        completion?(.failure(error))
                    }
                }
            }
            commit(group, &commitLog)
            syncIfDue(&commitLog)
        }
        do throws(FileError) {
            try commitLog.journal.sync()
        } catch {
            fail(error)
        }
    }

    /// Waits for work, or until an unsynced record is due; nil when the store has stopped.
    private func nextJobs(_ commitLog: inout CommitLog) -> [CommitQueue.Job]? {
        let timeout = commitLog.unsyncedSince.map {
            max(0, $0 + commitLog.syncInterval - Stopwatch.monotonicNanoseconds())
        }
        let waitingCount = commits.wait(timeoutNanoseconds: timeout) { queue in
            queue.jobs.isEmpty && !queue.isStopped ? nil : queue.syncedCount
        }
        guard let waitingCount else { return [] }
        waitForCompany(waitingCount, &commitLog)
        return commits.read { queue in
            guard !queue.jobs.isEmpty else { return nil }
            var rowCount = 0
            var count = 0
            for job in queue.jobs {
                if case .append(let batches) = job {
                    rowCount += batches.reduce(0) { $0 + $1.times.count }
                }
                count += 1
                if rowCount >= Self.groupRowsMax { break }
            }
            let taken = Array(queue.jobs[..<count])
            queue.jobs.removeFirst(count)
            queue.rowCount -= rowCount
            return taken
        }
    }

    /// Waits a moment where more requests are about to come that would share a sync with these.
    private func waitForCompany(_ count: Int, _ commitLog: inout CommitLog) {
        let sharing = commitLog.sharing
        guard let patience = sharing.patience(for: count) else { return }
        let _: Void? = commits.wait(timeoutNanoseconds: patience) { queue in
            let isWhole = sharing.isWhole(queue.syncedCount) || queue.syncedCount == 0
            return isWhole || queue.isStopping || queue.isPoisoned ? () : nil
        }
        commitLog.sharing.waited(until: commits.read(\.syncedCount))
    }

    private func rotate(_ commitLog: inout CommitLog) -> Result<UInt64, StoreError> {
        do throws(FileError) {
            try commitLog.journal.rotate()
            commitLog.unsyncedSince = nil
            return .success(commitLog.nextSequence - 1)
        } catch {
            fail(error)
            return .failure(.file(error))
        }
    }

    /// Journals a group, syncs it if any of it asks for that, applies it and acknowledges it.
    private func commit(_ group: [PendingBatch], _ commitLog: inout CommitLog) {
        guard !group.isEmpty else { return }
        if commits.read({ $0.isPoisoned }) {
            for batch in group { batch.completion(.failure(.stopping)) }
            return
        }
        let now = clock.nowNanoseconds()
        var fresh: [(batch: PendingBatch, rows: ResolvedBatch, id: String?)] = []
        var duplicates: [PendingBatch] = []
        do throws(FileError) {
            try commitLog.journal.prepare(sequence: commitLog.nextSequence)
            var records: [UInt8] = []
            var sequence = commitLog.nextSequence
            var groupIDs: Set<String> = []
            for batch in group {
                var id: String?
                if !batch.batchID.isEmpty {
                    let key = SeenBatches.key(tenant: batch.tenant, id: batch.batchID)
                    let isSeen = seenBatches.withLock { $0.contains(key) }
                    guard !isSeen, groupIDs.insert(key).inserted else {
                        duplicates.append(batch)
                        continue
                    }
                    id = key
                }
                encode(batch, sequence: sequence, epoch: commitLog.journal.epoch, to: &records)
                let rows = ResolvedBatch(
                    sequence: sequence,
                    references: batch.references,
                    times: batch.times,
                    columns: batch.columns,
                    fields: batch.fields
                )
                fresh.append((batch, rows, id))
                sequence += 1
            }
            if !records.isEmpty {
                try commitLog.journal.append(records)
                counters.journalBytes.add(records.count)
            }
            try syncAsAsked(group, &commitLog)
            commitLog.nextSequence = sequence
        } catch {
            refuse(group, error)
            return
        }
        apply(fresh, now: now)
        for (batch, rows, _) in fresh {
            batch.completion(
                .success(
                    AppendOutcome(
                        rowCount: rows.rowCount,
                        isDuplicate: false,
                        isDurable: commitLog.unsyncedSince == nil,
                        refusal: batch.refusal,
                        sequence: rows.sequence
                    )
                )
            )
        }
        for batch in duplicates {
            batch.completion(
                .success(
                    AppendOutcome(
                        rowCount: 0,
                        isDuplicate: true,
                        isDurable: commitLog.unsyncedSince == nil,
                        refusal: nil
                    )
                )
            )
        }
    }

    /// How long rows wait for a flush to make room before they are taken in all the same.
    private static let roomWaitNanoseconds: Int64 = 1_000_000_000

    /// Waits a little when memory is nearly full of rows: who sends is slowed down before anybody is
    /// refused.
    ///
    /// Not while a flush waits for this thread, nor when the disk has no room for what it writes.
    private func waitForRoom(_ commitLog: CommitLog) {
        let limit = options.memoryBytesMax - options.memoryBytesMax / 8
        func isRoom() -> Bool {
            state.withLock { $0.memoryByteCount < limit || $0.isDiskFull }
        }
        guard !isRoom() else { return }
        var timeout = Self.roomWaitNanoseconds
        if let since = commitLog.unsyncedSince {
            // What was acknowledged is synced when that was promised.
            let due = since + commitLog.syncInterval - Stopwatch.monotonicNanoseconds()
            timeout = max(0, min(timeout, due))
        }
        let _: Void? = commits.wait(timeoutNanoseconds: timeout) { queue in
            let isAsked = !queue.jobs.allSatisfy(\.isAppend)
            return isAsked || queue.isStopping || queue.isPoisoned || isRoom() ? () : nil
        }
    }

    private func encode(
        _ batch: PendingBatch,
        sequence: UInt64,
        epoch: UInt32,
        to records: inout [UInt8]
    ) {
        let record = JournalRecord(
            sequence: sequence,
            tenant: batch.tenant,
            signal: batch.signal,
            batchID: batch.batchID,
            definitions: batch.registry.define(batch.streamReferences, epoch: epoch),
            references: batch.references,
            times: batch.times,
            columns: batch.columns,
            fields: batch.fields
        )
        record.append(to: &records)
    }

    private func syncAsAsked(
        _ group: [PendingBatch],
        _ commitLog: inout CommitLog
    ) throws(FileError) {
        var interval: Int64?
        for batch in group {
            switch batch.sync {
            case .always: interval = 0
            case .interval(let asked): interval = min(interval ?? .max, asked)
            }
        }
        if interval == 0 {
            let start = Stopwatch.monotonicNanoseconds()
            try commitLog.journal.sync()
            commitLog.sharing.synced(
                requests: commitLog.requestCount,
                waiting: commits.read(\.syncedCount),
                nanoseconds: Stopwatch.monotonicNanoseconds() - start
            )
            counters.syncs.add(1)
            commitLog.unsyncedSince = nil
        } else if let interval {
            commitLog.syncInterval =
                commitLog.unsyncedSince == nil ? interval : min(interval, commitLog.syncInterval)
            commitLog.unsyncedSince = commitLog.unsyncedSince ?? Stopwatch.monotonicNanoseconds()
        }
    }

    private func syncIfDue(_ commitLog: inout CommitLog) {
        guard let since = commitLog.unsyncedSince,
            Stopwatch.monotonicNanoseconds() >= since + commitLog.syncInterval
        else { return }
        do throws(FileError) {
            try commitLog.journal.sync()
            counters.syncs.add(1)
            commitLog.unsyncedSince = nil
        } catch {
            fail(error)
        }
    }

    private func refuse(_ group: [PendingBatch], _ error: FileError) {
        if error.operation == .sync { fail(error) }
        if error.isNoSpace {
            let wasFull = state.withLock { state in
                let wasFull = state.isDiskFull
                state.isDiskFull = true
                return wasFull
            }
            if !wasFull { log("disk full: writes are refused until there is room: \(error)") }
        }
        for batch in group {
            batch.completion(.failure(error.isNoSpace ? .diskFull(error) : .file(error)))
        }
    }

    private func apply(
        _ fresh: [(batch: PendingBatch, rows: ResolvedBatch, id: String?)],
        now: Int64
    ) {
        seenBatches.withLock { seen in
            for (_, rows, id) in fresh {
                if let id { seen.insert(id, at: now, sequence: rows.sequence) }
            }
        }
        let (needsFlush, needsSort, isBack) = state.withLock { state in
            for (batch, rows, _) in fresh {
                state.apply(rows, tenant: batch.tenant, signal: batch.signal, now: now)
            }
            let isBack = state.isDiskFull
            state.isDiskFull = false
            return (
                state.memoryByteCount >= options.memoryBytesMax / 2,
                state.buckets.contains { key, bucket in
                    bucket.isSortDue(hasFields: key.signal.schema.hasFields)
                },
                isBack
            )
        }
        if isBack { log("disk has room again: writes are taken") }
        counters.rows.add(fresh.reduce(0) { $0 + $1.rows.rowCount })
        counters.batches.add(fresh.count)
        if needsFlush || needsSort {
            flushes.update { queue in
                queue.isFlushDue = queue.isFlushDue || needsFlush
                queue.isSortDue = queue.isSortDue || needsSort
            }
        }
    }
}
