internal import Synchronization
package import WeirCore
internal import WeirSystem

/// What became of a batch.
package struct AppendOutcome: Hashable, Sendable {
    /// Rows taken in; 0 for a duplicate.
    package var rowCount = 0
    /// The batch's id had been accepted before.
    package var isDuplicate = false
    /// Whether the rows are on stable storage already, and not only soon.
    package var isDurable = true
    /// Rows refused because their stream would have been one too many.
    package var refusal: StreamLimitRefusal?
    /// The batch's place in the order in which batches become visible; 0 for a duplicate.
    package var sequence: UInt64 = 0

    package init() {}

    init(
        rowCount: Int,
        isDuplicate: Bool,
        isDurable: Bool,
        refusal: StreamLimitRefusal?,
        sequence: UInt64 = 0
    ) {
        self.sequence = sequence
        self.rowCount = rowCount
        self.isDuplicate = isDuplicate
        self.isDurable = isDurable
        self.refusal = refusal
    }
}

/// Rows refused by the limit on active streams.
package struct StreamLimitRefusal: Hashable, Sendable {
    package let refusedStreams: Int
    package let refusedRows: Int
    package let activeStreams: Int
    package let limit: Int
    /// The first refused stream and the input line that named it.
    package let firstStream: Labels
    package let firstLine: Int
    /// The rows of the batch that were taken in all the same, ascending.
    package let keptRows: [Int]
}

/// A batch on its way to the journal.
struct PendingBatch: Sendable {
    let tenant: String
    let signal: Signal
    let registry: StreamRegistry
    /// Each stream of the batch once.
    let streamReferences: [UInt32]
    let references: [UInt32]
    let times: [Int64]
    let columns: [ColumnValues]
    let fields: FieldTable
    let batchID: [UInt8]
    let sync: SyncMode
    let refusal: StreamLimitRefusal?
    let completion: @Sendable (Result<AppendOutcome, StoreError>) -> Void
}

/// What waits for the commit thread.
struct CommitQueue {
    enum Job: Sendable {
        /// Batches that are journaled together.
        case append([PendingBatch])
        /// Closes the journal file; tells the last sequence in it.
        case rotate(@Sendable (Result<UInt64, StoreError>) -> Void)
        /// Removes journal files that a checkpoint has covered; tells whether they are gone.
        case removeFiles(
            through: UInt64,
            completion: (@Sendable (Result<Void, FileError>) -> Void)? = nil
        )

        var isAppend: Bool {
            if case .append = self { true } else { false }
        }

        /// Whether it is acknowledged only after a sync.
        var isSyncedAppend: Bool {
            guard case .append(let batches) = self else { return false }
            return batches.contains { if case .always = $0.sync { true } else { false } }
        }
    }

    var jobs: [Job] = []
    var rowCount = 0
    /// No appends are taken, but those here are finished.
    var isStopping = false
    var isStopped = false
    var isPoisoned = false

    /// The requests that wait, when all of them ask for a sync of their own; else 0.
    var syncedCount: Int {
        jobs.allSatisfy { $0.isSyncedAppend } ? jobs.count : 0
    }
}

extension Store {
    /// Rows that may wait for the journal; more are refused with `memoryFull`.
    private static let waitingRowsMax = 2_000_000

    /// Takes a batch in.
    ///
    /// `completion` is called once, from a thread of the store's or from this one, when the rows
    /// are durable (as `sync`, or else the store's mode, asks) and visible.
    ///
    /// A `batchID` that was accepted before is acknowledged and not stored again.
    package func append(
        _ batch: RowBatch,
        tenant: String = "default",
        batchID: [UInt8] = [],
        sync: SyncMode? = nil,
        completion: @escaping @Sendable (Result<AppendOutcome, StoreError>) -> Void
    ) {
        if let refusal = refusal(of: batch) {
            completion(.failure(refusal))
            return
        }
        let pending = resolve(batch, tenant: tenant, batchID: batchID, sync: sync, completion)
        if let refusal = submit([pending]) { completion(.failure(refusal)) }
    }

    /// Takes batches in that were sent as one: they share a write and a sync of the journal, and are
    /// acknowledged, or refused, together.
    ///
    /// `completion` gets an outcome per batch, in their order. Empty batches cost nothing. A crash may
    /// keep the first of them without the rest, of which none was acknowledged then.
    package func append(
        _ batches: [RowBatch],
        tenant: String = "default",
        batchID: [UInt8] = [],
        sync: SyncMode? = nil,
        completion: @escaping @Sendable (Result<[AppendOutcome], StoreError>) -> Void
    ) {
        let places = batches.indices.filter { batches[$0].rowCount > 0 }
        guard !places.isEmpty else {
            completion(.success(batches.map { _ in AppendOutcome() }))
            return
        }
        for place in places {
            if let refusal = refusal(of: batches[place]) {
                completion(.failure(refusal))
                return
            }
        }
        let outcomes = JointOutcome(
            count: batches.count,
            waitingFor: places.count,
            completion: completion
        )
        let pending = places.map { place in
            // Each signal's part is known by itself, so that a resent half is not taken twice.
            resolve(
                batches[place],
                tenant: tenant,
                batchID: batchID.isEmpty ? [] : batchID + [0] + batches[place].signal.name.utf8,
                sync: sync
            ) { outcomes.set($0, at: place) }
        }
        if let refusal = submit(pending) { completion(.failure(refusal)) }
    }

