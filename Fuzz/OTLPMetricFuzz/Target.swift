import WeirCore
import WeirWire

/// libFuzzer entry point: any bytes are refused or parse as OTLP's protobuf and JSON.
///
/// Totals and rows hold together; nothing traps.
@c(LLVMFuzzerTestOneInput)
public func fuzzOTLPMetrics(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer owns `start ..< start + count` for the length of this call.
    let bytes = unsafe UnsafeBufferPointer(start: start, count: start == nil ? 0 : count)
    let body = unsafe Array(bytes)
    var options = MetricOptions(now: 1_790_000_000_000_000_000)
    options.labelsMax = 8
    options.bucketsMax = 64
    let results = [
        try? OTLPMetricParser.parse(body, options: options),
        try? OTLPMetricJSONParser.parse(body, options: options),
    ]
    for result in results.compactMap(\.self) { check(result) }
    return 0
}

func check(_ result: MetricResult) {
    precondition(!result.isTooLarge || result.points.isEmpty)
    for refusal in result.refusals { _ = refusal.error.description }
    var totals = MetricTotals(seriesMax: 4)
    // Twice, so that points meet their own totals.
    for _ in 0..<2 {
        var points = result.points
        let undo = totals.accumulate(&points)
        let rows = MetricRows(points)
        precondition(rows.samples.streamIndexes.count == rows.samples.rowCount)
        precondition(rows.samples.columns[0].floats.count == rows.samples.rowCount)
        precondition(rows.samples.streamIndexes.allSatisfy { $0 < rows.samples.streams.count })
        precondition(rows.samples.rowCount <= max(1, points.count) * 400)
        for column in rows.exemplars.fields.columns {
            precondition(column.rows.allSatisfy { $0 < rows.exemplars.rowCount })
        }
        if points.count % 3 == 0 { totals.restore(undo) }
    }
}
