internal import Synchronization
internal import WeirCore
internal import WeirStore
internal import WeirSystem
internal import WeirWire

/// The one way by which logs come into the store.
///
/// Who follows the logs (the live tail) is told of each batch once it is accepted.
final class LogIntake: Sendable {
    /// Called with a batch that was accepted and is visible, and its place in the order of that;
    /// must be quick, and never wait.
    typealias Observer = @Sendable (_ batch: RowBatch, _ sequence: UInt64) -> Void

    private let store: Store
    private let telemetry: ServerTelemetry
    private let observers = Mutex<[Observer]>([])

    init(store: Store, telemetry: ServerTelemetry) {
        self.store = store
        self.telemetry = telemetry
    }

    /// Tells `observer` of every batch from here on.
    func observe(_ observer: @escaping Observer) {
        observers.withLock { $0.append(observer) }
    }

    /// Counts what a parser found.
    func count(_ result: LogResult, _ format: LogFormat) {
        telemetry.refusedLogRows[format.rawValue].add(result.refusedCount)
        telemetry.cutLogRows.add(result.cutCount)
    }

    /// Takes a batch in; `completion` as that of `Store.append`.
    ///
    /// A batch without rows is taken without asking the store.
    func take(
        _ batch: RowBatch,
        format: LogFormat,
        tenant: String = "default",
        batchID: [UInt8] = [],
        sync: SyncMode? = nil,
        completion: @escaping @Sendable (Result<AppendOutcome, StoreError>) -> Void
    ) {
        guard batch.rowCount > 0 else {
            completion(.success(AppendOutcome()))
            return
        }
        store.append(batch, tenant: tenant, batchID: batchID, sync: sync) { [self] outcome in
            if case .success(let outcome) = outcome {
                telemetry.logRows[format.rawValue].add(outcome.rowCount)
                if let refusal = outcome.refusal {
                    telemetry.refusedSeries.add(refusal.refusedStreams)
                    telemetry.refusedLogRows[format.rawValue].add(refusal.refusedRows)
                }
                if outcome.rowCount > 0 {
                    // What was refused was never there to be followed.
                    let taken = outcome.refusal.map { batch.selecting($0.keptRows) } ?? batch
                    for observer in observers.withLock({ $0 }) { observer(taken, outcome.sequence) }
                }
            }
            completion(outcome)
        }
    }
}
