internal import WeirCore
internal import WeirHTTP
internal import WeirPattern
internal import WeirQuery
internal import WeirStore
internal import WeirSystem

/// Prometheus's `/federate`: the latest sample of each series that `match[]` selects, as text for
/// another server to scrape.
///
/// OpenMetrics when `Accept` names it; names in UTF-8 when it says `escaping=allow-utf-8`, otherwise with
/// underscores for what old readers do not know, as Prometheus. Native histograms are left out of these texts, as Prometheus leaves them out.
struct FederateEndpoint: Sendable {
    static let path = "/federate"
    /// Older samples are not given out.
    private static let lookbackMilliseconds: Int64 = 300_000
    /// Bytes that a series takes beside its labels: of its `Line`, and of its sample's text.
    private static let bytesPerLine = 256

    let store: Store
    let frame: QueryFrame
    let externalLabels: ExternalLabels

    private struct Line {
        let name: String
        let head: [UInt8]
        let time: Int64
        let value: Double

        /// Bytes that it takes until the query ends: its labels stay, and its texts are in the answer
        /// once more.
        func cost(_ labels: Labels) -> Int {
            labels.bytes.count + 2 * (head.count + name.utf8.count) + bytesPerLine
        }
    }

    func handle(_ exchange: HTTPExchange) {
        let accept = exchange.head.header("accept") ?? ""
        let format: ExportFormat =
            accept.contains("application/openmetrics-text") ? .openmetrics : .prometheus
        let escapes = !accept.contains("escaping=allow-utf-8")
        let type =
            format.contentType + "; escaping=" + (escapes ? "underscores" : "allow-utf-8")
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
                let lines = try lines(selectors, escapes: escapes, context)
                var response = HTTPResponse.text("")
                response.body = .bytes(Self.text(lines, format))
                response.headers = [("Content-Type", type)]
                return response
            } catch {
                return .text("\(error.message(query: ""))\n", status: 500)
            }
        }
    }

    private func lines(
        _ selectors: [[LabelMatcher]],
        escapes: Bool,
        _ context: QueryContext
    ) throws(QueryError) -> [Line] {
        let now = frame.clock.nowMilliseconds()
        let budget = QueryBudget(context: context)
        var added = externalLabels.current
        // So that who scrapes does not put its own there.
        if added["instance"] == nil { added["instance"] = "" }
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
                    var pairs = labels.pairs.map { (name: $0.name, value: $0.value) }
                    pairs += added.sortedPairs.filter { labels[$0.name] == nil }
                    let name = labels.metricName ?? ""
                    let line = Line(
                        name: escapes ? Self.escaped(name) : name,
                        head: ExportFormat.exposition(escapes ? pairs.map(Self.escaped) : pairs),
                        time: time,
                        value: value
                    )
                    guard found[labels] != nil || budget.reserve(bytes: line.cost(labels)) else {
                        throw .budget
                    }
                    found[labels] = line
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

    private static func escaped(
        _ pair: (name: String, value: String)
    ) -> (name: String, value: String) {
        if pair.name == Labels.metricNameLabel { return (pair.name, escaped(pair.value)) }
        return (escaped(pair.name), pair.value)
    }

    /// Each character that names of old may not have becomes an underscore.
    private static func escaped(_ name: String) -> String {
        var isFirst = true
        var text = ""
        for scalar in name.unicodeScalars {
            let isKept =
                switch scalar {
                case "a"..."z", "A"..."Z", "_", ":": true
                case "0"..."9": !isFirst
                default: false
                }
            text.unicodeScalars.append(isKept ? scalar : "_")
            isFirst = false
        }
        return text
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
