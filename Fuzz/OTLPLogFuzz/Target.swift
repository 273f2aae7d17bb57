import WeirCore
import WeirWire

/// libFuzzer entry point: any bytes are refused or parse as OTLP's and Loki's protobuf; the batch
/// holds together; nothing traps.
@c(LLVMFuzzerTestOneInput)
public func fuzzOTLPLogs(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer owns `start ..< start + count` for the length of this call.
    let bytes = unsafe UnsafeBufferPointer(start: start, count: start == nil ? 0 : count)
    let body = unsafe Array(bytes)
    var options = LogOptions(now: 1_790_000_000_000_000_000)
    options.limits.fieldsMax = 8
    options.limits.depthMax = 6
    options.limits.nameBytesMax = 24
    if let result = try? OTLPLogParser.parse(body, options: options) { check(result) }
    // As a block, and as what a block of literals holds.
    for packed in [body, literals(body)] {
        let result = try? LokiPushParser.parseProtobuf(packed, bytesMax: 1 << 16, options: options)
        if let result { check(result) }
    }
    return 0
}

func literals(_ bytes: [UInt8]) -> [UInt8] {
    var output: [UInt8] = []
    UInt64(bytes.count).appendVarint(to: &output)
    for start in stride(from: 0, to: bytes.count, by: 60) {
        let piece = bytes[start..<min(start + 60, bytes.count)]
        output.append(UInt8((piece.count - 1) << 2))
        output += piece
    }
    return output
}

func check(_ result: LogResult) {
    let batch = result.batch
    precondition(batch.streamIndexes.count == batch.rowCount)
    precondition(batch.streamIndexes.allSatisfy { Int($0) < batch.streams.count })
    precondition(batch.rowCount + result.refusedCount == result.recordCount)
    for refusal in result.refusals { _ = refusal.error.description }
    for column in batch.fields.columns {
        precondition(zip(column.rows, column.rows.dropFirst()).allSatisfy { $0 < $1 })
        precondition(column.rows.allSatisfy { Int($0) < batch.rowCount })
    }
}
