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
    private let intake: MetricIntake
    private let clock: any WallClock
    private let pool: WorkerPool
    private let hasClassicHistograms: Bool
    private let totals = Mutex(MetricTotals())

    init(
        intake: MetricIntake,
        clock: any WallClock,
        pool: WorkerPool,
        hasClassicHistograms: Bool
    ) {
        self.hasClassicHistograms = hasClassicHistograms
        self.intake = intake
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
        var points = result.points
        let undo = totals.withLock { $0.accumulate(&points) }
        let rows = MetricRows(points, hasClassicHistograms: hasClassicHistograms)
        var batches = MetricBatches()
        batches.samples = rows.samples
        batches.histograms = rows.histograms
        batches.exemplars = rows.exemplars
        batches.metadata = result.metadata
        intake.telemetry.refusedMetricPoints.add(result.refusedCount)
        intake.take(
            batches,
            format: .otlp,
            batchID: headers.batchID,
            sync: headers.sync
        ) { [self] outcome in
            switch outcome {
            case .success(let outcome):
                // Taken before: what was added to totals then must not be added again.
                if outcome.isDuplicate { totals.withLock { $0.restore(undo) } }
                intake.telemetry.metricPoints.add(result.points.count)
                let first = result.refusals.first
                exchange.respond(
                    OTLPAnswer.partialSuccess(
                        refused: result.refusedCount,
                        message: first.map {
                            "\($0.metric): \($0.error); \(result.refusedCount) refused"
                        },
                        isJSON: isJSON,
                        refusedName: "rejectedDataPoints"
                    ).telling(outcome.first)
                )
            case .failure(let error):
                totals.withLock { $0.restore(undo) }
                exchange.respond(failure(.failure(error)))
            }
        }
    }
}
