internal import Synchronization
internal import WeirCore

/// Tempo's answers to searches, in its JSON.
enum TempoJSON {
    static func search(_ traces: [TraceSummary], _ request: TracesRequest) -> [UInt8] {
        var writer = JSONWriter(reservingCapacity: traces.count * 1024 + 512)
        writer.beginObject()
        writer.key("traces")
        writer.beginArray()
        for trace in traces { write(trace, to: &writer) }
        writer.endArray()
        metrics(request, traces: traces.count, to: &writer)
        writer.endObject()
        return writer.bytes
    }

    static func metrics(_ request: TracesRequest, traces: Int?, to writer: inout JSONWriter) {
        writer.key("metrics")
        writer.beginObject()
        if let traces { writer.member("inspectedTraces", traces) }
        let context = request.context
        writer.member("inspectedBytes", context.bytesRead.load(ordering: .relaxed).description)
        writer.member("inspectedSpans", context.rowsRead.load(ordering: .relaxed).description)
        writer.member("totalBlocks", context.blocksRead.load(ordering: .relaxed))
        writer.member("completedJobs", 1)
        writer.member("totalJobs", 1)
        writer.endObject()
    }

    private static func write(_ trace: TraceSummary, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("traceID", trace.id.text)
        writer.member(
            "rootServiceName",
            trace.hasRoot ? trace.rootService ?? "" : "<root span not yet received>"
        )
        if trace.hasRoot { writer.member("rootTraceName", trace.rootName ?? "") }
        writer.member("startTimeUnixNano", trace.start.description)
        writer.member("durationMs", Int(trace.duration / 1_000_000))
        if let first = trace.spanSets.first {
            writer.key("spanSet")
            write(first, to: &writer)
        }
        writer.key("spanSets")
        writer.beginArray()
        for set in trace.spanSets { write(set, to: &writer) }
        writer.endArray()
        writer.key("serviceStats")
        writer.beginObject()
        for service in trace.services {
            writer.key(service.name)
            writer.beginObject()
            writer.member("spanCount", service.spanCount)
            if service.errorCount > 0 { writer.member("errorCount", service.errorCount) }
            writer.endObject()
        }
        writer.endObject()
        writer.endObject()
    }

    private static func write(_ set: TraceSummary.SpanSet, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("spans")
        writer.beginArray()
        for span in set.spans {
            writer.beginObject()
            writer.member("spanID", span.id)
            writer.member("name", span.name)
            writer.member("startTimeUnixNano", span.start.description)
            writer.member("durationNanos", span.duration.description)
            attributes(span.attributes, to: &writer)
            writer.endObject()
        }
        writer.endArray()
        writer.member("matched", set.matched)
        attributes(set.attributes, to: &writer)
        writer.endObject()
    }

    private static func attributes(
        _ attributes: [TraceSummary.Attribute],
        to writer: inout JSONWriter
    ) {
        guard !attributes.isEmpty else { return }
        writer.key("attributes")
        writer.beginArray()
        for attribute in attributes {
            SpanAnyValue.write(
                attribute.name,
                SpanAnyValue(attribute.text[...], attribute.kind),
                to: &writer
            )
        }
        writer.endArray()
    }
}
