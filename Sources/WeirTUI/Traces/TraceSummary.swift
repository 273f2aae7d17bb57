package import WeirCore

/// A trace as a search finds it.
package struct TraceSummary: Hashable, Sendable {
    package struct Service: Hashable, Sendable {
        package let name: String
        package let spanCount: Int
        package let errorCount: Int
    }

    package let traceID: String
    package let rootService: String
    package let rootName: String
    /// Nanoseconds since 1970.
    package let start: Int64
    /// Nanoseconds.
    package let duration: Int64
    package let spanCount: Int
    package let errorCount: Int
    package let services: [Service]
    /// How many of its spans the query selected.
    package let matched: Int
    /// The first of those.
    package let spanID: String?

    package init?(_ json: JSONValue) {
        guard let traceID = json["traceID"]?.string else { return nil }
        self.traceID = traceID
        rootService = json["rootService"]?.string ?? ""
        rootName = json["rootName"]?.string ?? ""
        start = json["startTimeUnixNano"]?.nanoseconds ?? 0
        duration = json["durationNanos"]?.nanoseconds ?? 0
        spanCount = json["spanCount"]?.int ?? 0
        errorCount = json["errorCount"]?.int ?? 0
        services = (json["services"]?.array ?? []).map { one in
            Service(
                name: one["name"]?.string ?? "",
                spanCount: one["spanCount"]?.int ?? 0,
                errorCount: one["errorCount"]?.int ?? 0
            )
        }
        let sets = json["spanSets"]?.array ?? []
        matched = json["matched"]?.int ?? sets.reduce(0) { $0 + ($1["matched"]?.int ?? 0) }
        spanID = sets.first?["spans"]?.array?.first?["spanID"]?.string
    }

    /// The traces of an answer.
    package static func list(_ json: JSONValue) throws(APIError) -> [TraceSummary] {
        guard let items = json["traces"]?.array else { throw .malformed("no list of traces") }
        return items.compactMap { TraceSummary($0) }
    }

    /// `cart 12, payment 3!`: those with most spans first; `!` where some failed.
    package var servicesText: String {
        services.sorted { ($0.spanCount, $1.name) > ($1.spanCount, $0.name) }
            .map { "\($0.name) \($0.spanCount)" + ($0.errorCount > 0 ? "!" : "") }
            .joined(separator: ", ")
    }
}

/// A measured value with the trace it was measured in.
package struct Exemplar: Hashable, Sendable {
    /// Milliseconds since 1970.
    package let time: Int64
    package let value: Double
    package let traceID: String
    package let spanID: String?
    /// Of the series it belongs to.
    package let series: [QueryResult.LabelPair]
    /// Its own, the ids among them.
    package let labels: [QueryResult.LabelPair]

    /// Those of an answer of `/api/v1/query_exemplars` that name a trace, in the order of their
    /// times.
    package static func list(_ data: JSONValue) throws(APIError) -> [Exemplar] {
        guard let all = data.array else { throw .malformed("no list of exemplars") }
        var found: [Exemplar] = []
        for one in all {
            let series = pairs(one["seriesLabels"])
            for item in one["exemplars"]?.array ?? [] {
                let labels = pairs(item["labels"])
                func label(_ names: [String]) -> String? {
                    labels.first { names.contains($0.name) }?.value
                }
                guard let traceID = label(["trace_id", "traceID", "traceid"]),
                    let seconds = item["timestamp"]?.double,
                    let value = item["value"]?.string.flatMap({ Double($0) })
                        ?? item["value"]?.double,
                    seconds.isFinite, abs(seconds) < 1e11
                else { continue }
                found.append(
                    Exemplar(
                        time: Int64((seconds * 1000).rounded()),
                        value: value,
                        traceID: traceID,
                        spanID: label(["span_id", "spanID", "spanid"]),
                        series: series,
                        labels: labels
                    )
                )
            }
        }
        return found.sorted { ($0.time, $0.traceID) < ($1.time, $1.traceID) }
    }

    private static func pairs(_ json: JSONValue?) -> [QueryResult.LabelPair] {
        (json?.members ?? []).map { QueryResult.LabelPair($0.key, $0.value.string ?? "") }
    }
}

/// A log line of a trace.
package struct TraceLogLine: Hashable, Sendable {
    /// Nanoseconds since 1970.
    package let time: Int64
    package let labels: [QueryResult.LabelPair]
    package let body: String
    package let fields: [JSONMember]
    package let level: LogLevel

    init(_ json: JSONValue) {
        time = json["time"]?.nanoseconds ?? 0
        labels = (json["labels"]?.members ?? []).map {
            QueryResult.LabelPair($0.key, $0.value.string ?? "")
        }
        body = json["body"]?.string ?? ""
        let fields = json["fields"]?.members ?? []
        self.fields = fields
        let named = fields.first { LogRow.levelNames.contains($0.key) }
        level = named.map { LogLevel(LogRow.text($0.value)) } ?? .unknown
    }

    /// The lines of an answer, in the order of their times.
    package static func list(_ json: JSONValue) throws(APIError) -> [TraceLogLine] {
        guard let items = json["logs"]?.array else { throw .malformed("no list of lines") }
        return items.map { TraceLogLine($0) }.sorted { $0.time < $1.time }
    }

    /// Who wrote it.
    package var origin: String {
        for name in ["service", "service_name", "service.name", "app"] {
            if let found = labels.first(where: { $0.name == name }) { return found.value }
        }
        return labels.first?.value ?? ""
    }

    /// `10:43:20.123 ERROR payment provider answered 504`, the first line alone.
    package var text: String {
        "\(TraceText.clock(time)) \(LogLines.word(level)) \(origin) \(LogLines.firstLine(body))"
    }
}
