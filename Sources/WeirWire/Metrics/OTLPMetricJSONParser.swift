internal import WeirCore

/// Reads OpenTelemetry's `ExportMetricsServiceRequest` as JSON.
///
/// 64-bit integers may be strings or numbers, enums numbers or names; members that are not known
/// are skipped.
package struct OTLPMetricJSONParser {
    private var points: MetricPoints
    private let limits = SpanLimits()

    /// Parses a whole body.
    ///
    /// - Throws: `MetricError` when it is no such JSON; then nothing is taken.
    package static func parse(
        _ body: [UInt8],
        options: MetricOptions
    ) throws(MetricError) -> MetricResult {
        let root: JSONValue
        do throws(JSONError) {
            root = try JSONParser.parse(body)
        } catch {
            throw .json(error)
        }
        guard let list = root["resourceMetrics"]?.array else {
            throw .missing("\"resourceMetrics\"")
        }
        var parser = OTLPMetricJSONParser(points: MetricPoints(options))
        for resource in list { parser.readResource(resource) }
        return parser.points.finished()
    }

    private mutating func readResource(_ value: JSONValue) {
        points.beginResource(OTLPJSONValue.attributes(value["resource"]?["attributes"], limits))
        for scoped in value["scopeMetrics"]?.array ?? [] {
            points.beginScope(
                name: SpanJSON.bytes(scoped["scope"]?["name"]),
                version: SpanJSON.bytes(scoped["scope"]?["version"])
            )
            for metric in scoped["metrics"]?.array ?? [] { readMetric(metric) }
        }
    }

    private mutating func readMetric(_ value: JSONValue) {
        var metric = MetricPoints.Metric()
        metric.name = value["name"]?.string ?? ""
        metric.unit = value["unit"]?.string ?? ""
        metric.help = value["description"]?.string ?? ""
        for kind in ["gauge", "sum", "histogram", "exponentialHistogram", "summary"] {
            guard let data = value[kind] else { continue }
            let temporality = data["aggregationTemporality"]
            metric.isDelta =
                SpanJSON.unsigned(temporality) == 1
                || temporality?.string == "AGGREGATION_TEMPORALITY_DELTA"
            metric.isCounter = kind == "sum" && data["isMonotonic"] == .bool(true)
            metric.isGauge = kind == "gauge"
            for point in data["dataPoints"]?.array ?? [] { readPoint(metric, kind, point) }
            return
        }
    }

    private mutating func readPoint(
        _ metric: MetricPoints.Metric,
        _ kind: String,
        _ point: JSONValue
    ) {
        let shape: MetricPoint.Shape?
        switch kind {
        case "histogram":
            var histogram = MetricHistogram()
            histogram.count = SpanJSON.unsigned(point["count"]) ?? 0
            histogram.sum = Self.number(point["sum"])
            histogram.bounds = (point["explicitBounds"]?.array ?? []).map {
                Self.number($0) ?? .nan
            }
            histogram.buckets = Self.counts(point["bucketCounts"])
            shape = .histogram(histogram)
        case "exponentialHistogram":
            var histogram = ExponentialHistogram()
            histogram.count = SpanJSON.unsigned(point["count"]) ?? 0
            histogram.sum = Self.number(point["sum"])
            histogram.scale = Int(clamping: Self.integer(point["scale"]) ?? 0)
            histogram.zeroCount = SpanJSON.unsigned(point["zeroCount"]) ?? 0
            histogram.zeroThreshold = Self.number(point["zeroThreshold"]) ?? 0
            histogram.positive = Self.buckets(point["positive"])
            histogram.negative = Self.buckets(point["negative"])
            shape = .exponential(histogram)
        case "summary":
            var summary = MetricSummary()
            summary.count = SpanJSON.unsigned(point["count"]) ?? 0
            summary.sum = Self.number(point["sum"]) ?? 0
            summary.quantiles = (point["quantileValues"]?.array ?? []).map { value in
                MetricSummary.Quantile(
                    quantile: Self.number(value["quantile"]) ?? 0,
                    value: Self.number(value["value"]) ?? 0
                )
            }
            shape = .summary(summary)
        default:
            let number =
                Self.number(point["asDouble"]) ?? Self.integer(point["asInt"]).map { Double($0) }
            shape = number.map { .number($0) }
        }
        points.add(
            metric,
            OTLPJSONValue.attributes(point["attributes"], limits),
            start: SpanJSON.unsigned(point["startTimeUnixNano"]) ?? 0,
            time: SpanJSON.unsigned(point["timeUnixNano"]) ?? 0,
            flags: SpanJSON.unsigned(point["flags"]) ?? 0,
            shape: shape,
            exemplars: (point["exemplars"]?.array ?? []).prefix(points.options.exemplarsMax)
                .map { exemplar($0) }
        )
    }

    private func exemplar(_ value: JSONValue) -> MetricExemplar {
        func id(_ name: String, count: Int) -> String {
            let text = (value[name]?.string ?? "").lowercased()
            let isHexadecimal =
                text.utf8.count == count
                && text.utf8.allSatisfy {
                    $0 &- 0x30 < 10 || $0 &- 0x61 < 6
                }
            return isHexadecimal ? text : ""
        }
        return MetricExemplar(
            time: Int64(clamping: SpanJSON.unsigned(value["timeUnixNano"]) ?? 0),
            value: Self.number(value["asDouble"]) ?? Double(Self.integer(value["asInt"]) ?? 0),
            traceID: id("traceId", count: 32),
            spanID: id("spanId", count: 16),
            attributes: MetricPoints.labels(
                OTLPJSONValue.attributes(value["filteredAttributes"], limits).prefix(64)
            )
        )
    }

    private static func number(_ value: JSONValue?) -> Double? {
        switch value {
        case .number(let text): Double(text)
        case .string("NaN"): .nan
        case .string("Infinity"): .infinity
        case .string("-Infinity"): -.infinity
        case .string(let text): Double(text)
        default: nil
        }
    }

    private static func integer(_ value: JSONValue?) -> Int64? {
        switch value {
        case .number(let text), .string(let text): Int64(text)
        default: nil
        }
    }

    private static func counts(_ value: JSONValue?) -> [UInt64] {
        (value?.array ?? []).map { SpanJSON.unsigned($0) ?? 0 }
    }

    private static func buckets(_ value: JSONValue?) -> [Int: UInt64] {
        let offset = Int(Int32(clamping: integer(value?["offset"]) ?? 0))
        var buckets: [Int: UInt64] = [:]
        for (index, count) in counts(value?["bucketCounts"]).enumerated() where count > 0 {
            buckets[offset + index] = count
        }
        return buckets
    }
}
