internal import WeirCore
internal import WeirHTTP
internal import WeirPattern
internal import WeirQuery
internal import WeirStore
internal import WeirSystem

/// Prometheus's `/federate`: the latest sample of each series that `match[]` selects, as text for
/// another server to scrape.
///
/// OpenMetrics when `Accept` names it. Native histograms are left out of these texts, as Prometheus leaves them out.
struct FederateEndpoint: Sendable {
    static let path = "/federate"
    /// Older samples are not given out.
    private static let lookbackMilliseconds: Int64 = 300_000

    let store: Store
    let frame: QueryFrame

    private struct Line {
        let name: String
        let head: [UInt8]
        let time: Int64
        let value: Double
    }

    func handle(_ exchange: HTTPExchange) {
        let isOpenMetrics =
            exchange.head.header("accept")?.contains("application/openmetrics-text") == true
        let format: ExportFormat = isOpenMetrics ? .openmetrics : .prometheus
        frame.handle(exchange) { [self] parameters, context in
            do throws(QueryError) {
                var selectors: [[LabelMatcher]] = []
                for (name, text) in parameters where name == "match[]" {
                    do throws(QueryError) {
                        selectors.append(try PromQLParser.parseSelector(text).matchers)
                    } catch {
                        let reason = error.message(query: text)
                        return .text("invalid parameter \"match[]\": \(reason)\n", status: 400)
                    }
                }
                let lines = try lines(selectors, context)
                var response = HTTPResponse.text("")
                response.body = .bytes(Self.text(lines, format))
                response.headers = [("Content-Type", format.contentType)]
                return response
            } catch {
                return .text("\(error.message(query: ""))\n", status: 500)
            }
        }
    }

    private func lines(
        _ selectors: [[LabelMatcher]],
        _ context: QueryContext
    ) throws(QueryError) -> [Line] {
        let now = frame.clock.nowMilliseconds()
        let budget = QueryBudget(context: context)
        var found: [Labels: Line] = [:]
        do throws(StoreError) {
            for matchers in selectors {
                let selection = try store.select(
                    signal: .metrics,
                    matchers: matchers,
                    times: StoreSampleSource.nanoseconds(now - Self.lookbackMilliseconds, now),
                    budget: budget
                )
                let gathered = GatheredSeries(budget)
                try selection.scanFloats(timeUnit: 1_000_000, budget: budget) {
                    gathered.add($0, $1, $2)
                }
                for (place, samples) in gathered.all {
                    guard let time = samples.times.last, let value = samples.values.last,
                        value.bitPattern != Double.staleMarker.bitPattern
                    else { continue }
                    let labels = selection.labels[place]
                    found[labels] = Line(
                        name: labels.metricName ?? "",
                        head: Self.head(labels),
                        time: time,
                        value: value
                    )
                }
            }
        } catch {
            throw StoreSampleSource.queryError(error, budget)
        }
        return found.values.sorted { left, right in
            left.name == right.name
                ? left.head.lexicographicallyPrecedes(right.head)
                : left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
        }
    }

    /// A series without `instance` gets an empty one, so that who scrapes does not put its own there.
    private static func head(_ labels: Labels) -> [UInt8] {
        var head = ExportFormat.exposition(labels)
        guard labels["instance"] == nil else { return head }
        if head.last == UInt8(ascii: "}") {
            head.removeLast()
            head += ",instance=\"\"}".utf8
        } else {
            head += "{instance=\"\"}".utf8
        }
        return head
    }

    private static func text(_ lines: [Line], _ format: ExportFormat) -> [UInt8] {
        var bytes: [UInt8] = []
        var last: String?
        for line in lines {
            if line.name != last {
                let name = ExportFormat.exposition(Labels([(Labels.metricNameLabel, line.name)]))
                // A name that needs quotes stands in braces in a sample, but not here.
                let bare =
                    name.first == UInt8(ascii: "{") ? Array(name.dropFirst().dropLast()) : name
                bytes += "# TYPE ".utf8
                bytes += bare
                bytes += (format == .openmetrics ? " unknown\n" : " untyped\n").utf8
                last = line.name
            }
            format.append(line.head, line.time, line.value, to: &bytes)
        }
        return bytes + format.end
    }
}
