internal import WeirCore
internal import WeirHTTP
internal import WeirPattern
internal import WeirQuery
internal import WeirStore

/// Samples out as they are kept: `GET /api/v1/export`.
///
/// `match[]`, `start`, `end`, `format`; a stream, series by series. Holds a query thread for as long as
/// its client reads.
struct ExportEndpoint: Sendable {
    /// Series, and about how many samples, that are gathered at once.
    private static let seriesPerGroup = 65_536
    private static let samplesPerGroup = 1_000_000
    private static let histogramsPerGroup = 50_000
    /// As many bytes of the query's memory there are for each of them, or fewer are gathered.
    private static let bytesPerSample = 64
    private static let bytesPerHistogram = 8 << 10

    let store: Store
    let frame: QueryFrame

    private struct Request {
        var matcherSets: [[LabelMatcher]] = []
        var times: ClosedRange<Int64> = Int64.min...Int64.max
        var format = ExportFormat.json
    }

    func handle(_ exchange: HTTPExchange) {
        frame.handle(exchange, isStream: true) { [self] parameters, context in
            switch Self.request(parameters) {
            case .failure(let refusal): return refusal.response
            case .success(let request):
                let body = HTTPBodyStream(isGzip: exchange.head.acceptsGzip)
                var response = HTTPResponse.stream(body, contentType: request.format.contentType)
                if body.isGzip { response.headers.append(("Content-Encoding", "gzip")) }
                exchange.respond(response)
                do throws(QueryError) {
                    try export(request, to: body, context)
                    body.finish()
                } catch {
                    body.fail()
                }
                return nil
            }
        }
    }

    private static func request(
        _ parameters: [(String, String)]
    ) -> Result<Request, IntakeHeaders.Refusal> {
        func refuse(_ reason: String, _ hint: String) -> Result<Request, IntakeHeaders.Refusal> {
            .failure(IntakeHeaders.Refusal(response: .badRequest(reason: reason, hint: hint)))
        }
        var request = Request()
        var (first, last) = (Int64.min, Int64.max)
        for (name, text) in parameters where !text.isEmpty {
            switch name {
            case "match[]", "match":
                do throws(QueryError) {
                    request.matcherSets.append(try PromQLParser.parseSelector(text).matchers)
                } catch {
                    return refuse("\(name): \(error.message(query: text))", "use a selector")
                }
            case "start", "end":
                guard let time = PrometheusTime.milliseconds(text) else {
                    return refuse(
                        "\(name): \"\(text)\" is no time",
                        "use seconds since 1970 or RFC 3339"
                    )
                }
                let (product, overflow) = time.multipliedReportingOverflow(by: 1_000_000)
                let limit: Int64 = time < 0 ? .min : .max
                if name == "start" {
                    first = overflow ? limit : product
                } else {
                    let (sum, carry) = product.addingReportingOverflow(999_999)
                    last = overflow || carry ? limit : sum
                }
            case "format":
                guard let format = ExportFormat(rawValue: text) else {
                    return refuse(
                        "format \"\(text)\" is not known",
                        "use json, prometheus, openmetrics or line"
                    )
                }
                request.format = format
            default: break
            }
        }
        guard !request.matcherSets.isEmpty else {
            return refuse("no match[] was given", "use match[]={__name__!=\"\"} for everything")
        }
        guard first <= last else { return refuse("end is before start", "turn them round") }
        request.times = first...last
        return .success(request)
    }

    private func export(
        _ request: Request,
        to body: HTTPBodyStream,
        _ context: QueryContext
    ) throws(QueryError) {
        let budget = QueryBudget(context: context)
        do throws(StoreError) {
            guard try export(.metrics, request, to: body, context, budget) else { return }
            if request.format.hasHistograms {
                guard try export(.histograms, request, to: body, context, budget) else { return }
            }
        } catch {
            throw StoreSampleSource.queryError(error, budget)
        }
        _ = body.write(request.format.end)
    }

    /// Writes all that one signal has of a request.
    ///
    /// - Returns: Whether the client still reads.
    private func export(
        _ signal: Signal,
        _ request: Request,
        to body: HTTPBodyStream,
        _ context: QueryContext,
        _ budget: QueryBudget
    ) throws(StoreError) -> Bool {
        let memory = context.memoryBytesMax
        let perGroup =
            signal == .histograms
            ? min(Self.histogramsPerGroup, memory / Self.bytesPerHistogram)
            : min(Self.samplesPerGroup, memory / Self.bytesPerSample)
        // What a selector before has given out already.
        var done: Set<Labels> = []
        for matchers in request.matcherSets {
            let selection = try store.select(
                signal: signal,
                matchers: matchers,
                times: request.times,
                budget: budget
            )
            let count = selection.labels.count
            let perSeries = max(1, selection.rowCountMax / max(1, count))
            let step = max(1, min(Self.seriesPerGroup, perGroup / perSeries))
            for start in stride(from: 0, to: count, by: step) {
                let part = selection.narrowed(to: start..<min(count, start + step))
                let isRead =
                    signal == .histograms
                    ? try writeHistograms(part, request.format, except: done, to: body, budget)
                    : try write(part, request.format, except: done, to: body, budget)
                guard isRead else { return false }
            }
            if request.matcherSets.count > 1 { done.formUnion(selection.labels) }
        }
        return true
    }

    /// As `write`, of native histograms.
    private func writeHistograms(
        _ selection: StreamSelection,
        _ format: ExportFormat,
        except done: Set<Labels>,
        to body: HTTPBodyStream,
        _ budget: QueryBudget
    ) throws(StoreError) -> Bool {
        let gathered = GatheredHistograms(budget)
        try gathered.read(selection, timeUnit: format.timeUnit)
        let streams = gathered.all
        var pieces = ExportPieces { body.write($0) }
        for (place, labels) in selection.labels.enumerated() {
            guard let found = streams[place], !done.contains(labels) else { continue }
            guard ExportFormat.append(labels, found, to: &pieces) else { return false }
        }
        return pieces.writeRest()
    }

    /// Gathers the samples of some series, and writes them in order.
    ///
    /// - Returns: Whether the client still reads.
    private func write(
        _ selection: StreamSelection,
        _ format: ExportFormat,
        except done: Set<Labels>,
        to body: HTTPBodyStream,
        _ budget: QueryBudget
    ) throws(StoreError) -> Bool {
        let gathered = GatheredSeries(budget)
        try selection.scanFloats(timeUnit: format.timeUnit, budget: budget) {
            gathered.add($0, $1, $2)
        }
        let series = gathered.all
        var pieces = ExportPieces { body.write($0) }
        for (place, labels) in selection.labels.enumerated() {
            guard let found = series[place], !done.contains(labels) else { continue }
            guard format.append(labels, found.times, found.values, to: &pieces) else {
                return false
            }
        }
        return pieces.writeRest()
    }
}
