internal import WeirCore

/// Reads the `Histogram` message of both remote write protocols, whose numbers of fields are the same.
///
/// Field numbers: prometheus/prompb/types.proto, io/prometheus/write/v2/types.proto.
enum HistogramMessage {
    /// A histogram and its time, in milliseconds.
    struct Reading {
        var histogram = NativeHistogram()
        var milliseconds: Int64 = 0
        fileprivate var schema: Int64 = 0
        fileprivate var hint: UInt64 = 0
        fileprivate var deltas: (positive: [Int64], negative: [Int64]) = ([], [])

        /// Says that it is a gauge's histogram.
        mutating func markGauge() { hint = UInt64(NativeHistogram.ResetHint.gauge.rawValue) }

        /// Takes in a field as one of that number.
        mutating func read(
            _ number: Int,
            _ field: ProtobufField,
            _ bytes: Span<UInt8>
        ) throws(DecodeError) {
            switch (number, field.wire) {
            case (1, .varint): histogram.count = Double(field.bits)
            case (2, .fixed64):
                histogram.count = field.double
                histogram.hasFloatCounts = true
            case (3, .fixed64): histogram.sum = field.double
            case (4, .varint): schema = Int64(zigZag: field.bits)
            case (5, .fixed64): histogram.zeroThreshold = field.double
            case (6, .varint): histogram.zeroCount = Double(field.bits)
            case (7, .fixed64): histogram.zeroCount = field.double
            case (8, .bytes):
                histogram.negative.spans.append(try HistogramMessage.span(bytes, field.range))
            case (9, _): try HistogramMessage.deltas(bytes, field, &deltas.negative)
            case (10, _): try HistogramMessage.doubles(bytes, field, &histogram.negative.counts)
            case (11, .bytes):
                histogram.positive.spans.append(try HistogramMessage.span(bytes, field.range))
            case (12, _): try HistogramMessage.deltas(bytes, field, &deltas.positive)
            case (13, _): try HistogramMessage.doubles(bytes, field, &histogram.positive.counts)
            case (14, .varint): hint = field.bits
            case (15, .varint): milliseconds = field.int64
            case (16, _): try HistogramMessage.doubles(bytes, field, &histogram.customBounds)
            default: break
            }
        }
    }

