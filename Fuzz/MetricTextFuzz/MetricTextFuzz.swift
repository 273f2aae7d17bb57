import WeirCore
import WeirWire

/// libFuzzer entry point: any bytes are refused or parse as text expositions, Graphite and StatsD.
@c(LLVMFuzzerTestOneInput)
public func fuzzMetricText(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer owns `start ..< start + count` for the length of this call.
    let bytes = unsafe UnsafeBufferPointer(start: start, count: start == nil ? 0 : count)
    let body = unsafe Array(bytes)
    let now: Int64 = 1_790_000_000_000_000_000
    for format in [ExpositionFormat.prometheus, .openMetrics, .dump] {
        let options = ExpositionOptions(format: format, now: now)
        var interner = SeriesInterner(byteCountMax: 20_000)
        let first = ExpositionParser.parse(body, options: options, interner: &interner)
        let again = ExpositionParser.parse(body, options: options, interner: &interner)
        precondition(first.batches.samples.times == again.batches.samples.times)
        precondition(first.batches.samples.streams == again.batches.samples.streams)
        precondition(first.batches.refusedCount == again.batches.refusedCount)
        precondition(first.hasOwnTime.count == first.batches.samples.rowCount)
        for labels in first.batches.samples.streams {
            precondition((try? Labels(validating: labels.bytes)) != nil)
        }
    }
    let limits = MetricOptions(now: now)
    var graphite = GraphiteParser(limits: limits)
    graphite.parse(body, arrival: now)
    var totals = StatsDTotals(limits: limits)
    totals.add(body, at: now)
    _ = totals.flush(at: now + 1)
    return 0
}
