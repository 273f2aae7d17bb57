internal import Synchronization
internal import WeirCore
internal import WeirStore
internal import WeirSystem
internal import WeirWire

/// The wires spans come by.
enum SpanWire: Int, CaseIterable, Sendable {
    case otlp
    case zipkin
    case jaeger
    case json

    var name: String { "\(self)" }
}

/// The one way by which spans come into the store.
///
/// Spans that were accepted lately are left out, and taken as stored. Who counts spans (span
/// metrics) is told of each batch once it is accepted.
final class SpanIntake: Sendable {
    /// Called with spans that were accepted and are visible; must be quick, and never wait.
    typealias Observer = @Sendable (_ batch: RowBatch, _ facts: [SpanFacts]) -> Void

    private let store: Store
    private let telemetry: ServerTelemetry
    private let seen = Mutex(SeenSpans())
    private let observers = Mutex<[Observer]>([])

    init(store: Store, telemetry: ServerTelemetry) {
        self.store = store
        self.telemetry = telemetry
    }

    /// Tells `observer` of every batch from here on.
    func observe(_ observer: @escaping Observer) {
        observers.withLock { $0.append(observer) }
    }

    /// Takes in what a parser found; `completion` as that of `Store.append`.
    func take(
        _ result: SpanResult,
        wire: SpanWire,
        tenant: String = "default",
        batchID: [UInt8] = [],
        sync: SyncMode? = nil,
        completion: @escaping @Sendable (Result<AppendOutcome, StoreError>) -> Void
    ) {
        telemetry.refusedSpans[wire.rawValue].add(result.refusedCount)
        telemetry.cutSpans.add(result.cutCount)
        var batch = result.batch
        var facts = result.facts
        if let kept = seen.withLock({ $0.fresh(facts) }) {
            telemetry.duplicateSpans[wire.rawValue].add(facts.count - kept.count)
            batch = batch.selecting(kept)
            facts = kept.map { facts[$0] }
        }
        guard batch.rowCount > 0 else {
            completion(.success(AppendOutcome()))
            return
        }
        let (taken, takenFacts) = (batch, facts)
        store.append(taken, tenant: tenant, batchID: batchID, sync: sync) { [self] outcome in
            if case .success(let outcome) = outcome, outcome.rowCount > 0 {
                seen.withLock { $0.insert(takenFacts) }
                telemetry.spans[wire.rawValue].add(outcome.rowCount)
                for observer in observers.withLock({ $0 }) { observer(taken, takenFacts) }
            }
            completion(outcome)
        }
    }
}
