internal import WeirCore
internal import WeirHTTP
internal import WeirStore
internal import WeirSystem
internal import WeirWire

/// Logs in: JSON lines, logfmt, plain text, Loki pushes and OTLP.
///
/// Formats, parameters and answers: docs/logs-in.md.
struct LogsEndpoint: Sendable {
    enum Wire: Sendable {
        /// `POST /api/v1/logs` and VictoriaLogs' `/insert/jsonline`.
        case lines
        case loki
        case otlp
    }

    static let lokiPath = "/loki/api/v1/push"

    /// Bodies up to this size are parsed where they arrive.
    private static let inlineBytesMax = 64 << 10

    let intake: LogIntake
    let configuration: ServerConfiguration
    let clock: any WallClock
    let telemetry: ServerTelemetry
    /// Parses large bodies, so that they hold no server thread.
    let pool: WorkerPool

    func handle(_ wire: Wire, _ exchange: HTTPExchange) {
        parse(exchange) { body in
            switch wire {
            case .lines: takeLines(body, exchange)
            case .loki: takeLoki(body, exchange)
            case .otlp: takeOTLP(body, exchange)
            }
        }
    }

    /// Runs `body` with the request's body, here or on a thread for large ones.
    func parse(_ exchange: HTTPExchange, _ body: @escaping @Sendable ([UInt8]) -> Void) {
        let bytes = exchange.takeBody()
        if bytes.count <= Self.inlineBytesMax {
            body(bytes)
        } else {
            pool.submit { body(bytes) }
        }
    }

    /// The limits, and what a request's parameters ask for.
    func options(_ query: HTTPQuery) -> LogOptions {
        var options = LogOptions(now: clock.nowNanoseconds())
        options.limits = configuration.logLimits
        func names(_ parameters: String...) -> [String]? {
            for parameter in parameters {
                guard let text = query[parameter], !text.isEmpty else { continue }
                return text.split(separator: ",").map(String.init)
            }
            return nil
        }
        if let fields = names("stream", "_stream_fields") { options.streamFields = fields }
        if let fields = names("time", "_time_field") {
            options.timeFields = fields
            options.softTimeFields = []
        }
        if let fields = names("body", "_msg_field") { options.bodyFields = fields }
        for pair in names("labels") ?? [] {
            guard let equals = pair.firstIndex(of: "=") else { continue }
            options.extraLabels.append(
                (String(pair[..<equals]), String(pair[pair.index(after: equals)...]))
            )
        }
        return options
    }

    private func takeLines(_ body: [UInt8], _ exchange: HTTPExchange) {
        let query = exchange.head.query
        let options = options(query)
        switch query["format"] ?? "json" {
        case "json":
            store(JSONLogParser.parse(body, options: options), .json, exchange)
        case "logfmt":
            store(LogfmtParser.parse(body, options: options), .logfmt, exchange)
        case "text":
            store(TextLogParser.parse(body, options: options), .text, exchange)
        case let format:
            exchange.respond(
                .badRequest(
                    reason: "format \"\(format)\" is not known",
                    hint: "use json, logfmt or text"
                )
            )
        }
    }

    private func takeLoki(_ body: [UInt8], _ exchange: HTTPExchange) {
        let options = options(.empty)
        let head = exchange.head
        let isProtobuf =
            head.contentType == "application/x-protobuf"
            || head.header("content-encoding")?.lowercased() == "snappy"
        do throws(LogError) {
            let result =
                isProtobuf
                ? try LokiPushParser.parseProtobuf(
                    body,
                    bytesMax: configuration.bodyBytesMax,
                    options: options
                )
                : try LokiPushParser.parseJSON(body, options: options)
            store(result, .loki, exchange)
        } catch {
            exchange.respond(Self.unreadable(error))
        }
    }

    /// The answer to a body that is not what it should be as a whole.
    static func unreadable(_ error: LogError) -> HTTPResponse {
        if case .damaged(.snappyTooLarge) = error {
            return .error(
                413,
                error: "too_large",
                reason: error.description,
                hint: "nothing was stored; send less at once, or raise body-max"
            )
        }
        return .error(
            400,
            error: "unreadable",
            reason: error.description,
            hint: "nothing of this request was stored"
        )
    }

    /// Stores what was parsed and answers.
    private func store(_ result: LogResult, _ format: LogFormat, _ exchange: HTTPExchange) {
        take(result, format, exchange) { outcome in
            exchange.respond(answer(result, format, outcome).telling(outcome))
        }
    }