    /// Why a batch is not even tried.
    private func refusal(of batch: RowBatch) -> StoreError? {
        let memory = state.withLock { $0.memoryByteCount }
        guard memory <= options.memoryBytesMax else {
            counters.refusedBatches.add(1)
            return .memoryFull(bytes: memory, limit: options.memoryBytesMax)
        }
        // A longer record would be acknowledged and then not be read back.
        let recordBytes = JournalRecord.byteCountMax(of: batch)
        guard recordBytes <= JournalRecord.payloadBytesMax else {
            return .batchTooLarge(bytes: recordBytes, limit: JournalRecord.payloadBytesMax)
        }
        for index in batch.streams.indices where batch.streams[index].bytes.count > Labels.bytesMax
        {
            return .labelsTooLong(bytes: batch.streams[index].bytes.count, limit: Labels.bytesMax)
        }
        return nil
    }

    /// Gives batches to the commit thread, unless it has too many.
    private func submit(_ pending: [PendingBatch]) -> StoreError? {
        commits.update { queue in
            if queue.isStopping || queue.isPoisoned { return .stopping }
            guard queue.rowCount <= Self.waitingRowsMax else {
                return .memoryFull(bytes: queue.rowCount * 20, limit: Self.waitingRowsMax * 20)
            }
            queue.jobs.append(.append(pending))
            queue.rowCount += pending.reduce(0) { $0 + $1.times.count }
            return nil
        }
    }

    private func resolve(
        _ batch: RowBatch,
        tenant: String,
        batchID: [UInt8],
        sync: SyncMode?,
        _ completion: @escaping @Sendable (Result<AppendOutcome, StoreError>) -> Void
    ) -> PendingBatch {
        let registry = registry(tenant: tenant, signal: batch.signal)
        let resolution = registry.resolve(
            batch.streams,
            handles: batch.handles,
            limit: options.streamsMax,
            now: clock.nowNanoseconds()
        )
        return Self.resolve(
            batch,
            resolution,
            registry: registry,
            tenant: tenant,
            batchID: batchID,
            sync: sync ?? options.sync,
            limit: options.streamsMax,
            completion: completion
        )
    }

    private static func resolve(
        _ batch: RowBatch,
        _ resolution: StreamRegistry.Resolution,
        registry: StreamRegistry,
        tenant: String,
        batchID: [UInt8],
        sync: SyncMode,
        limit: Int,
        completion: @escaping @Sendable (Result<AppendOutcome, StoreError>) -> Void
    ) -> PendingBatch {
        var references: [UInt32] = []
        references.reserveCapacity(batch.rowCount)
        var times = batch.times
        var columns = batch.columns
        var fields = batch.fields
        var refusal: StreamLimitRefusal?
        // The streams that are taken.
        let kept: [UInt32]
        if let first = resolution.firstRefused {
            kept = resolution.references.compactMap { $0 }
            times = []
            columns = batch.columns.map { ColumnValues(kind: $0.kind) }
            var keptRows: [Int] = []
            for row in 0..<batch.rowCount {
                guard let known = resolution.references[Int(batch.streamIndexes[row])] else {
                    continue
                }
                references.append(known)
                keptRows.append(row)
                times.append(batch.times[row])
                for index in columns.indices {
                    columns[index].append(row, of: batch.columns[index])
                }
            }
            fields = batch.fields.selecting(keptRows)
            refusal = StreamLimitRefusal(
                refusedStreams: resolution.refusedCount,
                refusedRows: batch.rowCount - times.count,
                activeStreams: resolution.activeCount,
                limit: limit,
                firstStream: batch.streams[first],
                firstLine: batch.firstLines[first],
                keptRows: keptRows
            )
        } else {
            kept = resolution.references.map { $0 ?? 0 }
            for index in batch.streamIndexes { references.append(kept[Int(index)]) }
        }
        return PendingBatch(
            tenant: tenant,
            signal: batch.signal,
            registry: registry,
            streamReferences: kept,
            references: references,
            times: times,
            columns: columns,
            fields: fields,
            batchID: batchID,
            sync: sync,
            refusal: refusal,
            completion: completion
        )
    }
}

/// Gathers the outcomes of batches that are answered together.
private final class JointOutcome: Sendable {
    private struct State {
        var outcomes: [AppendOutcome]
        var waitingCount: Int
        var failure: StoreError?
    }

    private let state: Mutex<State>
    private let completion: @Sendable (Result<[AppendOutcome], StoreError>) -> Void

    init(
        count: Int,
        waitingFor waitingCount: Int,
        completion: @escaping @Sendable (Result<[AppendOutcome], StoreError>) -> Void
    ) {
        state = Mutex(
            State(
                outcomes: [AppendOutcome](repeating: AppendOutcome(), count: count),
                waitingCount: waitingCount
            )
        )
        self.completion = completion
    }

    /// Takes one outcome; the last of them ends the waiting.
    func set(_ result: Result<AppendOutcome, StoreError>, at place: Int) {
        let whole: Result<[AppendOutcome], StoreError>? = state.withLock { state in
            switch result {
            case .success(let outcome): state.outcomes[place] = outcome
            case .failure(let error): state.failure = state.failure ?? error
            }
            state.waitingCount -= 1
            guard state.waitingCount == 0 else { return nil }
            return state.failure.map { .failure($0) } ?? .success(state.outcomes)
        }
        if let whole { completion(whole) }
    }
}
