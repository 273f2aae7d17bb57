internal import WeirCore

/// Reads Prometheus's protobuf exposition: `io.prometheus.client.MetricFamily` messages, each with its
/// length before it.
///
/// The one way in which targets expose native histograms. Field numbers: prometheus/client_model's
/// metrics.proto. A family's series become the same rows as those of the text.
package struct ProtobufExpositionParser {
    /// Whether a native histogram's classic buckets are kept too.
    private let keepsClassicBuckets: Bool
    private let options: ExpositionOptions
    private var builder: LabelBuilder
    private var result = ExpositionResult()
    private var streams: [Labels: UInt32] = [:]
    private var histogramStreams: [Labels: UInt32] = [:]
    private var exemplarStreams: [Labels: UInt32] = [:]
    /// The family's place, for refusals.
    private var familyNumber = 0

    /// Parses a whole body.
    ///
    /// - Throws: `RemoteWriteError.damagedProtobuf` when it is no such stream; then nothing is taken.
    package static func parse(
        _ body: [UInt8],
        options: ExpositionOptions,
        keepsClassicBuckets: Bool = false
    ) throws(RemoteWriteError) -> ExpositionResult {
        var parser = ProtobufExpositionParser(
            keepsClassicBuckets: keepsClassicBuckets,
            options: options,
            builder: LabelBuilder(options: options.limits)
        )
        do throws(DecodeError) {
            try parser.readFamilies(body.span)
        } catch {
            throw .damagedProtobuf(offset: error.offset)
        }
        parser.result.hasEnd = true
        return parser.result
    }

    private init(keepsClassicBuckets: Bool, options: ExpositionOptions, builder: LabelBuilder) {
        self.keepsClassicBuckets = keepsClassicBuckets
        self.options = options
        self.builder = builder
    }

    private mutating func readFamilies(_ bytes: Span<UInt8>) throws(DecodeError) {
        var cursor = 0
        while cursor < bytes.count {
            familyNumber += 1
            var length: UInt64 = 0
            var shift: UInt64 = 0
            while true {
                guard cursor < bytes.count, shift < 35 else {
                    throw .truncated(offset: cursor, needed: 1)
                }
                let byte = bytes[cursor]
                cursor += 1
                length |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { break }
                shift += 7
            }
            guard length <= UInt64(bytes.count - cursor) else {
                throw .truncated(offset: cursor, needed: 1)
            }
            let end = cursor + Int(length)
            try readFamily(bytes, cursor..<end)
            cursor = end
        }
    }

    private struct Family {
        var name = ""
        var type: UInt64 = 0
        var help = ""
        var unit = ""
        var metadataType: MetricType {
            switch type {
            case 0: .counter
            case 1: .gauge
            case 2: .summary
            case 4: .histogram
            case 5: .gaugehistogram
            default: .unknown
            }
        }
    }

    private mutating func readFamily(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) {
        var family = Family()
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            switch (field.number, field.wire) {
            case (1, .bytes): family.name = LabelBuilder.text(field.range, bytes)
            case (2, .bytes): family.help = LabelBuilder.text(field.range, bytes)
            case (3, .varint): family.type = field.bits
            case (5, .bytes): family.unit = LabelBuilder.text(field.range, bytes)
            default: break
            }
        }
        result.batches.metadata.append(
            FamilyMetadata(
                name: family.name,
                MetricMetadata(type: family.metadataType, unit: family.unit, help: family.help)
            )
        )
        reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            guard field.number == 4, field.wire == .bytes else { continue }
            try readMetric(bytes, field.range, family)
        }
    }

    /// A metric in the making: its labels and time.
    private struct Metric {
        var pairs: [(String, String)] = []
        var time: Int64
        var hasOwnTime = false
    }

    private mutating func readMetric(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        _ family: Family
    ) throws(DecodeError) {
        var metric = Metric(time: options.defaultTime)
        var value: ProtobufField?
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            switch (field.number, field.wire) {
            case (1, .bytes): metric.pairs.append(try Self.pair(bytes, field.range))
            case (6, .varint) where options.honorsTimes && field.bits != 0:
                let (time, overflow) = field.int64.multipliedReportingOverflow(by: 1_000_000)
                guard !overflow else { throw .unknownValue(offset: range.lowerBound, value: 6) }
                (metric.time, metric.hasOwnTime) = (time, true)
            case (2, .bytes), (3, .bytes), (4, .bytes), (5, .bytes), (7, .bytes): value = field
            default: break
            }
        }
        result.sampleLineCount += 1
        guard let value else { return }
        switch value.number {
        case 4: try readSummary(bytes, value.range, family, metric)
        case 7: try readHistogram(bytes, value.range, family, metric)
        default: try readNumber(bytes, value.range, family, metric)
        }
    }

    private static func pair(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) -> (String, String) {
        var (name, value) = ("", "")
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            if field.number == 1 { name = LabelBuilder.text(field.range, bytes) }
            if field.number == 2 { value = LabelBuilder.text(field.range, bytes) }
        }
        return (name, value)
    }

    // MARK: Kinds

    private mutating func readNumber(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        _ family: Family,
        _ metric: Metric
    ) throws(DecodeError) {
        var value = 0.0
        var exemplar: Exemplar?
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            if field.number == 1, field.wire == .fixed64 { value = field.double }
            if field.number == 2, field.wire == .bytes {
                exemplar = try Self.exemplar(bytes, field.range)
            }
        }
        put(family.name, metric, value, exemplar)
    }

    private mutating func readSummary(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        _ family: Family,
        _ metric: Metric
    ) throws(DecodeError) {
        var (count, sum) = (0.0, 0.0)
        var quantiles: [(quantile: Double, value: Double)] = []
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            switch (field.number, field.wire) {
            case (1, .varint): count = Double(field.bits)
            case (2, .fixed64): sum = field.double
            case (3, .bytes):
                var one = (quantile: 0.0, value: 0.0)
                var inner = ProtobufReader(field.range)
                while let field = try inner.next(bytes) {
                    if field.number == 1 { one.quantile = field.double }
                    if field.number == 2 { one.value = field.double }
                }
                quantiles.append(one)
            default: break
            }
        }
        put(family.name + "_count", metric, count)
        put(family.name + "_sum", metric, sum)
        for one in quantiles {
            put(family.name, metric, one.value, label: ("quantile", FloatText.label(one.quantile)))
        }
    }

    private mutating func readHistogram(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        _ family: Family,
        _ metric: Metric
    ) throws(DecodeError) {
        let reading = try ClientHistogram(bytes, range, isGauge: family.type == 5)
        if reading.isNative {
            do throws(SeriesError) {
                let histogram = try HistogramMessage.checked(reading.native)
                let labels = try labels(family.name, metric.pairs)
                let stream =
                    histogramStreams[labels] ?? result.batches.histograms.addStream(labels)
                histogramStreams[labels] = stream
                result.batches.histograms.append(histogram, stream: stream, time: metric.time)
                for range in reading.exemplars + reading.buckets.compactMap(\.exemplar) {
                    if let exemplar = try? Self.exemplar(bytes, range), exemplar.time != nil {
                        put(exemplar, labels, metric.time)
                    }
                }
            } catch {
                result.batches.refuse(line: familyNumber, "\(family.name): \(error)")
            }
            guard keepsClassicBuckets, !reading.buckets.isEmpty else { return }
        }
        put(family.name + "_count", metric, reading.native.histogram.count)
        put(family.name + "_sum", metric, reading.native.histogram.sum)
        var hasInfinity = false
        for bucket in reading.buckets {
            hasInfinity = hasInfinity || bucket.bound == .infinity
            let exemplar = try bucket.exemplar.map { range throws(DecodeError) in
                try Self.exemplar(bytes, range)
            }
            put(
                family.name + "_bucket",
                metric,
                bucket.count,
                exemplar,
                label: ("le", FloatText.label(bucket.bound))
            )
        }
        guard !hasInfinity else { return }
        put(
            family.name + "_bucket",
            metric,
            reading.native.histogram.count,
            label: ("le", "+Inf")
        )
    }

    // MARK: Rows

    private struct Exemplar {
        var labels: [(name: String, value: String)] = []
        var value = 0.0
        var time: Int64?
    }

    private static func exemplar(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) -> Exemplar {
        var exemplar = Exemplar()
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            switch (field.number, field.wire) {
            case (1, .bytes):
                let pair = try pair(bytes, field.range)
                exemplar.labels.append((pair.0, pair.1))
            case (2, .fixed64): exemplar.value = field.double
            case (3, .bytes):
                var (seconds, nanoseconds) = (Int64(0), Int64(0))
                var inner = ProtobufReader(field.range)
                while let field = try inner.next(bytes) {
                    if field.number == 1 { seconds = field.int64 }
                    if field.number == 2 {
                        nanoseconds = Int64(Int32(truncatingIfNeeded: field.int64))
                    }
                }
                let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
                let (time, carry) = product.addingReportingOverflow(nanoseconds)
                exemplar.time = overflow || carry ? nil : time
            default: break
            }
        }
        return exemplar
    }

    private mutating func labels(
        _ name: String,
        _ pairs: [(String, String)]
    ) throws(SeriesError) -> Labels {
        var text: [UInt8] = []
        builder.pairs.removeAll(keepingCapacity: true)
        for (name, value) in [(Labels.metricNameLabel, name)] + pairs
            + options.extraLabels.map({ ($0.name, $0.value) })
        {
            let start = text.count
            text += name.utf8
            let middle = text.count
            text += value.utf8
            builder.pairs.append(
                LabelBuilder.Pair(name: start..<middle, value: middle..<text.count)
            )
        }
        let whole = text
        return try builder.finish(whole.span)
    }

    private mutating func put(
        _ name: String,
        _ metric: Metric,
        _ value: Double,
        _ exemplar: Exemplar? = nil,
        label: (String, String)? = nil
    ) {
        do throws(SeriesError) {
            guard
                metric.time <= options.limits.now
                    || metric.time - options.limits.now <= options.limits.futureMax
            else { throw .tooFarInFuture(limit: options.limits.futureMax) }
            let labels = try labels(name, metric.pairs + (label.map { [$0] } ?? []))
            let stream = streams[labels] ?? result.batches.samples.addStream(labels)
            streams[labels] = stream
            let value = value.isNaN ? ExpositionParser.normalNaN : value
            result.batches.samples.append(value, stream: stream, time: metric.time)
            result.hasOwnTime.append(metric.hasOwnTime)
            if let exemplar { put(exemplar, labels, metric.time) }
        } catch {
            result.batches.refuse(line: familyNumber, "\(name): \(error)")
        }
    }

    private mutating func put(_ exemplar: Exemplar, _ labels: Labels, _ time: Int64) {
        guard exemplar.labels.count <= options.limits.labelsMax else { return }
        let stream = exemplarStreams[labels] ?? result.batches.exemplars.addStream(labels)
        exemplarStreams[labels] = stream
        result.batches.exemplars.appendExemplar(
            exemplar.value,
            labels: exemplar.labels,
            stream: stream,
            time: exemplar.time ?? time
        )
    }
}
