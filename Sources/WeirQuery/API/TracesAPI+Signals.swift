internal import WeirCore

extension TracesAPI {
    private static let minute: Int64 = 60_000_000_000

    // MARK: Logs

    /// `/api/v1/traces/{id}/logs`: the lines that name the trace, or one span of it.
    package func logs(_ id: String, source: any RowSource) -> TracesAnswer {
        answer { () throws(TracesError) in
            let trace = try TracesRequest.id(id)
            let limit = try request.count("limit", default: 1000, max: LokiAPI.entriesMax)
            let lines = try request.run { () throws(QueryError) in
                let (start, end) = try extent(trace)
                let logs = TraceLogs(
                    trace: trace,
                    span: request.parameters["span"]?.lowercased(),
                    times: (start...end).widened(by: 15 * Self.minute),
                    source: source,
                    context: request.context
                )
                return try logs.lines(limit: limit)
            }
            var writer = JSONWriter()
            writer.beginObject()
            writer.key("logs")
            writer.beginArray()
            for line in lines {
                writer.beginObject()
                writer.member("time", line.time.description)
                writer.key("labels")
                LokiJSON.labels(line.stream, to: &writer)
                writer.member("body", String(decoding: line.body, as: UTF8.self))
                writer.key("fields")
                writer.beginObject()
                for field in line.fields {
                    writer.key(field.name)
                    LogJSON.value(field.text, field.kind, to: &writer)
                }
                writer.endObject()
                writer.endObject()
            }
            writer.endArray()
            TraceJSON.cost(request, to: &writer)
            writer.endObject()
            return TracesAnswer(json: writer.bytes)
        }
    }

    /// When a trace lasts; a trace that is not there has been about now.
    private func extent(_ id: TraceID) throws(QueryError) -> (start: Int64, end: Int64) {
        let table = try table(id)
        guard table.rowCount > 0 else {
            let now = request.parameters.now
            return (now - LokiAPI.hour, now)
        }
        return table.extent(0)
    }

    private func table(_ id: TraceID) throws(QueryError) -> TraceTable {
        let loader = TraceLoader(
            selection: try request.spans.select(
                [],
                times: .min ... .max,
                context: request.context
            ),
            context: request.context
        )
        return try loader.load([id], fields: TraceTable.baseFields).table
    }

    // MARK: Metrics

    /// `/api/v1/traces/{id}/metrics`: rate, errors and durations of a span's service around it.
    package func metrics(_ id: String, source: any SampleSource) -> TracesAnswer {
        answer { () throws(TracesError) in
            let trace = try TracesRequest.id(id)
            let table = try request.run { () throws(QueryError) in try self.table(trace) }
            guard table.rowCount > 0 else { throw TracesError.notFound(trace) }
            var row = table.root(0) ?? 0
            if let span = request.parameters["span"]?.lowercased() {
                let found = (0..<table.rowCount).first {
                    table.string(SpanField.spanID, $0) == span
                }
                guard let found else {
                    throw TracesError("the trace has no span \(span)", status: 404)
                }
                row = found
            }
            let service = table.string(SpanField.service, row) ?? ""
            let around = (table.times[row]...table.times[row]).widened(by: 30 * Self.minute)
            let queries = Self.queries(service)
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("service", service)
            writer.key("from")
            writer.value(around.lowerBound)
            writer.key("to")
            writer.value(around.upperBound)
            writer.key("queries")
            writer.beginArray()
            for (name, text) in queries {
                writer.beginObject()
                writer.member("name", name)
                writer.member("promql", text)
                writer.endObject()
            }
            writer.endArray()
            writer.key("series")
            writer.beginArray()
            for (name, text) in queries {
                let value = try request.run { () throws(QueryError) in
                    try PromQL.evaluateRange(
                        text,
                        fromMilliseconds: around.lowerBound / 1_000_000,
                        throughMilliseconds: around.upperBound / 1_000_000,
                        stepMilliseconds: 30_000,
                        source: source,
                        context: request.context
                    )
                }
                writer.beginObject()
                writer.member("name", name)
                writer.key("values")
                writer.beginArray()
                if case .matrix(let series) = value, let first = series.first {
                    for (time, value) in zip(first.times, first.values) where value.isFinite {
                        writer.beginArray()
                        var text: [UInt8] = []
                        PrometheusTime.append(milliseconds: time, to: &text)
                        writer.raw(text)
                        writer.value(value)
                        writer.endArray()
                    }
                }
                writer.endArray()
                writer.endObject()
            }
            writer.endArray()
            TraceJSON.cost(request, to: &writer)
            writer.endObject()
            return TracesAnswer(json: writer.bytes)
        }
    }

