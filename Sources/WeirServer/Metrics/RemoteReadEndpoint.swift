internal import Synchronization
internal import WeirCore
internal import WeirHTTP
internal import WeirPattern
internal import WeirQuery
internal import WeirStore
internal import WeirWire

/// Prometheus's remote read: `POST /api/v1/read`, answered with chunks or samples.
///
/// docs/metrics-in.md.
struct RemoteReadEndpoint: Sendable {
    static let path = "/api/v1/read"
    /// Samples of one answer, which is made whole before it is sent.
    private static let samplesMax = 5_000_000

    let store: Store
    let configuration: ServerConfiguration
    let frame: QueryFrame
    let externalLabels: ExternalLabels

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
        guard request.acceptsSamples || request.acceptsChunks else {
            return exchange.respond(
                .badRequest(
                    reason: "none of the accepted response types is spoken here",
                    hint: "accept SAMPLES or STREAMED_XOR_CHUNKS"
                )
            )
        }
        frame.handle(exchange) { [self] _, context in
            do throws(QueryError) {
                return try answer(request, context)
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

    /// Chunks where they are accepted, else samples.
    private func answer(
        _ request: RemoteReadRequest,
        _ context: QueryContext
    ) throws(QueryError) -> HTTPResponse {
        let budget = QueryBudget(context: context)
        let external = externalLabels.current
        var selections: [Selection] = []
        do throws(StoreError) {
            for query in request.queries { selections.append(try select(query, external, budget)) }
        } catch {
            throw StoreSampleSource.queryError(error, budget)
        }
        if request.acceptsChunks {
            var bytes: [UInt8] = []
            for (query, selection) in selections.enumerated() {
                try appendChunks(selection, query, external, context, budget, to: &bytes)
            }
            return response(bytes, ChunkFrame.contentType, encoding: nil)
        }
        var message = ProtobufWriter()
        var sampleCount = 0
        for selection in selections {
            message.bytes(
                1,
                try result(selection, external, context, budget, &sampleCount)
            )
        }
        return response(
            SnappyBlock.pack(message.bytes),
            "application/x-protobuf",
            encoding: "snappy"
        )
    }

    private func response(_ body: [UInt8], _ type: String, encoding: String?) -> HTTPResponse {
        var response = HTTPResponse(status: 200, headers: [("Content-Type", type)])
        if let encoding { response.headers.append(("Content-Encoding", encoding)) }
        response.body = .bytes(body)
        return response
    }

    /// The streams that a query selects.
    private struct Selection {
        let floats: StreamSelection
        let histograms: StreamSelection
    }

    /// Where a condition asks for an external label's value, those series are asked for that have no
    /// such label, as Prometheus does.
    private func select(
        _ query: RemoteReadRequest.Query,
        _ external: [String: String],
        _ budget: QueryBudget
    ) throws(StoreError) -> Selection {
        let matchers = query.matchers.map { asked in
            asked.kind == .equal && external[asked.name] == asked.value
                ? LabelMatcher(name: asked.name, operation: .equal, value: "")
                : Self.matcher(asked)
        }
        func select(_ signal: Signal) throws(StoreError) -> StreamSelection {
            try store.select(
                signal: signal,
                matchers: matchers,
                times: StoreSampleSource.nanoseconds(
                    query.startMilliseconds,
                    query.endMilliseconds
                ),
                budget: budget
            )
        }
        return Selection(floats: try select(.metrics), histograms: try select(.histograms))
    }

    /// Appends a frame for each series that has samples.
    private func appendChunks(
        _ selection: Selection,
        _ query: Int,
        _ external: [String: String],
        _ context: QueryContext,
        _ budget: QueryBudget,
        to bytes: inout [UInt8]
    ) throws(QueryError) {
        let found = Mutex<[Labels: [[UInt8]]]>([:])
        let histograms = GatheredHistograms(budget)
        // Samples of series that have both kinds are put in order of time later.
        let mixed = GatheredSeries(budget, samplesMax: Self.samplesMax)
        let withHistograms = Set(selection.histograms.labels)
        let labels = selection.floats.labels
        do throws(StoreError) {
            try selection.floats.scanFloats(timeUnit: 1_000_000, budget: budget) {
                place,
                times,
                values in
                guard !withHistograms.contains(labels[place]) else {
                    return mixed.add(place, times, values)
                }
                let chunks = RemoteReadMessages.chunks(times, values)
                guard budget.reserve(bytes: Self.cost(chunks)) else { return false }
                if !chunks.isEmpty { found.withLock { $0[labels[place]] = chunks } }
                return true
            }
            try histograms.read(selection.histograms, timeUnit: 1_000_000)
        } catch {
            throw Self.error(error, mixed, histograms, budget)
        }
        var series = found.withLock { $0 }
        let floats = Dictionary(
            mixed.all.map { (labels[$0.key], $0.value) },
            uniquingKeysWith: { first, _ in first }
        )
        for (labels, samples) in floats where series[labels] == nil {
            let chunks = RemoteReadMessages.chunks(samples.times, samples.values, [])
            try context.reserve(bytes: Self.cost(chunks))
            series[labels] = chunks
        }
        for (place, samples) in histograms.all {
            let labels = selection.histograms.labels[place]
            let plain = floats[labels]
            let chunks = RemoteReadMessages.chunks(
                plain?.times ?? [],
                plain?.values ?? [],
                samples
            )
            try context.reserve(bytes: Self.cost(chunks))
            series[labels] = chunks
        }
        let all = series.map { (pairs: Self.sorted($0, adding: external), chunks: $1) }
        for (pairs, chunks) in all.sorted(by: { Self.precedes($0.pairs, $1.pairs) }) {
            let message = RemoteReadMessages.chunkedResponse(pairs, chunks: chunks, query: query)
            ChunkFrame.append(message, to: &bytes)
        }
    }

    /// The bytes of a series' chunks: here, and once more in the answer.
    private static func cost(_ chunks: [[UInt8]]) -> Int {
        chunks.reduce(0) { $0 + 2 * $1.count + 64 }
    }

    private static func error(
        _ error: StoreError,
        _ floats: GatheredSeries,
        _ histograms: GatheredHistograms,
        _ budget: QueryBudget
    ) -> QueryError {
        if floats.isFull { return .limit(name: "samples of one remote read", limit: samplesMax) }
        if histograms.isDamaged { return .storage(reason: "a histogram cannot be read") }
        return StoreSampleSource.queryError(error, budget)
    }

    /// A `QueryResult`.
    private func result(
        _ selection: Selection,
        _ external: [String: String],
        _ context: QueryContext,
        _ budget: QueryBudget,
        _ sampleCount: inout Int
    ) throws(QueryError) -> [UInt8] {
        let floats = GatheredSeries(budget, samplesMax: Self.samplesMax - sampleCount)
        let histograms = GatheredHistograms(budget)
        do throws(StoreError) {
            try selection.floats.scanFloats(timeUnit: 1_000_000, budget: budget) {
                floats.add($0, $1, $2)
            }
            try histograms.read(selection.histograms, timeUnit: 1_000_000)
        } catch {
            throw Self.error(error, floats, histograms, budget)
        }
        struct Series {
            var floats: GatheredSeries.Samples = ([], [])
            var histograms: GatheredHistograms.Samples = []
        }
        var series: [Labels: Series] = [:]
        for (place, samples) in floats.all {
            sampleCount += samples.times.count
            series[selection.floats.labels[place], default: Series()].floats = samples
        }
        for (place, samples) in histograms.all {
            series[selection.histograms.labels[place], default: Series()].histograms = samples
        }
        let all = series.map { (pairs: Self.sorted($0, adding: external), series: $1) }
        var result = ProtobufWriter()
        for (pairs, one) in all.sorted(by: { Self.precedes($0.pairs, $1.pairs) }) {
            let message = RemoteReadMessages.timeSeries(
                pairs,
                one.floats.times,
                one.floats.values,
                one.histograms
            )
            // Here, once more in the message, and packed.
            try context.reserve(bytes: 3 * message.count)
            result.bytes(1, message)
        }
        return result.bytes
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

    /// With the external labels that it does not have, by the names' bytes, as Prometheus orders
    /// labels; `__name__` is a name like others.
    private static func sorted(
        _ labels: Labels,
        adding external: [String: String]
    ) -> [(name: String, value: String)] {
        let added = external.filter { labels[$0.key] == nil }.map {
            (name: $0.key, value: $0.value)
        }
        return (labels.pairs.map { (name: $0.name, value: $0.value) } + added)
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
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
