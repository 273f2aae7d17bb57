internal import Synchronization
internal import WeirCore
internal import WeirHTTP
internal import WeirStore
internal import WeirSystem
internal import WeirWire

/// Metrics in as text: `POST /api/v1/import/prometheus`, on VictoriaMetrics' path.
///
/// Formats, parameters and answers: docs/metrics-in.md.
final class ImportEndpoint: Sendable {
    /// Bodies up to this size are parsed where they arrive.
    private static let inlineBytesMax = 64 << 10
    private static let internersMax = 4

    private let intake: MetricIntake
    private let configuration: ServerConfiguration
    private let clock: any WallClock
    private let pool: WorkerPool
    /// By format, since each has escapes of its own; of requests without extra labels.
    private let interners = Mutex<[ExpositionFormat: [SeriesInterner]]>([:])

    init(
        intake: MetricIntake,
        configuration: ServerConfiguration,
        clock: any WallClock,
        pool: WorkerPool
    ) {
        self.intake = intake
        self.configuration = configuration
        self.clock = clock
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
        let options: ExpositionOptions
        let headers: IntakeHeaders
        do throws(IntakeHeaders.Refusal) {
            options = try self.options(exchange.head, body)
            headers = try IntakeHeaders(exchange.head)
        } catch {
            exchange.respond(error.response)
            return
        }
        let result: ExpositionResult
        do throws(RemoteWriteError) {
            result =
                exchange.head.contentType == "application/vnd.google.protobuf"
                ? try ProtobufExpositionParser.parse(body, options: options)
                : parse(body, options)
        } catch {
            exchange.respond(
                .error(
                    400,
                    error: "unreadable",
                    reason: error.description,
                    hint: "nothing of this request was stored"
                )
            )
            return
        }
        guard result.batches.rowCount <= RemoteWriteParser.rowsMax else {
            exchange.respond(
                .error(
                    413,
                    error: "too_large",
                    reason: "more than \(RemoteWriteParser.rowsMax) samples",
                    hint: "nothing of this request was stored; send fewer samples at once"
                )
            )
            return
        }
        intake.take(
            result.batches,
            format: .text,
            batchID: headers.batchID,
            sync: headers.sync
        ) { outcome in
            switch outcome {
            case .success(let outcome):
                exchange.respond(Self.answer(result.batches, outcome))
            case .failure(let error): exchange.respond(.failure(error))
            }
        }
    }

    private func options(
        _ head: HTTPRequestHead,
        _ body: [UInt8]
    ) throws(IntakeHeaders.Refusal) -> ExpositionOptions {
        let query = head.query
        var format = ExpositionFormat(contentType: head.header("content-type") ?? "")
        // OpenMetrics says so itself, in its last line.
        if body.reversed().drop(while: { $0 == 0x0A }).starts(with: "# EOF".utf8.reversed()) {
            format = .openMetrics
        }
        switch query["format"] ?? "" {
        case "": break
        case "prometheus": format = .prometheus
        case "openmetrics": format = .openMetrics
        case "dump": format = .dump
        case let text:
            throw IntakeHeaders.Refusal(
                response: .badRequest(
                    reason: "format \"\(text)\" is not known",
                    hint: "use prometheus, openmetrics or dump"
                )
            )
        }
        var options = ExpositionOptions(format: format, now: clock.nowNanoseconds())
        options.limits.futureMax = configuration.futureMax
        options.limits.labelsMax = configuration.labelsMax
        options.limits.labelNameBytesMax = configuration.labelNameBytesMax
        options.limits.labelValueBytesMax = configuration.labelValueBytesMax
        if let text = query["timestamp"], !text.isEmpty {
            guard let milliseconds = Int64(text),
                case (let time, let overflow) = milliseconds.multipliedReportingOverflow(
                    by: 1_000_000
                ), !overflow
            else {
                throw IntakeHeaders.Refusal(
                    response: .badRequest(
                        reason: "timestamp \"\(text)\" is no time",
                        hint: "use milliseconds since 1970"
                    )
                )
            }
            options.defaultTime = time
        }
        for text in query.all("extra_label") {
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
                throw IntakeHeaders.Refusal(
                    response: .badRequest(
                        reason: "extra_label \"\(text)\" is no label",
                        hint: "use extra_label=name=value"
                    )
                )
            }
            options.extraLabels.append(
                (String(text[..<equals]), String(text[text.index(after: equals)...]))
            )
        }
        return options
    }

    private func parse(_ body: [UInt8], _ options: ExpositionOptions) -> ExpositionResult {
        guard options.extraLabels.isEmpty else {
            var interner = SeriesInterner()
            return ExpositionParser.parse(body, options: options, interner: &interner)
        }
        var interner =
            interners.withLock { $0[options.format]?.popLast() } ?? SeriesInterner()
        let result = ExpositionParser.parse(body, options: options, interner: &interner)
        interners.withLock { [interner] waiting in
            if waiting[options.format, default: []].count < Self.internersMax {
                waiting[options.format, default: []].append(interner)
            }
        }
        return result
    }

    private static func answer(
        _ batches: MetricBatches,
        _ outcome: MetricIntake.Outcome
    ) -> HTTPResponse {
        let limits = outcome.limitRefusals
        guard batches.refusedCount > 0 || !limits.isEmpty else {
            return HTTPResponse.empty(204).telling(outcome.samples)
        }
        var lines = batches.refusals.map { (line: $0.line, reason: $0.reason) }
        lines += limits.map { ($0.firstLine, $0.reason) }
        let first = lines.first.map { "line \($0.line): \($0.reason)" } ?? ""
        let refusedRows = limits.reduce(0) { $0 + $1.refusedRows }
        return PartialWrite.response(
            reason: "\(first); \(batches.refusedCount) lines and \(refusedRows) samples refused, "
                + "\(outcome.rowCount) taken",
            taken: outcome.rowCount,
            refusedLines: batches.refusedCount,
            lines: lines
        ).telling(outcome.samples)
    }
}