    static func read(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) -> Reading {
        var reading = Reading()
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            try reading.read(field.number, field, bytes)
            let size =
                reading.histogram.positive.spans.count + reading.histogram.negative.spans.count
                + reading.histogram.customBounds.count
            guard size <= NativeHistogram.bucketsMax * 4 else {
                throw .countTooLarge(
                    offset: range.lowerBound,
                    count: UInt64(size),
                    limit: NativeHistogram.bucketsMax * 4
                )
            }
        }
        return reading
    }

    fileprivate static func span(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) -> NativeHistogram.BucketSpan {
        var span = NativeHistogram.BucketSpan(offset: 0, length: 0)
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            if field.number == 1 {
                span.offset = Int32(truncatingIfNeeded: Int64(zigZag: field.bits))
            }
            if field.number == 2 { span.length = UInt32(truncatingIfNeeded: field.bits) }
        }
        return span
    }

    /// Packed or one by one.
    fileprivate static func deltas(
        _ bytes: Span<UInt8>,
        _ field: ProtobufField,
        _ values: inout [Int64]
    ) throws(DecodeError) {
        if field.wire == .varint {
            values.append(Int64(zigZag: field.bits))
        } else if field.wire == .bytes {
            var reader = ProtobufReader(field.range)
            while let bits = try reader.nextVarint(bytes) { values.append(Int64(zigZag: bits)) }
        }
    }

    fileprivate static func doubles(
        _ bytes: Span<UInt8>,
        _ field: ProtobufField,
        _ values: inout [Double]
    ) throws(DecodeError) {
        if field.wire == .fixed64 {
            values.append(field.double)
        } else if field.wire == .bytes {
            var reader = ProtobufReader(field.range)
            while let bits = try reader.nextFixed64(bytes) {
                values.append(Double(bitPattern: bits))
            }
        }
    }

    /// The histogram of a reading, once it is known to hang together.
    static func checked(_ reading: Reading) throws(SeriesError) -> NativeHistogram {
        var histogram = reading.histogram
        guard let schema = Int8(exactly: reading.schema),
            NativeHistogram.schemas.contains(schema) || schema == NativeHistogram.customSchema
        else { throw .histogram("schema \(reading.schema) is not known") }
        histogram.schema = schema
        histogram.resetHint =
            UInt8(exactly: reading.hint).flatMap(NativeHistogram.ResetHint.init(rawValue:))
            ?? .unknown
        if !histogram.hasFloatCounts {
            histogram.positive.counts = try counts(reading.deltas.positive)
            histogram.negative.counts = try counts(reading.deltas.negative)
        }
        try check(histogram)
        return histogram
    }

    /// Whole counts of their differences.
    private static func counts(_ deltas: [Int64]) throws(SeriesError) -> [Double] {
        var counts: [Double] = []
        counts.reserveCapacity(deltas.count)
        var count: Int64 = 0
        for delta in deltas {
            let (sum, overflow) = count.addingReportingOverflow(delta)
            guard !overflow else { throw .histogram("a bucket's count does not fit 64 bits") }
            count = sum
            counts.append(Double(count))
        }
        return counts
    }

    static func check(_ histogram: NativeHistogram) throws(SeriesError) {
        if histogram.isStale { return }
        for (side, name) in [(histogram.positive, "positive"), (histogram.negative, "negative")] {
            guard side.spans.count <= NativeHistogram.bucketsMax else {
                throw .histogram("more than \(NativeHistogram.bucketsMax) spans")
            }
            var bucketCount = 0
            for (place, span) in side.spans.enumerated() {
                guard place == 0 || span.offset >= 0 else {
                    throw .histogram("\(name) span \(place + 1) begins before the end of the last")
                }
                bucketCount &+= Int(span.length)
            }
            guard bucketCount == side.counts.count else {
                throw .histogram(
                    "\(name) spans have \(bucketCount) buckets, and \(side.counts.count) counts"
                )
            }
            guard bucketCount <= NativeHistogram.bucketsMax else {
                throw .histogram("more than \(NativeHistogram.bucketsMax) buckets")
            }
            guard side.counts.allSatisfy({ $0 >= 0 }) else {
                throw .histogram("a \(name) bucket's count is below zero")
            }
        }
        guard histogram.zeroCount >= 0, histogram.count >= 0 else {
            throw .histogram("a count is below zero")
        }
        if histogram.hasCustomBounds {
            try checkCustom(histogram)
        } else {
            guard histogram.customBounds.isEmpty else {
                throw .histogram("bounds of its own under schema \(histogram.schema)")
            }
            guard histogram.zeroThreshold >= 0 else {
                throw .histogram("the zero threshold is below zero")
            }
        }
        // Floating point counts may differ from their sum by rounding.
        guard !histogram.hasFloatCounts else { return }
        let total =
            histogram.zeroCount
            + (histogram.positive.counts + histogram.negative.counts).reduce(0, +)
        guard histogram.sum.isNaN ? total <= histogram.count : total == histogram.count else {
            throw .histogram(
                "\(total) observations in buckets where the count is \(histogram.count)"
            )
        }
    }

    private static func checkCustom(_ histogram: NativeHistogram) throws(SeriesError) {
        let bounds = histogram.customBounds
        guard bounds.count <= NativeHistogram.bucketsMax else {
            throw .histogram("more than \(NativeHistogram.bucketsMax) bounds")
        }
        guard !bounds.contains(where: \.isNaN),
            zip(bounds, bounds.dropFirst()).allSatisfy({ $0 < $1 }), bounds.last != .infinity
        else { throw .histogram("bounds do not ascend, or end in infinity") }
        guard histogram.zeroCount == 0, histogram.negative.isEmpty else {
            throw .histogram("only positive buckets go with bounds of its own")
        }
        var end: Int64 = 0
        for span in histogram.positive.spans { end &+= Int64(span.offset) &+ Int64(span.length) }
        guard end <= Int64(bounds.count) &+ 1, histogram.positive.spans.first?.offset ?? 0 >= 0
        else {
            throw .histogram("buckets beyond the \(bounds.count) bounds")
        }
    }
}
