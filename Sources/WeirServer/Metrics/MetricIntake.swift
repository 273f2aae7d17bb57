internal import Synchronization
internal import WeirCore
internal import WeirStore
internal import WeirSystem
internal import WeirWire

/// The formats that metrics come in, besides InfluxDB's line protocol.
enum MetricFormat: Int, CaseIterable, Sendable {
    case remoteWrite
    case text
    case statsd
    case graphite
    case scrape
    case otlp

    var name: String {
        switch self {
        case .remoteWrite: "remote_write"
        case .text: "text"
        case .statsd: "statsd"
        case .graphite: "graphite"
        case .scrape: "scrape"
        case .otlp: "otlp"
        }
    }
}

/// The one way by which parsed metrics come into the store: samples, histograms, exemplars and metadata
/// of one body are durable and visible before it is acknowledged.
final class MetricIntake: Sendable {
    /// What became of each signal's rows.
    struct Outcome: Sendable {
        var samples = AppendOutcome()
        var histograms = AppendOutcome()
        var exemplars = AppendOutcome()

        var all: [AppendOutcome] { [samples, histograms, exemplars] }
        /// What was refused for want of room among the active series.
        var limitRefusals: [StreamLimitRefusal] { all.compactMap(\.refusal) }
        /// The body had been taken before.
        var isDuplicate: Bool { all.contains(where: \.isDuplicate) }
        /// Of the first signal that had rows.
        var first: AppendOutcome {
            all.first { $0.rowCount > 0 || $0.isDuplicate || $0.refusal != nil } ?? samples
        }
        var rowCount: Int { all.reduce(0) { $0 + $1.rowCount } }
    }

    let store: Store
    let telemetry: ServerTelemetry
    private let seen = Mutex(SeenExemplars())

    init(store: Store, telemetry: ServerTelemetry) {
        self.store = store
        self.telemetry = telemetry
    }

    /// Takes in what a parser made; `completion` as that of `Store.append`.
    ///
    /// Exemplars that are no later than the last one of their series were sent before, and are left out.
    func take(
        _ batches: MetricBatches,
        format: MetricFormat,
        batchID: [UInt8] = [],
        sync: SyncMode? = nil,
        completion: @escaping @Sendable (Result<Outcome, StoreError>) -> Void
    ) {
        telemetry.refusedMetricRows[format.rawValue].add(batches.refusedCount)
        do throws(StoreError) {
            try store.metadata.record(batches.metadata)
        } catch {
            completion(.failure(error))
            return
        }
        var exemplars = batches.exemplars
        if exemplars.rowCount > 0 {
            let fresh = seen.withLock { $0.fresh(exemplars) }
            if fresh.count < exemplars.rowCount { exemplars = exemplars.selecting(fresh) }
        }
        let sent = exemplars
        store.append(
            [batches.samples, batches.histograms, sent],
            batchID: batchID,
            sync: sync
        ) { [self] result in
            switch result {
            case .failure(let error): completion(.failure(error))
            case .success(let outcomes):
                let outcome = Outcome(
                    samples: outcomes[0],
                    histograms: outcomes[1],
                    exemplars: outcomes[2]
                )
                seen.withLock { $0.note(sent) }
                telemetry.metricRows[format.rawValue].add(outcome.rowCount)
                telemetry.exemplars.add(outcome.exemplars.rowCount)
                for refusal in outcome.limitRefusals {
                    telemetry.refusedSeries.add(refusal.refusedStreams)
                    telemetry.refusedMetricRows[format.rawValue].add(refusal.refusedRows)
                }
                completion(.success(outcome))
            }
        }
    }
}

/// The time of the last exemplar of each series.
struct SeenExemplars {
    private static let seriesMax = 100_000
    private var latest: [Labels: Int64] = [:]

    /// The rows whose exemplars are later than any noted of their series.
    func fresh(_ batch: RowBatch) -> [Int] {
        // Several exemplars of one point come in any order.
        (0..<batch.rowCount).filter { row in
            batch.times[row] > latest[batch.streams[Int(batch.streamIndexes[row])]] ?? .min
        }
    }

    /// Remembers exemplars that were stored.
    mutating func note(_ batch: RowBatch) {
        if latest.count > Self.seriesMax { latest = [:] }
        for row in 0..<batch.rowCount {
            let labels = batch.streams[Int(batch.streamIndexes[row])]
            latest[labels] = max(batch.times[row], latest[labels] ?? .min)
        }
    }
}
