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
            guard case .success(let outcome) = outcome else { return completion(outcome) }
            if let refusal = outcome.refusal {
                // There are too many processes for streams: these spans carry their resource.
                let kept = Set(refusal.keptRows)
                let rest = taken.selecting((0..<taken.rowCount).filter { !kept.contains($0) })
                store.append(rest.dissolvingStreams(), tenant: tenant, sync: sync) { [self] last in
                    if case .success = last { note(taken, takenFacts, wire) }
                    completion(last)
                }
            } else {
                if outcome.rowCount > 0 { note(taken, takenFacts, wire) }
                completion(.success(outcome))
            }
        }
    }

    /// Remembers spans that were accepted, and tells who counts them.
    private func note(_ batch: RowBatch, _ facts: [SpanFacts], _ wire: SpanWire) {
        seen.withLock { $0.insert(facts) }
        telemetry.spans[wire.rawValue].add(batch.rowCount)
        for observer in observers.withLock({ $0 }) { observer(batch, facts) }
    }
}