    private static func queries(_ service: String) -> [(name: String, text: String)] {
        let of = "service=\(PromQLStringLiteral.quote(service))"
        let calls = "traces_spanmetrics_calls_total"
        let failed = "\(of), status_code=\"STATUS_CODE_ERROR\""
        let buckets = "sum by (le) (rate(traces_spanmetrics_latency_bucket{\(of)}[5m]))"
        return [
            ("rate", "sum(rate(\(calls){\(of)}[5m]))"),
            ("errors", "sum(rate(\(calls){\(failed)}[5m]))"),
            ("p50", "histogram_quantile(0.5, \(buckets))"),
            ("p99", "histogram_quantile(0.99, \(buckets))"),
        ]
    }

    // MARK: The graph

    /// `/api/v1/services/graph`: who calls whom, how often, how well and how fast.
    package func graph(source: any SampleSource) -> TracesAnswer {
        answer { () throws(TracesError) in
            let times = try request.times()
            let (length, overflow) = times.upperBound.subtractingReportingOverflow(times.lowerBound)
            guard !overflow else { throw TracesError("the times are out of range") }
            let window = "[\(max(1, length / 1_000_000_000))s]"
            let edge = ["client", "server", "connection_type"]
            let graph = "traces_service_graph_request"
            let serving = "{span_kind=~\"SPAN_KIND_SERVER|SPAN_KIND_CONSUMER\"}"
            let failing =
                "{span_kind=~\"SPAN_KIND_SERVER|SPAN_KIND_CONSUMER\", "
                + "status_code=\"STATUS_CODE_ERROR\"}"
            let edges = try columns(
                edge,
                rate: graph + "_total" + window,
                errors: graph + "_failed_total" + window,
                buckets: graph + "_server_seconds_bucket" + window,
                at: times.upperBound,
                source
            )
            let services = try columns(
                ["service"],
                rate: "traces_spanmetrics_calls_total" + serving + window,
                errors: "traces_spanmetrics_calls_total" + failing + window,
                buckets: "traces_spanmetrics_latency_bucket" + serving + window,
                at: times.upperBound,
                source
            )
            var writer = JSONWriter()
            writer.beginObject()
            Self.write("edges", ["client", "server", "connectionType"], edge, edges, to: &writer)
            Self.write("services", ["service"], ["service"], services, to: &writer)
            TraceJSON.cost(request, to: &writer)
            writer.endObject()
            return TracesAnswer(json: writer.bytes)
        }
    }

    /// Rate, errors a second, and the two quantiles, by the labels asked for.
    private func columns(
        _ labels: [String],
        rate: String,
        errors: String,
        buckets: String,
        at time: Int64,
        _ source: any SampleSource
    ) throws(TracesError) -> [Labels: [String: Double]] {
        let by = labels.joined(separator: ", ")
        let quantile = "sum by (\(by), le) (rate(\(buckets)))"
        let queries = [
            ("rate", "sum by (\(by)) (rate(\(rate)))"),
            ("errorRate", "sum by (\(by)) (rate(\(errors)))"),
            ("p50", "histogram_quantile(0.5, \(quantile))"),
            ("p99", "histogram_quantile(0.99, \(quantile))"),
        ]
        var rows: [Labels: [String: Double]] = [:]
        for (name, text) in queries {
            let value = try request.run { () throws(QueryError) in
                try PromQL.evaluateInstant(
                    text,
                    atMilliseconds: time / 1_000_000,
                    source: source,
                    context: request.context
                )
            }
            guard case .vector(_, let samples) = value else { continue }
            for sample in samples where sample.value.isFinite {
                rows[sample.labels, default: [:]][name] = sample.value
            }
        }
        return rows
    }

    private static func write(
        _ name: String,
        _ members: [String],
        _ labels: [String],
        _ rows: [Labels: [String: Double]],
        to writer: inout JSONWriter
    ) {
        writer.key(name)
        writer.beginArray()
        for (series, values) in rows.sorted(by: { $0.key < $1.key }) {
            writer.beginObject()
            for (member, label) in zip(members, labels) {
                if let text = series.pairs.first(where: { $0.name == label })?.value {
                    writer.member(member, text)
                }
            }
            writer.member("rate", values["rate"] ?? 0)
            writer.member("errorRate", values["errorRate"] ?? 0)
            for quantile in ["p50", "p99"] {
                if let value = values[quantile] { writer.member(quantile, value) }
            }
            writer.endObject()
        }
        writer.endArray()
    }
}
