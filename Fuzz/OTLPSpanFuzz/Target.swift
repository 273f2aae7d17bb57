import WeirCore
import WeirWire

/// libFuzzer entry point: any bytes are refused or parse as OTLP's protobuf and JSON.
///
/// The batch holds together; nothing traps.
@c(LLVMFuzzerTestOneInput)
public func fuzzOTLPSpans(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer owns `start ..< start + count` for the length of this call.
    let bytes = unsafe UnsafeBufferPointer(start: start, count: start == nil ? 0 : count)
    let body = unsafe Array(bytes)
    var options = SpanOptions(now: 1_790_000_000_000_000_000)
    options.limits.attributesMax = 8
    options.limits.depthMax = 6
    options.limits.nameBytesMax = 24
    options.limits.valueBytesMax = 64
    options.limits.eventsMax = 3
    let results = [
        try? OTLPSpanParser.parse(body, options: options),
        try? OTLPSpanJSONParser.parse(body, options: options),
    ]
    for result in results.compactMap(\.self) { check(result) }
    return 0
}

func check(_ result: SpanResult) {
    let batch = result.batch
    precondition(batch.streamIndexes.count == batch.rowCount)
    precondition(result.facts.count == batch.rowCount)
    precondition(
        result.isTooLarge || batch.rowCount + result.refusedCount == result.recordCount
    )
    for refusal in result.refusals { _ = refusal.error.description }
    for column in batch.fields.columns {
        precondition(zip(column.rows, column.rows.dropFirst()).allSatisfy { $0 < $1 })
        precondition(column.rows.allSatisfy { Int($0) < batch.rowCount })
        for kind in column.kinds { precondition(FieldKind(rawValue: kind) != nil) }
    }
}
