internal import WeirCore

/// The `Histogram` message of a target's protobuf exposition: classic buckets, native ones, or both.
struct ClientHistogram {
    struct Bucket {
        var count = 0.0
        var bound = 0.0
        /// Where its exemplar lies.
        var exemplar: Range<Int>?
    }

    /// Its native part, in the form that remote write has.
    private(set) var native = HistogramMessage.Reading()
    private(set) var buckets: [Bucket] = []
    private(set) var exemplars: [Range<Int>] = []
    /// As Prometheus tells: spans, a zero bucket, or its threshold are there.
    private(set) var isNative = false

    /// Field numbers: prometheus/client_model's metrics.proto.
    init(_ bytes: Span<UInt8>, _ range: Range<Int>, isGauge: Bool) throws(DecodeError) {
        // The numbers that remote write gives the same things.
        let numbers = [
            1: 1, 4: 2, 2: 3, 5: 4, 6: 5, 7: 6, 8: 7, 9: 8, 10: 9, 11: 10, 12: 11, 13: 12, 14: 13,
        ]
        var hasFloatCounts = false
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            switch (field.number, field.wire) {
            case (3, .bytes): buckets.append(try Self.bucket(bytes, field.range))
            case (16, .bytes): exemplars.append(field.range)
            default:
                guard let number = numbers[field.number] else { continue }
                // proto3 leaves zeros out, and some senders do not.
                if field.number == 4, field.double > 0 { hasFloatCounts = true }
                if field.number == 4, field.double == 0 { continue }
                if field.number == 8, field.double == 0 { continue }
                if [9, 10, 11, 12, 13, 14].contains(field.number)
                    || ([6, 7, 8].contains(field.number) && field.bits != 0)
                {
                    isNative = true
                }
                try native.read(number, field, bytes)
            }
        }
        native.histogram.hasFloatCounts = hasFloatCounts
        if isGauge { native.markGauge() }
    }

    private static func bucket(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) -> Bucket {
        var bucket = Bucket()
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            switch (field.number, field.wire) {
            case (1, .varint): bucket.count = Double(field.bits)
            case (4, .fixed64): if field.double > 0 { bucket.count = field.double }
            case (2, .fixed64): bucket.bound = field.double
            case (3, .bytes): bucket.exemplar = field.range
            default: break
            }
        }
        return bucket
    }
}
