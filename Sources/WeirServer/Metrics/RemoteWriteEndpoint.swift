internal import Synchronization
internal import WeirCore
internal import WeirHTTP
internal import WeirStore
internal import WeirSystem
internal import WeirWire

/// Prometheus's remote write in, versions 1.0 and 2.0: `POST /api/v1/write`.
///
/// 204: all of it is on disk and visible. 400: what is named was not taken, the rest was; a sender does
/// not send it again. 5xx: nothing was taken, and a sender does. docs/metrics-in.md.
final class RemoteWriteEndpoint: Sendable {
    static let path = "/api/v1/write"

    /// Bodies up to this size are parsed where they arrive.
    private static let inlineBytesMax = 64 << 10
    /// Benches that wait for the next request: as many as are used at once.
    private static let benchesMax = 4
    private static let bufferBytesMax = 4 << 20

    private let intake: MetricIntake
    private let configuration: ServerConfiguration
    private let clock: any WallClock
    private let pool: WorkerPool
    private let benches = Mutex<[Bench]>([])

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
        guard let version = Self.version(exchange.head) else {
            let type = exchange.head.header("content-type") ?? ""
            return exchange.respond(
                .error(
                    415,
                    error: "unknown_content_type",
                    reason: "Content-Type \(type) is not understood here",
                    hint: "send application/x-protobuf, with proto=prometheus.WriteRequest or "
                        + "proto=io.prometheus.write.v2.Request"
                )
            )
        }
        let encoding = exchange.head.header("content-encoding")?.lowercased() ?? "snappy"
        guard encoding == "snappy" else {
            return exchange.respond(
                .error(
                    415,
                    error: "unknown_encoding",
                    reason: "Content-Encoding \(encoding) is not understood here",
                    hint: "send snappy, in its block format"
                )
            )
        }
        let body = exchange.takeBody()
        if body.count <= Self.inlineBytesMax {
            take(body, version, exchange)
        } else {
            pool.submit { [self] in take(body, version, exchange) }
        }
    }

    /// The message that a request says it has; nil when it is none of the two.
    private static func version(_ head: HTTPRequestHead) -> RemoteWriteVersion? {
        guard let text = head.header("content-type"), !text.isEmpty else { return .one }
        guard head.contentType == "application/x-protobuf" else { return nil }
        for parameter in text.split(separator: ";").dropFirst() {
            let parts = parameter.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0].filter({ $0 != " " }).lowercased() == "proto" else {
                continue
            }
            switch parts[1].filter({ $0 != " " && $0 != "\"" }) {
            case "prometheus.WriteRequest": return .one
            case "io.prometheus.write.v2.Request": return .two
            default: return nil
            }
        }
        return .one
    }

    private func take(_ packed: [UInt8], _ version: RemoteWriteVersion, _ exchange: HTTPExchange) {
        var options = MetricOptions(now: clock.nowNanoseconds())
        options.futureMax = configuration.futureMax
        options.labelsMax = configuration.labelsMax
        options.labelNameBytesMax = configuration.labelNameBytesMax
        options.labelValueBytesMax = configuration.labelValueBytesMax
        let headers: IntakeHeaders
        do throws(IntakeHeaders.Refusal) {
            headers = try IntakeHeaders(exchange.head)
        } catch {
            exchange.respond(error.response)
            return
        }
        let batches: MetricBatches
        do throws(Refusal) {
            batches = try parse(packed, version, options)
        } catch {
            exchange.respond(
                .error(
                    error.isTooLarge ? 413 : 400,
                    error: error.isTooLarge ? "too_large" : "unreadable",
                    reason: error.reason,
                    hint: "nothing of this request was stored"
                )
            )
            return
        }
        intake.take(
            batches,
            format: .remoteWrite,
            batchID: headers.batchID,
            sync: headers.sync
        ) { outcome in
            switch outcome {
            case .success(let outcome):
                exchange.respond(Self.answer(batches, outcome, version))
            case .failure(.memoryFull(let bytes, let limit)):
                // Prometheus sends again what was answered 5xx, and by default drops what was 429.
                exchange.respond(
                    HTTPResponse.error(
                        503,
                        error: "memory_full",
                        reason: "rows in memory take \(bytes) bytes of memory-rows-max \(limit)",
                        hint: "nothing was stored; send it again in a moment"
                    ).adding("Retry-After", "1").telling(version, MetricIntake.Outcome())
                )
            case .failure(let error):
                exchange.respond(
                    HTTPResponse.failure(error).telling(version, MetricIntake.Outcome())
                )
            }
        }
    }

    private func parse(
        _ packed: [UInt8],
        _ version: RemoteWriteVersion,
        _ options: MetricOptions
    ) throws(Refusal) -> MetricBatches {
        var bench = benches.withLock { $0.popLast() } ?? Bench()
        let result = Result { () throws(Refusal) in
            try bench.read(packed, version, options, bytesMax: configuration.bodyBytesMax)
        }
        if bench.body.capacity > Self.bufferBytesMax { bench.body = [] }
        benches.withLock { [bench] waiting in
            if waiting.count < Self.benchesMax { waiting.append(bench) }
        }
        return try result.get()
    }

    /// Why a whole request was not taken.
    private struct Refusal: Error {
        var isTooLarge = false
        let reason: String
    }

    /// What one parse works with, kept for the next.
    private struct Bench: Sendable {
        var interner = SeriesInterner()
        /// A body unpacked: fresh memory would cost more than unpacking does.
        var body: [UInt8] = []

        mutating func read(
            _ packed: [UInt8],
            _ version: RemoteWriteVersion,
            _ options: MetricOptions,
            bytesMax: Int
        ) throws(Refusal) -> MetricBatches {
            do throws(SnappyBlock.Failure) {
                try SnappyBlock.unpack(packed, bytesMax: bytesMax, into: &body)
            } catch {
                switch error {
                case .damaged: throw Refusal(reason: "damaged snappy")
                case .tooLarge(let bytes, let limit):
                    throw Refusal(
                        isTooLarge: true,
                        reason: "\(bytes) bytes where \(limit) are allowed"
                    )
                }
            }
            do throws(RemoteWriteError) {
                return try RemoteWriteParser.parse(
                    body,
                    version: version,
                    options: options,
                    interner: &interner
                )
            } catch {
                if case .tooManyRows = error {
                    throw Refusal(isTooLarge: true, reason: error.description)
                }
                throw Refusal(reason: error.description)
            }
        }
    }

    private static func answer(
        _ batches: MetricBatches,
        _ outcome: MetricIntake.Outcome,
        _ version: RemoteWriteVersion
    ) -> HTTPResponse {
        let limits = outcome.limitRefusals
        guard batches.refusedCount > 0 || !limits.isEmpty else {
            return HTTPResponse.empty(204).telling(outcome.samples).telling(version, outcome)
        }
        var reasons = batches.refusals.prefix(10).map { "series \($0.line): \($0.reason)" }
        reasons += limits.map(\.reason)
        let refused = batches.refusedCount + limits.reduce(0) { $0 + $1.refusedRows }
        return HTTPResponse.error(
            400,
            error: "partial_write",
            reason: "\(refused) refused, \(outcome.rowCount) taken: "
                + reasons.joined(separator: "; "),
            hint: "what was named was not stored; all else was"
        ).telling(outcome.samples).telling(version, outcome)
    }
}

extension StreamLimitRefusal {
    /// What a sender is told.
    var reason: String {
        "series-max: \(refusedStreams) new series refused, \(activeStreams) of \(limit) are active; "
            + "the first is \(firstStream)"
    }
}

extension HTTPResponse {
    /// With the headers in which version 2.0 says what was written.
    fileprivate func telling(
        _ version: RemoteWriteVersion,
        _ outcome: MetricIntake.Outcome
    ) -> HTTPResponse {
        guard version == .two else { return self }
        let name = "X-Prometheus-Remote-Write"
        return adding("\(name)-Samples-Written", String(outcome.samples.rowCount))
            .adding("\(name)-Histograms-Written", String(outcome.histograms.rowCount))
            .adding("\(name)-Exemplars-Written", String(outcome.exemplars.rowCount))
    }
}
