import WeirCore
import WeirWire

/// libFuzzer entry point: any bytes are refused or parse as remote write, in both versions, and twice
/// alike.
@c(LLVMFuzzerTestOneInput)
public func fuzzRemoteWrite(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer owns `start ..< start + count` for the length of this call.
    let bytes = unsafe UnsafeBufferPointer(start: start, count: start == nil ? 0 : count)
    let body = unsafe Array(bytes)
    var options = MetricOptions(now: 1_790_000_000_000_000_000)
    options.labelsMax = 8
    for version in [RemoteWriteVersion.one, .two] {
        var interner = SeriesInterner(byteCountMax: 20_000)
        let first = try? RemoteWriteParser.parse(
            body,
            version: version,
            options: options,
            interner: &interner
        )
        let again = try? RemoteWriteParser.parse(
            body,
            version: version,
            options: options,
            interner: &interner
        )
        precondition(first?.samples.times == again?.samples.times)
        precondition(first?.samples.streams == again?.samples.streams)
        precondition(first?.refusedCount == again?.refusedCount)
        guard let first else { continue }
        precondition(first.samples.streamIndexes.allSatisfy { $0 < first.samples.streams.count })
        for labels in first.samples.streams + first.histograms.streams {
            precondition((try? Labels(validating: labels.bytes)) != nil)
        }
        for row in 0..<first.histograms.rowCount {
            precondition((try? NativeHistogram(row: row, of: first.histograms.columns)) != nil)
        }
    }
    _ = try? RemoteReadRequest(body)
    return 0
}
