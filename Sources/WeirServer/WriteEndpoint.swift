internal import Synchronization
internal import WeirCore
internal import WeirHTTP
internal import WeirStore
internal import WeirSystem
internal import WeirWire

/// Line protocol in: `POST /write` and `POST /api/v2/write`.
final class WriteEndpoint: Sendable {
    private let store: Store
    private let configuration: ServerConfiguration
    private let clock: any WallClock
    private let telemetry: ServerTelemetry
    /// Parses large bodies, so that they hold no server thread.
    private let pool: WorkerPool
    /// What earlier bodies named, for the next: as many as are used at once.
    private let known = Mutex<[LineSeries]>([])

    /// Bodies up to this size are parsed where they arrive.
    private static let inlineBytesMax = 64 << 10
    private static let knownMax = 4

    init(
        store: Store,
        configuration: ServerConfiguration,
        clock: any WallClock,
        telemetry: ServerTelemetry,
        pool: WorkerPool
    ) {
        self.store = store
        self.configuration = configuration
        self.clock = clock
        self.telemetry = telemetry
        self.pool = pool
    }

    func handle(_ exchange: HTTPExchange) {
        let body = exchange.takeBody()
        if body.count <= Self.inlineBytesMax {
            take(body, exchange)
        } else {
            pool.submit { [self] in take(body, exchange) }
        }
    }

    private func take(_ body: [UInt8], _ exchange: HTTPExchange) {
        let query = exchange.head.query
        var options = LineProtocolOptions(now: clock.nowNanoseconds())
        options.futureMax = configuration.futureMax
        options.labelsMax = configuration.labelsMax
        options.labelNameBytesMax = configuration.labelNameBytesMax
        options.labelValueBytesMax = configuration.labelValueBytesMax
        let precision = query["precision"] ?? ""
        guard let unit = LineProtocolOptions.nanosecondsPerUnit(precision: precision) else {
            exchange.respond(
                .badRequest(
                    reason: "precision \"\(precision)\" is not known",
                    hint: "use ns, us, ms, s, m or h"
                )
            )
            return
        }
        options.nanosecondsPerUnit = unit
        if !configuration.databaseLabel.isEmpty, let name = query["db"] ?? query["bucket"] {
            options.extraLabels.append((configuration.databaseLabel, name))
        }
        let headers: IntakeHeaders
        do throws(IntakeHeaders.Refusal) {
            headers = try IntakeHeaders(exchange.head)
        } catch {
            exchange.respond(error.response)
            return
        }
        let result = parse(body, options)
        telemetry.refusedLines.add(result.refusedLineCount)
        telemetry.skippedStrings.add(result.stringFieldCount)
        if result.batch.rowCount == 0 {
            exchange.respond(answer(result, AppendOutcome()))
            return
        }
        store.append(result.batch, batchID: headers.batchID, sync: headers.sync) { [self] outcome in
            switch outcome {
            case .success(let outcome): exchange.respond(answer(result, outcome))
            case .failure(let error): exchange.respond(.failure(error))
            }
        }
    }

    private func parse(_ body: [UInt8], _ options: LineProtocolOptions) -> LineProtocolResult {
        var series =
            known.withLock { known in
                let place = known.lastIndex { $0.isMade(for: options) }
                return place.map { known.remove(at: $0) }
            } ?? LineSeries()
        let result = LineProtocolParser.parse(body, options: options, series: &series)
        // One that grew too large is not kept.
        guard series.hasRoom else { return result }
        known.withLock { [series] known in
            if known.count == Self.knownMax { known.removeFirst() }
            known.append(series)
        }
        return result
    }

    /// 204 when every line was taken; 400 with the lines that were not, the others being kept.
    private func answer(_ result: LineProtocolResult, _ outcome: AppendOutcome) -> HTTPResponse {
        var response: HTTPResponse
        if result.refusedLineCount == 0, outcome.refusal == nil {
            response = .empty(204)
        } else {
            response = partial(result, outcome)
        }
        if result.stringFieldCount > 0 {
            response.headers.append(
                ("X-Weir-Skipped-Strings", String(result.stringFieldCount))
            )
        }
        response = response.telling(outcome)
        response.headers.append(("X-Influxdb-Version", InfluxHandshake.version))
        return response
    }

    private func partial(_ result: LineProtocolResult, _ outcome: AppendOutcome) -> HTTPResponse {
        var reasons = result.refusals.map { (line: $0.line, reason: $0.error.description) }
        if let refusal = outcome.refusal {
            telemetry.refusedSeries.add(refusal.refusedStreams)
            reasons.append(
                (
                    refusal.firstLine,
                    "series-max: \(refusal.refusedStreams) new series refused, "
                        + "\(refusal.activeStreams) of \(refusal.limit) are active; the first is "
                        + refusal.firstStream.description
                )
            )
        }
        let first = reasons.first.map { "line \($0.line): \($0.reason)" } ?? ""
        let refusedRows = outcome.refusal?.refusedRows ?? 0
        let message =
            "partial write: \(first); \(result.refusedLineCount) lines and \(refusedRows) samples "
            + "refused, \(outcome.rowCount) samples taken"
        return PartialWrite.response(
            reason: message,
            taken: outcome.rowCount,
            refusedLines: result.refusedLineCount,
            lines: reasons
        ) { writer in
            // The names InfluxDB 2's clients read.
            writer.member("code", "invalid")
            writer.member("message", message)
        }
    }
}
