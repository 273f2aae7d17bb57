internal import Synchronization
internal import WeirCore
internal import WeirHTTP
internal import WeirStore
internal import WeirSystem
internal import WeirWire

/// OpenTelemetry's metrics in: `POST /v1/metrics`.
///
/// Names, labels and what becomes of each kind: docs/otlp-metrics.md.
final class OTLPMetricsEndpoint: Sendable {
    private struct State {
        var totals = MetricTotals()
        var exemplars = SeenExemplars()
    }

    private let store: Store
    private let telemetry: ServerTelemetry
    private let clock: any WallClock
    private let pool: WorkerPool
    private let hasClassicHistograms: Bool
    private let state = Mutex(State())

    init(
        store: Store,
        telemetry: ServerTelemetry,
        clock: any WallClock,
        pool: WorkerPool,
        hasClassicHistograms: Bool
    ) {
        self.hasClassicHistograms = hasClassicHistograms
        self.store = store
        self.telemetry = telemetry
        self.clock = clock
        self.pool = pool
    }

    func handle(_ exchange: HTTPExchange) {
        if let refusal = OTLPAnswer.refusal(contentType: exchange.head.contentType) {
            return exchange.respond(refusal)
        }
        let bytes = exchange.takeBody()
        pool.submit { [self] in take(bytes, exchange) }
    }

    private func take(_ body: [UInt8], _ exchange: HTTPExchange) {
        let isJSON = exchange.head.contentType == "application/json"
        let failure: @Sendable (HTTPResponse) -> HTTPResponse = {
            isJSON ? $0 : OTLPAnswer.status($0)
        }
        let options = MetricOptions(now: clock.nowNanoseconds())
        let result: MetricResult
        let headers: IntakeHeaders
        do throws(MetricError) {
            result =
                isJSON
                ? try OTLPMetricJSONParser.parse(body, options: options)
                : try OTLPMetricParser.parse(body, options: options)
        } catch {
            exchange.respond(
                failure(
                    .error(
                        400,
                        error: "unreadable",
                        reason: error.description,
                        hint: "nothing of this request was stored"
                    )
                )
            )
            return
        }
        guard !result.isTooLarge else {
            exchange.respond(
                failure(
                    .error(
                        413,
                        error: "too_many_points",
                        reason: "more than \(options.pointsMax) points",
                        hint: "nothing of this request was stored; send fewer points at once"
                    )
                )
            )
            return
        }
        do throws(IntakeHeaders.Refusal) {
            headers = try IntakeHeaders(exchange.head)
        } catch {
            exchange.respond(failure(error.response))
            return
        }
        do throws(StoreError) {
            try store.metadata.record(result.metadata)
        } catch {
            exchange.respond(failure(.failure(error)))
            return
        }
        var points = result.points
        let undo = state.withLock { $0.totals.accumulate(&points) }
        let rows = MetricRows(points, hasClassicHistograms: hasClassicHistograms)
        telemetry.refusedMetricPoints.add(result.refusedCount)
        append(rows, headers) { [self] outcome in
            switch outcome {
            case .success(let outcome):
                // Taken before: what was added to totals then must not be added again.
                if outcome.isDuplicate { state.withLock { $0.totals.restore(undo) } }
                telemetry.metricPoints.add(result.points.count)
                if let refusal = outcome.refusal {
                    telemetry.refusedSeries.add(refusal.refusedStreams)
                }
                takeExemplars(rows.exemplars)
                let first = result.refusals.first
                exchange.respond(
                    OTLPAnswer.partialSuccess(
                        refused: result.refusedCount,
                        message: first.map {
                            "\($0.metric): \($0.error); \(result.refusedCount) refused"
                        },
                        isJSON: isJSON,
                        refusedName: "rejectedDataPoints"
                    ).telling(outcome)
                )
            case .failure(let error):
                state.withLock { $0.totals.restore(undo) }
                exchange.respond(failure(.failure(error)))
            }
        }
    }

    /// Stores the histograms, then the plain samples.
    ///
    /// A request that is sent again after only its histograms were stored finds them there.
    private func append(
        _ rows: MetricRows,
        _ headers: IntakeHeaders,
        completion: @escaping @Sendable (Result<AppendOutcome, StoreError>) -> Void
    ) {
        let (samples, id) = (rows.samples, headers.batchID)
        guard rows.histograms.rowCount > 0 else {
            store.append(samples, batchID: id, sync: headers.sync, completion: completion)
            return
        }
        let ownID = id.isEmpty ? [] : id + Array("/histograms".utf8)
        store.append(rows.histograms, batchID: ownID, sync: headers.sync) { [store] outcome in
            guard case .success = outcome, samples.rowCount > 0 else { return completion(outcome) }
            store.append(samples, batchID: id, sync: headers.sync, completion: completion)
        }
    }

    /// Stores the exemplars that were not sent before: exporters send the last ones again and again.
    private func takeExemplars(_ batch: RowBatch) {
        let fresh = state.withLock { $0.exemplars.fresh(batch) }
        guard !fresh.isEmpty else { return }
        let sent = batch.selecting(fresh)
        state.withLock { $0.exemplars.note(sent) }
        store.append(sent) { [telemetry] outcome in
            if case .success(let outcome) = outcome { telemetry.exemplars.add(outcome.rowCount) }
        }
    }
}
