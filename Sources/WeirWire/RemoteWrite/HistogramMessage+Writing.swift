internal import WeirCore

extension HistogramMessage {
    /// A `Histogram` message.
    ///
    /// Whole counts are written as such where they were sent so and 64 bits hold them.
    static func bytes(of histogram: NativeHistogram, atMilliseconds time: Int64) -> [UInt8] {
        var writer = ProtobufWriter()
        let positive = histogram.hasFloatCounts ? nil : deltas(histogram.positive.counts)
        let negative = histogram.hasFloatCounts ? nil : deltas(histogram.negative.counts)
        let count = UInt64(exactly: histogram.count)
        let zeroCount = UInt64(exactly: histogram.zeroCount)
        if let positive, let negative, let count, let zeroCount {
            writer.varint(1, count)
            writeShape(histogram, to: &writer)
            writer.varint(6, zeroCount)
            write(histogram.negative.spans, as: 8, to: &writer)
            writer.bytes(9, negative)
            write(histogram.positive.spans, as: 11, to: &writer)
            writer.bytes(12, positive)
        } else {
            writer.fixed64(2, histogram.count.bitPattern)
            writeShape(histogram, to: &writer)
            writer.fixed64(7, histogram.zeroCount.bitPattern)
            write(histogram.negative.spans, as: 8, to: &writer)
            writer.bytes(10, doubles(histogram.negative.counts))
            write(histogram.positive.spans, as: 11, to: &writer)
            writer.bytes(13, doubles(histogram.positive.counts))
        }
        writer.varint(14, UInt64(histogram.resetHint.rawValue))
        writer.varint(15, UInt64(bitPattern: time))
        writer.bytes(16, doubles(histogram.customBounds))
        return writer.bytes
    }

    private static func writeShape(_ histogram: NativeHistogram, to writer: inout ProtobufWriter) {
        writer.fixed64(3, histogram.sum.bitPattern)
        writer.varint(4, zigZag(Int64(histogram.schema)))
        writer.fixed64(5, histogram.zeroThreshold.bitPattern)
    }

    private static func write(
        _ spans: [NativeHistogram.BucketSpan],
        as number: Int,
        to writer: inout ProtobufWriter
    ) {
        for span in spans {
            var message = ProtobufWriter()
            message.varint(1, zigZag(Int64(span.offset)))
            message.varint(2, UInt64(span.length))
            writer.bytes(number, message.bytes)
        }
    }

    /// The differences of whole counts, packed; nil where one is not whole.
    private static func deltas(_ counts: [Double]) -> [UInt8]? {
        var bytes: [UInt8] = []
        var previous: Int64 = 0
        for count in counts {
            guard let whole = Int64(exactly: count) else { return nil }
            let (delta, overflow) = whole.subtractingReportingOverflow(previous)
            guard !overflow else { return nil }
            zigZag(delta).appendVarint(to: &bytes)
            previous = whole
        }
        return bytes
    }

    private static func doubles(_ values: [Double]) -> [UInt8] {
        var bytes: [UInt8] = []
        for value in values {
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> shift))
            }
        }
        return bytes
    }

    private static func zigZag(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: (value << 1) ^ (value >> 63))
    }
}
