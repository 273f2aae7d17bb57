internal import WeirColumns
package import WeirCore

/// Weir's own log paths as pure functions; docs/logql.md has their formats.
package struct LogsAPI {
    let loki: LokiAPI
    private var parameters: LokiParameters { loki.parameters }

    package init(
        parameters: LokiAPI.Parameters,
        source: any RowSource,
        context: QueryContext,
        nowNanoseconds: Int64
    ) {
        loki = LokiAPI(
            parameters: parameters,
            source: source,
            context: context,
            nowNanoseconds: nowNanoseconds
        )
    }

    private func query() throws(LokiError) -> LogQLQuery {
        let text = parameters["query"] ?? ""
        do throws(QueryError) {
            return try LogText.parse(text)
        } catch {
            throw LokiError(error, query: text)
        }
    }

    // MARK: The stream of rows

    /// What `/api/v1/logs/query` is about to send.
    package struct Rows: Sendable {
        let search: LogSearch
        let limit: Int
        let fields: [String]?
        let query: String

        /// Sends rows as JSON lines until there are no more, the limit is reached, or `write`
        /// says that nobody listens.
        ///
        /// An error after the first row is a last line `{"_error":"…"}`.
        package func send(_ write: ([UInt8]) -> Bool) {
            var left = limit
            // The first rows soon, then larger pages for less work.
            var page = 500
            do throws(QueryError) {
                while left > 0 {
                    let entries = try search.next(min(page, left))
                    var writer = JSONWriter(reservingCapacity: entries.count * 256)
                    var bytes: [UInt8] = []
                    for entry in entries {
                        LogsAPI.write(entry, fields: fields, to: &writer)
                        bytes += writer.takeBytes()
                        writer = JSONWriter()
                        bytes.append(0x0A)
                        if bytes.count > 1 << 16 {
                            guard write(bytes) else { return }
                            bytes.removeAll(keepingCapacity: true)
                        }
                    }
                    if !bytes.isEmpty, !write(bytes) { return }
                    if entries.count < min(page, left) { return }
                    left -= entries.count
                    page = min(page * 4, 20000)
                }
            } catch {
                var writer = JSONWriter()
                writer.beginObject()
                writer.member("_error", error.logQLMessage(query: query))
                writer.endObject()
                _ = write(writer.bytes + [0x0A])
            }
        }
    }

    /// Makes ready `/api/v1/logs/query`; or says why it is refused.
    package func rows() -> Result<Rows, LogsRefusal> {
        do throws(LokiError) {
            let query = try query()
            let end = try parameters.time("end") ?? .max
            let start: Int64
            if let written = try parameters.time("start") {
                start = written
            } else if let since = try parameters.duration("since") {
                let (early, overflow) = min(end, parameters.now).subtractingReportingOverflow(since)
                start = overflow ? .min : early
            } else {
                start = .min
            }
            guard end > start else { throw LokiError("end is not after start") }
            let direction = try parameters.direction()
            let limit = try parameters.count("limit", default: 0)
            let search = try loki.run { () throws(QueryError) in
                try LogSearch(
                    query,
                    times: start...(end - 1),
                    direction: direction,
                    source: loki.source,
                    context: loki.context
                )
            }
            return .success(
                Rows(
                    search: search,
                    limit: limit == 0 ? .max : limit,
                    fields: parameters.list("fields"),
                    query: parameters["query"] ?? ""
                )
            )
        } catch {
            return .failure(LogsRefusal(error))
        }
    }

    /// `{"_time":…,"_stream":{…},"_msg":…,fields…}`; with `fields` only those, and `_time`.
    package static func write(
        _ entry: LogEntry,
        fields: [String]? = nil,
        to writer: inout JSONWriter
    ) {
        func isWanted(_ name: String) -> Bool {
            guard let fields else { return true }
            return fields.contains { $0 == name || $0 == LogNames.sanitized(name) }
        }
        writer.beginObject()
        writer.member("_time", String(decoding: LogTimestamp.rfc3339(entry.time), as: UTF8.self))
        if isWanted("_stream") {
            writer.key("_stream")
            LokiJSON.labels(entry.stream, to: &writer)
        }
        if !entry.isLineMade, isWanted("_msg") {
            writer.member("_msg", String(decoding: entry.line, as: UTF8.self))
        }
        if let fields {
            // A stream's label may be asked for by its name as well.
            for pair in entry.streamPairs where fields.contains(pair.name) {
                writer.member(pair.name, pair.value)
            }
        }
        for field in entry.fields where isWanted(field.name) {
            writer.key(field.name)
            LogJSON.value(field.value, field.kind, to: &writer)
        }
        writer.endObject()
    }

    // MARK: Counts

    /// `/api/v1/logs/hits`.
    package func hits() -> LokiAnswer {
        answer { () throws(LokiError) in
            let query = try query()
            let (start, end) = try parameters.span(default: LokiAPI.hour)
            guard end > start else { throw LokiError("end is not after start") }
            let names = parameters.list("field") ?? ["level"]
            let step = try parameters.duration("step") ?? Self.step(start, end)
            let hits = try loki.run { () throws(QueryError) in
                try LogHits(
                    query,
                    from: start,
                    to: end,
                    step: step,
                    by: names.filter { !$0.isEmpty && $0 != "_none" },
                    source: loki.source,
                    context: loki.context
                )
            }
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("start", hits.start.description)
            writer.member("step", LogQLUnits.text(nanoseconds: hits.step))
            writer.key("hits")
            writer.beginArray()
            for one in hits.series {
                writer.beginObject()
                writer.key("fields")
                LokiJSON.labels(one.labels, to: &writer)
                writer.member("total", Int(one.total))
                writer.key("timestamps")
                writer.beginArray()
                for bucket in 0..<hits.bucketCount {
                    let time = hits.start + Int64(bucket) * hits.step
                    writer.value(String(decoding: LogTimestamp.rfc3339(time), as: UTF8.self))
                }
                writer.endArray()
                writer.key("values")
                writer.beginArray()
                for count in one.counts { writer.value(Int(count)) }
                writer.endArray()
                writer.endObject()
            }
            writer.endArray()
            writer.key("stats")
            LokiJSON.stats(loki.stats, entries: 0, to: &writer)
            writer.endObject()
            return LokiAnswer(json: writer.bytes)
        }
    }

    /// A hundredth of the span, rounded up to a step that people use.
    private static func step(_ start: Int64, _ end: Int64) -> Int64 {
        let (length, overflow) = end.subtractingReportingOverflow(start)
        let span = overflow ? Int64.max : length
        let steps: [Int64] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600]
        let wanted = span / 100
        for seconds in steps where seconds * 1_000_000_000 >= wanted {
            return seconds * 1_000_000_000
        }
        return max(1, (wanted / 86_400_000_000_000) + 1) * 86_400_000_000_000
    }

    /// `/api/v1/logs/facets`.
    package func facets() -> LokiAnswer {
        answer { () throws(LokiError) in
            let query = try query()
            let (start, end) = try parameters.span(default: LokiAPI.hour)
            guard end > start else { throw LokiError("end is not after start") }
            let limit = try parameters.count("limit", default: 10)
            let distinct = try parameters.count("max_values_per_field", default: 1000)
            let facets = try loki.run { () throws(QueryError) in
                try LogFacets(
                    query,
                    times: start...(end - 1),
                    names: parameters.list("fields"),
                    limit: limit,
                    distinctWanted: distinct,
                    source: loki.source,
                    context: loki.context
                )
            }
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("rows", facets.rowCount)
            writer.key("facets")
            writer.beginArray()
            for facet in facets.facets {
                writer.beginObject()
                writer.member("field_name", facet.name)
                writer.member("rows", facet.rowCount)
                writer.member("distinct", facet.distinctCount)
                writer.key("values")
                writer.beginArray()
                for value in facet.values {
                    writer.beginObject()
                    writer.member("field_value", String(decoding: value.text, as: UTF8.self))
                    writer.member("hits", value.count)
                    writer.endObject()
                }
                writer.endArray()
                writer.endObject()
            }
            writer.endArray()
            writer.key("stats")
            LokiJSON.stats(loki.stats, entries: 0, to: &writer)
            writer.endObject()
            return LokiAnswer(json: writer.bytes)
        }
    }

    /// `/api/v1/logs/patterns`: as Loki's, with totals, for any text that these paths take.
    package func patterns() -> LokiAnswer {
        answer { () throws(LokiError) in
            let query = try query()
            let (start, end) = try parameters.span(default: LokiAPI.hour)
            guard end > start else { throw LokiError("end is not after start") }
            let step = try parameters.duration("step") ?? Self.step(start, end)
            let limit = try parameters.count("limit", default: 100)
            let found = try loki.run { () throws(QueryError) in
                try LogPatterns(
                    query,
                    from: start,
                    to: end,
                    step: step,
                    source: loki.source,
                    context: loki.context
                )
            }
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("start", found.start.description)
            writer.member("step", LogQLUnits.text(nanoseconds: found.step))
            writer.key("patterns")
            writer.beginArray()
            for one in found.patterns.prefix(limit) {
                writer.beginObject()
                writer.member("pattern", one.pattern)
                writer.member("level", one.level)
                writer.member("total", Int(one.total))
                writer.key("values")
                writer.beginArray()
                for count in one.counts { writer.value(Int(count)) }
                writer.endArray()
                writer.endObject()
            }
            writer.endArray()
            writer.endObject()
            return LokiAnswer(json: writer.bytes)
        }
    }

    private func answer(_ body: () throws(LokiError) -> LokiAnswer) -> LokiAnswer {
        do throws(LokiError) {
            return try body()
        } catch {
            let refusal = LogsRefusal(error)
            return LokiAnswer(json: refusal.body, status: refusal.status)
        }
    }
}

/// Why a request on Weir's own log paths was refused.
package struct LogsRefusal: Error, Sendable {
    package let status: Int
    /// `{"error":…,"reason":…,"hint":…}`.
    package let body: [UInt8]

    init(_ error: LokiError) {
        status = error.status
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("error", error.status == 400 ? "bad_query" : "query_failed")
        writer.member("reason", error.message)
        writer.member(
            "hint",
            "query takes LogQL such as {service=\"api\"} |= \"text\", plain words or an id; see "
                + "docs/logql.md"
        )
        writer.endObject()
        body = writer.bytes + [0x0A]
    }
}