    /// Stores what was parsed; `completion` answers, unless it failed as a whole.
    func take(
        _ result: LogResult,
        _ format: LogFormat,
        _ exchange: HTTPExchange,
        failure: @escaping @Sendable (HTTPResponse) -> HTTPResponse = { $0 },
        completion: @escaping @Sendable (AppendOutcome) -> Void
    ) {
        intake.count(result, format)
        guard !result.isTooLarge else {
            exchange.respond(
                failure(
                    .error(
                        413,
                        error: "too_many_rows",
                        reason: "more than \(configuration.logRowsMax) rows (log-rows-max), or "
                            + "more than \(LogLimits().batchBytesMax) bytes of values",
                        hint: "nothing of this request was stored; send fewer rows at once"
                    )
                )
            )
            return
        }
        let headers: IntakeHeaders
        do throws(IntakeHeaders.Refusal) {
            headers = try IntakeHeaders(exchange.head)
        } catch {
            exchange.respond(failure(error.response))
            return
        }
        intake.take(
            result.batch,
            format: format,
            batchID: headers.batchID,
            sync: headers.sync
        ) { outcome in
            switch outcome {
            case .success(let outcome): completion(outcome)
            case .failure(let error): exchange.respond(failure(.failure(error)))
            }
        }
    }

    // MARK: Answers

    /// 200 with counts (Loki: 204 when all was taken); 400 when nothing was taken and something
    /// refused.
    private func answer(
        _ result: LogResult,
        _ format: LogFormat,
        _ outcome: AppendOutcome
    ) -> HTTPResponse {
        let refusedCount = result.refusedCount + (outcome.refusal?.refusedRows ?? 0)
        if format == .loki, refusedCount == 0 { return .empty(204) }
        let isLost = refusedCount > 0 && outcome.rowCount == 0 && !outcome.isDuplicate
        var writer = JSONWriter()
        writer.beginObject()
        if isLost {
            writer.member("error", "nothing_taken")
            writer.member("reason", Self.summary(result, outcome) ?? "")
            writer.member(
                "hint",
                "each refusal names its line or record, and what is wrong with it"
            )
        }
        writer.member("taken", outcome.isDuplicate ? result.batch.rowCount : outcome.rowCount)
        writer.member("refused", refusedCount)
        if result.cutCount > 0 { writer.member("cut", result.cutCount) }
        if refusedCount > 0 {
            writer.key("refusals")
            writer.beginArray()
            for refusal in result.refusals {
                writer.beginObject()
                if refusal.line > 0 { writer.member("line", refusal.line) }
                writer.member("record", refusal.record)
                writer.member("reason", refusal.error.description)
                writer.endObject()
            }
            if let refusal = outcome.refusal {
                writer.beginObject()
                if refusal.firstLine > 0 { writer.member("line", refusal.firstLine) }
                writer.member("reason", Self.reason(refusal))
                writer.endObject()
            }
            writer.endArray()
        }
        writer.endObject()
        return .json(writer.bytes + [0x0A], status: isLost ? 400 : 200)
    }

    static func reason(_ refusal: StreamLimitRefusal) -> String {
        "series-max: \(refusal.refusedStreams) new streams refused, \(refusal.activeStreams) of "
            + "\(refusal.limit) are active; the first is \(refusal.firstStream.description)"
    }

    /// The first refusal and how many there are; nil for none.
    static func summary(_ result: LogResult, _ outcome: AppendOutcome) -> String? {
        if let first = result.refusals.first {
            let place = first.line > 0 ? "line \(first.line)" : "record \(first.record)"
            return "\(place): \(first.error.description); \(result.refusedCount) refused"
        }
        return outcome.refusal.map(reason)
    }

    // MARK: OTLP

    private func takeOTLP(_ body: [UInt8], _ exchange: HTTPExchange) {
        if let refusal = OTLPAnswer.refusal(contentType: exchange.head.contentType) {
            return exchange.respond(refusal)
        }
        let options = options(.empty)
        let isJSON = exchange.head.contentType == "application/json"
        let failure: @Sendable (HTTPResponse) -> HTTPResponse = {
            isJSON ? $0 : OTLPAnswer.status($0)
        }
        do throws(LogError) {
            let result =
                isJSON
                ? try OTLPLogJSONParser.parse(body, options: options)
                : try OTLPLogParser.parse(body, options: options)
            take(result, .otlp, exchange, failure: failure) { outcome in
                let response = OTLPAnswer.partialSuccess(
                    refused: result.refusedCount + (outcome.refusal?.refusedRows ?? 0),
                    message: Self.summary(result, outcome),
                    isJSON: isJSON
                )
                exchange.respond(response.telling(outcome))
            }
        } catch {
            exchange.respond(failure(Self.unreadable(error)))
        }
    }
}
