internal import WeirCore
internal import WeirHTTP
internal import WeirStore
internal import WeirSystem
internal import WeirWire

/// Line protocol in: `POST /write` and `POST /api/v2/write`.
struct WriteEndpoint: Sendable {
    let store: Store
    let configuration: ServerConfiguration
    let clock: any WallClock
    let telemetry: ServerTelemetry
    /// Parses large bodies, so that they hold no server thread.
    let pool: WorkerPool

    /// Bodies up to this size are parsed where they arrive.
    private static let inlineBytesMax = 64 << 10
    private static let batchIDBytesMax = 128

    func handle(_ exchange: HTTPExchange) {
        let body = exchange.takeBody()
        if body.count <= Self.inlineBytesMax {
            take(body, exchange)
        } else {
            pool.submit { take(body, exchange) }
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
                refusal(
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
        let batchID = Array((exchange.head.header("x-weir-batch-id") ?? "").utf8)
        guard batchID.count <= Self.batchIDBytesMax else {
            exchange.respond(
                refusal(
                    reason: "X-Weir-Batch-Id has \(batchID.count) bytes",
                    hint: "at most \(Self.batchIDBytesMax) are allowed"
                )
            )
            return
        }
        let sync = exchange.head.header("x-weir-sync").map { SyncMode(text: $0) }
        if let sync, sync == nil {
            exchange.respond(
                refusal(
                    reason: "X-Weir-Sync is not a sync mode",
                    hint: "use \"always\" or a duration such as \"1s\""
                )
            )
            return
        }
        let result = LineProtocolParser.parse(body, options: options)
        telemetry.refusedLines.add(result.refusedLineCount)
        telemetry.skippedStrings.add(result.stringFieldCount)
        if result.batch.rowCount == 0 {
            exchange.respond(answer(result, AppendOutcome()))
            return
        }
        store.append(result.batch, batchID: batchID, sync: sync ?? nil) { outcome in
            switch outcome {
            case .success(let outcome): exchange.respond(answer(result, outcome))
            case .failure(let error): exchange.respond(Self.failure(error))
            }
        }
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
        if outcome.isDuplicate { response.headers.append(("X-Weir-Duplicate", "true")) }
        response.headers.append(
            ("X-Weir-Durability", outcome.isDurable ? "synced" : "interval")
        )
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
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("error", "partial_write")
        writer.member("reason", message)
        writer.member("hint", "the lines named were not stored; all others were")
        // The names InfluxDB 2's clients read.
        writer.member("code", "invalid")
        writer.member("message", message)
        writer.member("taken", outcome.rowCount)
        writer.member("refused_lines", result.refusedLineCount)
        writer.key("lines")
        writer.beginArray()
        for (line, reason) in reasons {
            writer.beginObject()
            writer.member("line", line)
            writer.member("reason", reason)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return .json(writer.bytes, status: 400)
    }

    private func refusal(reason: String, hint: String) -> HTTPResponse {
        .error(400, error: "bad_request", reason: reason, hint: hint)
    }

    static func failure(_ error: StoreError) -> HTTPResponse {
        switch error {
        case .diskFull(let error):
            .error(
                507,
                error: "disk_full",
                reason: error.description,
                hint: "nothing was stored; make room, and send it again"
            )
        case .memoryFull(let bytes, let limit):
            HTTPResponse.error(
                429,
                error: "memory_full",
                reason: "rows in memory take \(bytes) bytes of memory-rows-max \(limit)",
                hint: "nothing was stored; send it again in a moment"
            ).adding("Retry-After", "1")
        case .stopping:
            HTTPResponse.error(
                503,
                error: "stopping",
                reason: "the server is stopping",
                hint: "nothing was stored; send it again"
            ).adding("Retry-After", "5")
        default:
            .error(
                500,
                error: "storage",
                reason: "\(error)",
                hint: "nothing was stored; see the server's log"
            )
        }
    }
}
