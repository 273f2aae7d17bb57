internal import WeirCore
internal import WeirHTTP
internal import WeirStore
internal import WeirSystem
internal import WeirWire

/// Spans in: OTLP, Zipkin, Jaeger and Weir's JSON lines.
///
/// Formats and answers: docs/traces-in.md.
struct SpansEndpoint: Sendable {
    /// Bodies up to this size are parsed where they arrive.
    private static let inlineBytesMax = 64 << 10

    let intake: SpanIntake
    let configuration: ServerConfiguration
    let clock: any WallClock
    /// Parses large bodies, so that they hold no server thread.
    let pool: WorkerPool

    func handle(_ wire: SpanWire, _ exchange: HTTPExchange) {
        if wire == .otlp,
            let refusal = OTLPAnswer.refusal(contentType: exchange.head.contentType)
        {
            return exchange.respond(refusal)
        }
        let bytes = exchange.takeBody()
        if bytes.count <= Self.inlineBytesMax {
            take(bytes, wire, exchange)
        } else {
            pool.submit { take(bytes, wire, exchange) }
        }
    }

    private func take(_ body: [UInt8], _ wire: SpanWire, _ exchange: HTTPExchange) {
        let isJSON = exchange.head.contentType == "application/json"
        let failure: @Sendable (HTTPResponse) -> HTTPResponse = {
            wire == .otlp && !isJSON ? OTLPAnswer.status($0) : $0
        }
        var options = SpanOptions(now: clock.nowNanoseconds())
        options.limits = configuration.spanLimits
        let result: SpanResult
        do throws(SpanError) {
            result =
                switch wire {
                case .otlp where isJSON: try OTLPSpanJSONParser.parse(body, options: options)
                case .otlp: try OTLPSpanParser.parse(body, options: options)
                case .zipkin: try ZipkinSpanParser.parse(body, options: options)
                case .jaeger: try JaegerSpanParser.parse(body, options: options)
                case .json: JSONSpanParser.parse(body, options: options)
                }
        } catch {
            exchange.respond(failure(Self.unreadable(error)))
            return
        }
        guard !result.isTooLarge else {
            exchange.respond(failure(Self.tooLarge(options.limits)))
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
            result,
            wire: wire,
            batchID: headers.batchID,
            sync: headers.sync
        ) { outcome in
            switch outcome {
            case .success(let outcome):
                let answer =
                    wire == .otlp
                    ? OTLPAnswer.partialSuccess(
                        refused: result.refusedCount,
                        message: Self.summary(result),
                        isJSON: isJSON,
                        refusedName: "rejectedSpans"
                    ) : Self.answer(result, wire)
                exchange.respond(answer.telling(outcome))
            case .failure(let error): exchange.respond(failure(.failure(error)))
            }
        }
    }

    // MARK: Answers

    private static func unreadable(_ error: SpanError) -> HTTPResponse {
        .error(
            400,
            error: "unreadable",
            reason: error.description,
            hint: "nothing of this request was stored"
        )
    }

    private static func tooLarge(_ limits: SpanLimits) -> HTTPResponse {
        .error(
            413,
            error: "too_many_spans",
            reason: "more than \(limits.spansMax) spans (spans-max), or more than "
                + "\(limits.batchBytesMax) bytes of values",
            hint: "nothing of this request was stored; send fewer spans at once"
        )
    }

    private static func place(_ refusal: SpanRefusal) -> String {
        refusal.line > 0 ? "line \(refusal.line)" : "span \(refusal.record)"
    }

    /// The first refusal and how many there are; nil for none.
    private static func summary(_ result: SpanResult) -> String? {
        result.refusals.first.map {
            "\(place($0)): \($0.error.description); \(result.refusedCount) refused"
        }
    }

    /// 202 (Weir's own: 200) when anything was taken or nothing refused, else 400; with counts
    /// where there is something to tell.
    private static func answer(_ result: SpanResult, _ wire: SpanWire) -> HTTPResponse {
        let isLost = result.refusedCount > 0 && result.batch.rowCount == 0
        let status = isLost ? 400 : wire == .json ? 200 : 202
        if wire != .json, result.refusedCount == 0 { return .empty(202) }
        var writer = JSONWriter()
        writer.beginObject()
        if isLost {
            writer.member("error", "nothing_taken")
            writer.member("reason", summary(result) ?? "")
            writer.member("hint", "each refusal names its line or span, and what is wrong with it")
        }
        writer.member("taken", result.batch.rowCount)
        writer.member("refused", result.refusedCount)
        if result.cutCount > 0 { writer.member("cut", result.cutCount) }
        if !result.refusals.isEmpty {
            writer.key("refusals")
            writer.beginArray()
            for refusal in result.refusals {
                writer.beginObject()
                if refusal.line > 0 { writer.member("line", refusal.line) }
                writer.member("span", refusal.record)
                writer.member("reason", refusal.error.description)
                writer.endObject()
            }
            writer.endArray()
        }
        writer.endObject()
        return .json(writer.bytes + [0x0A], status: status)
    }
}
