internal import WeirCore
internal import WeirHTTP
internal import WeirQuery
internal import WeirStore
internal import WeirSystem

/// Live logs: `GET /api/v1/logs/tail` as JSON lines, `GET /loki/api/v1/tail` as a WebSocket.
struct TailEndpoint: Sendable {
    enum Wire: Sendable {
        case lines
        case loki
    }

    /// What a client asked for.
    private struct Request: Sendable {
        let filter: LogQLFollowFilter
        let query: LogQLQuery
        let text: String
        /// Nanoseconds; history begins here.
        let since: Int64
        let limit: Int
    }

    private struct Refusal: Error {
        let reason: String
        let hint: String
    }

    private static let limitMax = 100_000
    private static let unsentBytesMax = 8 << 20

    let store: Store
    let hub: TailHub
    let clock: any WallClock
    let telemetry: ServerTelemetry

    func handle(_ wire: Wire, _ exchange: HTTPExchange) {
        let request: Request
        do throws(Refusal) {
            request = try read(exchange.parameters, wire)
        } catch {
            telemetry.refusedQueries.add(1)
            exchange.respond(
                wire == .loki
                    ? .text(error.reason + "\n", status: 400)
                    : .error(400, error: "bad_query", reason: error.reason, hint: error.hint)
            )
            return
        }
        switch wire {
        case .lines:
            let stream = HTTPBodyStream(queuedBytesMax: Self.unsentBytesMax)
            let isTaken = hub.follow(request.filter, output: JSONLinesOutput(stream)) {
                history(request)
            }
            guard isTaken else {
                exchange.respond(Self.tooMany)
                return
            }
            exchange.respond(
                HTTPResponse.stream(stream, contentType: "application/x-ndjson")
                    // Proxies that gather answers would gather this one for ever.
                    .adding("X-Accel-Buffering", "no").adding("Cache-Control", "no-store")
            )
        case .loki:
            let opening = WebSocketOpening(
                unsentBytesMax: Self.unsentBytesMax,
                onOpen: { socket in
                    let isTaken = hub.follow(request.filter, output: LokiTailOutput(socket)) {
                        history(request)
                    }
                    if !isTaken { socket.close(code: 1013, reason: "too many tails") }
                }
            )
            exchange.respond(WebSocketHandshake.response(to: exchange.head, opening: opening))
        }
    }

    private static var tooMany: HTTPResponse {
        HTTPResponse.error(
            503,
            error: "too_many_tails",
            reason: "\(TailHub.followersMax) tails are open already, or the server stops",
            hint: "close one, and ask again"
        ).adding("Retry-After", "5")
    }

    /// The newest rows of before, oldest first.
    private func history(_ request: Request) -> TailHistory {
        let source = SequencedLogSource(StoreRowSource(store: store, signal: .logs)) {
            store.visibleSequence
        }
        let context = QueryContext()
        do throws(QueryError) {
            let search = try LogSearch(
                request.query,
                times: min(request.since, .max)...Int64.max,
                direction: .backward,
                source: source,
                context: context
            )
            let entries = try search.next(request.limit)
            return TailHistory(
                rows: FollowedRows(entries.reversed()),
                sequence: source.sequence
            )
        } catch {
            return TailHistory(
                rows: .none,
                sequence: 0,
                failure: error.logQLMessage(query: request.text)
            )
        }
    }

    private func read(_ parameters: HTTPQuery, _ wire: Wire) throws(Refusal) -> Request {
        let text = parameters["query"] ?? ""
        let now = clock.nowNanoseconds()
        var since = now - 3_600_000_000_000
        if let given = parameters[wire == .lines ? "since" : "start"] {
            // A duration looks back from now; anything else is a time.
            if let past = Units.nanoseconds(given), given != "0" {
                since = now - min(past, now)
            } else if given == "0" {
                since = now
            } else if let time = LogTimestamp.nanoseconds(given) {
                since = time
            } else {
                throw Refusal(
                    reason: "\(given) is neither a duration nor a time",
                    hint: "use 15m, 2026-01-02T03:04:05Z, or seconds or nanoseconds since 1970"
                )
            }
        }
        var limit = 100
        if let given = parameters["limit"] {
            guard let count = Int(given), (0...Self.limitMax).contains(count) else {
                throw Refusal(
                    reason: "limit \(given) is not a number from 0 to \(Self.limitMax)",
                    hint: "limit says how many lines of history come first"
                )
            }
            limit = count
        }
        if let given = parameters["delay_for"], !given.isEmpty {
            guard let seconds = Int(given), (0...5).contains(seconds) else {
                throw Refusal(
                    reason: "delay_for \(given) is not a number of seconds from 0 to 5",
                    hint: "leave it out: lines come in the order in which they were accepted"
                )
            }
        }
        do throws(QueryError) {
            let query = try LogText.parse(text)
            return Request(
                filter: try LogQLFollowFilter(query),
                query: query,
                text: text,
                since: since,
                limit: limit
            )
        } catch {
            throw Refusal(
                reason: error.logQLMessage(query: text),
                hint: #"a log query looks like {service="checkout"} |= "error""#
            )
        }
    }
}
