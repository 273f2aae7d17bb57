internal import WeirCore
internal import WeirHTTP
internal import WeirPattern
internal import WeirQuery
internal import WeirStore
internal import WeirWire

/// Prometheus's remote read: `POST /api/v1/read`, answered with samples.
///
/// docs/metrics-in.md.
struct RemoteReadEndpoint: Sendable {
    static let path = "/api/v1/read"
    /// Samples of one answer, which is made whole before it is sent.
    private static let samplesMax = 5_000_000

    let store: Store
    let configuration: ServerConfiguration
    let frame: QueryFrame

    func handle(_ exchange: HTTPExchange) {
        let packed = exchange.takeBody()
        let request: RemoteReadRequest
        do throws(SnappyBlock.Failure) {
            let body = try SnappyBlock.unpack(packed, bytesMax: configuration.bodyBytesMax)
            do throws(RemoteWriteError) {
                request = try RemoteReadRequest(body)
            } catch {
                return exchange.respond(
                    .badRequest(reason: error.description, hint: "send prometheus.ReadRequest")
                )
            }
        } catch {
            return exchange.respond(
                .badRequest(reason: "damaged snappy", hint: "send snappy, in its block format")
            )
        }
        guard request.acceptsSamples else {
            return exchange.respond(
                .badRequest(
                    reason: "none of the accepted response types is spoken here",
                    hint: "accept SAMPLES"
                )
            )
        }
        frame.handle(exchange) { [self] _, context in
            do throws(QueryError) {
                var response = HTTPResponse(
                    status: 200,
                    headers: [
                        ("Content-Type", "application/x-protobuf"), ("Content-Encoding", "snappy"),
                    ]
                )
                response.body = .bytes(SnappyBlock.pack(try answer(request, context)))
                return response
            } catch {
                return .error(
                    error == .cancelled ? 499 : 400,
                    error: "read",
                    reason: error.message(query: ""),
                    hint: "ask for less at once"
                )
            }
        }
    }

    /// A `ReadResponse`.
    private func answer(
        _ request: RemoteReadRequest,
        _ context: QueryContext
    ) throws(QueryError) -> [UInt8] {
        var response = ProtobufWriter()
        var sampleCount = 0
        for query in request.queries {
            response.bytes(1, try result(query, context, &sampleCount))
        }
        return response.bytes
    }

    /// A `QueryResult`.
    private func result(
        _ query: RemoteReadRequest.Query,
        _ context: QueryContext,
        _ sampleCount: inout Int
    ) throws(QueryError) -> [UInt8] {
        let budget = QueryBudget(context: context)
        let gathered = GatheredSeries(samplesMax: Self.samplesMax - sampleCount)
        let selection: StreamSelection
        do throws(StoreError) {
            selection = try store.select(
                signal: .metrics,
                matchers: query.matchers.map(Self.matcher),
                times: StoreSampleSource.nanoseconds(
                    query.startMilliseconds,
                    query.endMilliseconds
                ),
                budget: budget
            )
            try selection.scanFloats(timeUnit: 1_000_000, budget: budget) {
                gathered.add($0, $1, $2)
            }
        } catch {
            if gathered.isFull {
                throw .limit(name: "samples of one remote read", limit: Self.samplesMax)
            }
            throw StoreSampleSource.queryError(error, budget)
        }
        let series = gathered.all
        sampleCount += series.values.reduce(0) { $0 + $1.times.count }
        var found = selection.labels.indices.filter { series[$0] != nil }.map { place in
            (pairs: Self.sorted(selection.labels[place].pairs), place: place)
        }
        found.sort { Self.precedes($0.pairs, $1.pairs) }
        var result = ProtobufWriter()
        for (pairs, place) in found {
            guard let samples = series[place] else { continue }
            result.bytes(1, Self.timeSeries(pairs, samples.times, samples.values))
        }
        return result.bytes
    }

    private static func timeSeries(
        _ pairs: [(name: String, value: String)],
        _ times: [Int64],
        _ values: [Double]
    ) -> [UInt8] {
        var writer = ProtobufWriter()
        for pair in pairs {
            var label = ProtobufWriter()
            label.bytes(1, Array(pair.name.utf8))
            label.bytes(2, Array(pair.value.utf8))
            writer.bytes(1, label.bytes)
        }
        for (time, value) in zip(times, values) {
            var sample = ProtobufWriter()
            sample.fixed64(1, value.bitPattern)
            sample.varint(2, UInt64(bitPattern: time))
            writer.bytes(2, sample.bytes)
        }
        return writer.bytes
    }

    private static func matcher(_ matcher: RemoteReadRequest.Matcher) -> LabelMatcher {
        let operation: LabelMatcher.Operation =
            switch matcher.kind {
            case .equal: .equal
            case .notEqual: .notEqual
            case .matches: .matches
            case .matchesNot: .notMatches
            }
        return LabelMatcher(name: matcher.name, operation: operation, value: matcher.value)
    }

    /// By the names' bytes, as Prometheus orders labels; `__name__` is a name like others.
    private static func sorted(
        _ pairs: [(name: String, value: String)]
    ) -> [(name: String, value: String)] {
        pairs.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// Pair by pair; of two sets that begin alike the shorter is first.
    private static func precedes(
        _ left: [(name: String, value: String)],
        _ right: [(name: String, value: String)]
    ) -> Bool {
        for (one, other) in zip(left, right) {
            if one.name != other.name {
                return one.name.utf8.lexicographicallyPrecedes(other.name.utf8)
            }
            if one.value != other.value {
                return one.value.utf8.lexicographicallyPrecedes(other.value.utf8)
            }
        }
        return left.count < right.count
    }
}
