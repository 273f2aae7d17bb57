import WeirCore
import WeirWire

/// libFuzzer entry point: any body parses, in each format of text; the batch holds together,
/// limits are kept, refusals name lines that exist; nothing traps.
@c(LLVMFuzzerTestOneInput)
public func fuzzJSONLogs(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer owns `start ..< start + count` for the length of this call.
    let bytes = unsafe UnsafeBufferPointer(start: start, count: start == nil ? 0 : count)
    let body = unsafe Array(bytes)
    var options = LogOptions(now: 1_790_000_000_000_000_000)
    // Small limits, so that short inputs reach them.
    options.limits.lineBytesMax = 64
    options.limits.fieldsMax = 8
    options.limits.depthMax = 6
    options.limits.namesMax = 32
    options.limits.nameBytesMax = 24
    options.limits.labelValueBytesMax = 16
    let lineCount = body.count { $0 == UInt8(ascii: "\n") } + 1
    check(JSONLogParser.parse(body, options: options), options, lineCount)
    check(LogfmtParser.parse(body, options: options), options, lineCount)
    check(TextLogParser.parse(body, options: options), options, lineCount)
    let bulk = ElasticBulkParser.parse(body, defaultIndex: "x", options: options)
    check(bulk.result, options, lineCount)
    precondition(bulk.items.count { $0.error == nil } == bulk.result.batch.rowCount)
    if let result = try? LokiPushParser.parseJSON(body, options: options) {
        check(result, options, lineCount)
    }
    if let result = try? OTLPLogJSONParser.parse(body, options: options) {
        check(result, options, lineCount)
    }
    var syslog = SyslogParser(options: options)
    syslog.parse(body, arrival: options.now)
    check(syslog.finished(), options, lineCount)
    return 0
}

func check(_ result: LogResult, _ options: LogOptions, _ lineCount: Int) {
    let batch = result.batch
    precondition(batch.streamIndexes.count == batch.rowCount)
    precondition(batch.firstLines.count == batch.streams.count)
    precondition(batch.streamIndexes.allSatisfy { Int($0) < batch.streams.count })
    precondition(batch.rowCount + result.refusedCount <= result.recordCount)
    precondition(result.refusals.count <= LogResult.refusalsMax)
    for refusal in result.refusals {
        precondition((0...lineCount).contains(refusal.line))
        _ = refusal.error.description
    }
    // The mark of cut values comes on top.
    precondition(batch.fields.columns.count <= options.limits.namesMax + 1)
    for column in batch.fields.columns {
        precondition(column.count > 0)
        precondition(zip(column.rows, column.rows.dropFirst()).allSatisfy { $0 < $1 })
        precondition(column.rows.allSatisfy { Int($0) < batch.rowCount })
        for index in 0..<column.count {
            precondition(column.values[index].count <= max(options.limits.lineBytesMax, 32))
        }
    }
    for labels in batch.streams {
        guard (try? Labels(validating: labels.bytes)) == labels else {
            fatalError("labels are not canonical: \(labels)")
        }
    }
}
