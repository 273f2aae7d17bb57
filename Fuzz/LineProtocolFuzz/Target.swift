import WeirCore
import WeirWire

/// libFuzzer entry point: any body parses; what is taken is consistent, and refusals name lines
/// that exist; nothing traps.
@c(LLVMFuzzerTestOneInput)
public func fuzzLineProtocol(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer owns `start ..< start + count` for the length of this call.
    let bytes = unsafe UnsafeBufferPointer(start: start, count: start == nil ? 0 : count)
    let body = unsafe Array(bytes)
    var options = LineProtocolOptions(now: 1_790_000_000_000_000_000)
    // The length chooses the unit, so that large timestamps overflow in some inputs.
    options.nanosecondsPerUnit = [1, 1000, 1_000_000, 3_600_000_000_000][count % 4]
    let result = LineProtocolParser.parse(body, options: options)
    let batch = result.batch
    precondition(batch.streamIndexes.count == batch.rowCount)
    precondition(batch.times.count == batch.rowCount)
    precondition(batch.columns[0].count == batch.rowCount)
    precondition(batch.firstLines.count == batch.streams.count)
    for index in batch.streamIndexes { precondition(Int(index) < batch.streams.count) }
    let lineCount = body.count { $0 == UInt8(ascii: "\n") } + 1
    precondition(result.refusedLineCount <= lineCount)
    for refusal in result.refusals {
        precondition((1...lineCount).contains(refusal.line))
        _ = refusal.error.description
    }
    for labels in batch.streams {
        guard (try? Labels(validating: labels.bytes)) == labels else {
            fatalError("labels are not canonical: \(labels)")
        }
    }
    return 0
}
