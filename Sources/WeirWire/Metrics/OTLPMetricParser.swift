internal import WeirCore

/// Reads OpenTelemetry's `ExportMetricsServiceRequest` as protobuf.
///
/// Field numbers: opentelemetry/proto/metrics/v1/metrics.proto.
package struct OTLPMetricParser {
    private var points: MetricPoints
    private var values: OTLPSpanValues

    /// More than any point may have as labels.
    private static let attributesMax = 1024

    /// Parses a whole message.
    ///
    /// - Throws: `MetricError.damagedProtobuf` when it is no such message; then nothing is taken.
    package static func parse(
        _ body: [UInt8],
        options: MetricOptions
    ) throws(MetricError) -> MetricResult {
        var parser = OTLPMetricParser(
            points: MetricPoints(options),
            values: OTLPSpanValues(limits: SpanLimits())
        )
        do throws(DecodeError) {
            try parser.readRequest(body.span)
        } catch {
            throw .damagedProtobuf(offset: error.offset)
        }
        return parser.points.finished()
    }

    private mutating func readRequest(_ bytes: Span<UInt8>) throws(DecodeError) {
        var reader = ProtobufReader(0..<bytes.count)
        while let field = try reader.next(bytes) {
            guard field.number == 1, field.wire == .bytes else { continue }
            // The resource may come after its metrics.
            var attributes: [OTLPAttribute] = []
            var inner = ProtobufReader(field.range)
            while let field = try inner.next(bytes) {
                guard field.number == 1, field.wire == .bytes else { continue }
                attributes += try readAttributes(bytes, field.range, number: 1)
            }
            points.beginResource(attributes)
            inner = ProtobufReader(field.range)
            while let field = try inner.next(bytes) {
                guard field.number == 2, field.wire == .bytes else { continue }
                try readScopeMetrics(bytes, field.range)
            }
        }
    }

    private mutating func readScopeMetrics(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) {
        var (name, version): ([UInt8], [UInt8]) = ([], [])
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            guard field.number == 1, field.wire == .bytes else { continue }
            var inner = ProtobufReader(field.range)
            while let field = try inner.next(bytes) {
                if field.number == 1 { name = Self.copy(bytes, field.range) }
                if field.number == 2 { version = Self.copy(bytes, field.range) }
            }
        }
        points.beginScope(name: name, version: version)
        reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            guard field.number == 2, field.wire == .bytes else { continue }
            try readMetric(bytes, field.range)
        }
    }

    private mutating func readMetric(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) {
        var metric = MetricPoints.Metric()
        var data: (number: Int, range: Range<Int>)?
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            guard field.wire == .bytes else { continue }
            switch field.number {
            case 1: metric.name = MetricPoints.text(Self.copy(bytes, field.range))
            case 2: metric.help = MetricPoints.text(Self.copy(bytes, field.range))
            case 3: metric.unit = MetricPoints.text(Self.copy(bytes, field.range))
            case 5, 7, 9, 10, 11: data = (field.number, field.range)
            default: break
            }
        }
        guard let data else { return }
        var isMonotonic = false
        reader = ProtobufReader(data.range)
        while let field = try reader.next(bytes) {
            guard field.wire == .varint else { continue }
            // AGGREGATION_TEMPORALITY_DELTA is 1.
            if field.number == 2 { metric.isDelta = field.bits == 1 }
            if field.number == 3 { isMonotonic = field.bits != 0 }
        }
        metric.isCounter = data.number == 7 && isMonotonic
        metric.isGauge = data.number == 5
        reader = ProtobufReader(data.range)
        while let field = try reader.next(bytes) {
            guard field.number == 1, field.wire == .bytes else { continue }
            try readPoint(metric, data.number, bytes, field.range)
        }
    }

    private mutating func readPoint(
        _ metric: MetricPoints.Metric,
        _ kind: Int,
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) {
        let isHistogram = kind == 9
        let attributesNumber = isHistogram ? 9 : kind == 10 ? 1 : 7
        var (start, time, flags): (UInt64, UInt64, UInt64) = (0, 0, 0)
        var number: Double?
        var histogram = MetricHistogram()
        var exponential = ExponentialHistogram()
        var summary = MetricSummary()
        var exemplars: [MetricExemplar] = []
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            switch (kind, field.number) {
            case (_, 2) where field.wire == .fixed64: start = field.bits
            case (_, 3) where field.wire == .fixed64: time = field.bits
            case (5, 4), (7, 4): number = field.double
            case (5, 6), (7, 6): number = Double(Int64(bitPattern: field.bits))
            case (5, 8), (7, 8), (9, 10), (10, 10), (11, 8): flags = field.bits
            case (5, 5), (7, 5), (9, 8), (10, 11):
                if field.wire == .bytes, exemplars.count < points.options.exemplarsMax {
                    exemplars.append(try readExemplar(bytes, field.range))
                }
            case (9, 4): histogram.count = field.bits
            case (9, 5): histogram.sum = field.double
            case (9, 6): histogram.buckets += try Self.fixed(bytes, field)
            case (9, 7):
                histogram.bounds += try Self.fixed(bytes, field).map { Double(bitPattern: $0) }
            case (10, 4): exponential.count = field.bits
            case (10, 5): exponential.sum = field.double
            case (10, 6): exponential.scale = Self.zigZag(field.bits)
            case (10, 7): exponential.zeroCount = field.bits
            case (10, 8): exponential.positive = try readBuckets(bytes, field.range)
            case (10, 9): exponential.negative = try readBuckets(bytes, field.range)
            case (10, 14): exponential.zeroThreshold = field.double
            case (11, 4): summary.count = field.bits
            case (11, 5): summary.sum = field.double
            case (11, 6) where summary.quantiles.count <= points.options.bucketsMax:
                var quantile = MetricSummary.Quantile(quantile: 0, value: 0)
                var inner = ProtobufReader(field.range)
                while let field = try inner.next(bytes) {
                    if field.number == 1 { quantile.quantile = field.double }
                    if field.number == 2 { quantile.value = field.double }
                }
                summary.quantiles.append(quantile)
            default: break
            }
        }
        let shape: MetricPoint.Shape? =
            switch kind {
            case 9: .histogram(histogram)
            case 10: .exponential(exponential)
            case 11: .summary(summary)
            default: number.map { .number($0) }
            }
        points.add(
            metric,
            try readAttributes(bytes, range, number: attributesNumber),
            start: start,
            time: time,
            flags: flags,
            shape: shape,
            exemplars: exemplars
        )
    }

    private func readBuckets(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) -> [Int: UInt64] {
        var offset = 0
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            if field.number == 1, field.wire == .varint { offset = Self.zigZag(field.bits) }
        }
        var buckets: [Int: UInt64] = [:]
        var index = 0
        func add(_ count: UInt64) {
            // Past the limit the point is refused: one more tells.
            if count > 0, buckets.count <= points.options.bucketsMax {
                buckets[offset + index] = count
            }
            index += 1
        }
        reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            switch (field.number, field.wire) {
            case (2, .varint): add(field.bits)
            case (2, .bytes):
                var inner = ByteReader(bytes.extracting(field.range))
                while inner.remaining > 0 { add(try inner.readVarint()) }
            default: break
            }
        }
        return buckets
    }

    private mutating func readExemplar(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) -> MetricExemplar {
        var exemplar = MetricExemplar()
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            switch (field.number, field.wire) {
            case (2, .fixed64): exemplar.time = Int64(clamping: field.bits)
            case (3, .fixed64): exemplar.value = field.double
            case (6, .fixed64): exemplar.value = Double(Int64(bitPattern: field.bits))
            case (4, .bytes): exemplar.spanID = Self.hexadecimal(bytes, field.range)
            case (5, .bytes): exemplar.traceID = Self.hexadecimal(bytes, field.range)
            default: break
            }
        }
        exemplar.attributes = MetricPoints.labels(
            try readAttributes(bytes, range, number: 7).prefix(64)
        )
        return exemplar
    }

    private mutating func readAttributes(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        number: Int
    ) throws(DecodeError) -> [OTLPAttribute] {
        var attributes: [OTLPAttribute] = []
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            guard field.number == number, field.wire == .bytes,
                attributes.count < Self.attributesMax
            else { continue }
            let (key, value) = try OTLPWire.pair(bytes, field.range)
            let name = Self.copy(bytes, key)
            guard let member = try OTLPWire.member(bytes, value) else { continue }
            if member.number == 1 {
                attributes.append(
                    OTLPAttribute(name: name, kind: .text, value: Self.copy(bytes, member.range))
                )
            } else {
                let kind = try values.read(bytes, member)
                attributes.append(OTLPAttribute(name: name, kind: kind, value: values.json))
            }
        }
        return attributes
    }

    // MARK: Numbers

    private static func copy(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        var copy: [UInt8] = []
        copy.append(bytes, range)
        return copy
    }

    /// A `sint32`.
    private static func zigZag(_ bits: UInt64) -> Int {
        Int(Int32(clamping: Int64(zigZag: bits)))
    }

    /// One value of 64 bits, or a packed list of them.
    private static func fixed(
        _ bytes: Span<UInt8>,
        _ field: ProtobufField
    ) throws(DecodeError) -> [UInt64] {
        guard field.wire == .bytes else { return [field.bits] }
        guard field.range.count % 8 == 0 else {
            throw .notCanonical(offset: field.range.lowerBound)
        }
        var reader = ByteReader(bytes.extracting(field.range))
        var values: [UInt64] = []
        while reader.remaining > 0 {
            let low = UInt64(try reader.readUInt32())
            values.append(low | UInt64(try reader.readUInt32()) << 32)
        }
        return values
    }

    private static func hexadecimal(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        guard range.count == 16 || range.count == 8 else { return "" }
        var text: [UInt8] = []
        for start in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
            HexDigits.append(OTLPSpanValues.id(bytes, start), to: &text)
        }
        return MetricPoints.text(text)
    }
}
