internal import WeirCore

/// Puts points together, whichever encoding they come in: names, labels, checks.
struct MetricPoints {
    /// What a metric says of all its points.
    struct Metric {
        var name = ""
        var unit = ""
        var help = ""
        var isCounter = false
        var isGauge = false
        var isDelta = false
    }

    /// Resource attributes that `job` and `instance` are made of.
    private static let identity = ["service.name", "service.namespace", "service.instance.id"]

    let options: MetricOptions
    var result = MetricResult()
    private var resourceLabels: [(name: String, value: String)] = []
    private var targetInfo: [(name: String, value: String)] = []
    private var scopeLabels: [(name: String, value: String)] = []
    private var latest: Int64 = 0
    /// Families whose metadata is in the result.
    private var families: Set<String> = []

    init(_ options: MetricOptions) { self.options = options }

    mutating func beginResource(_ attributes: [OTLPAttribute]) {
        endResource()
        var values: [String: String] = [:]
        for attribute in attributes {
            values[Self.text(attribute.name)] = Self.text(attribute.value)
        }
        resourceLabels = []
        if let service = values["service.name"] {
            let space = values["service.namespace"].map { $0 + "/" } ?? ""
            resourceLabels.append(("job", space + service))
        }
        if let instance = values["service.instance.id"] {
            resourceLabels.append(("instance", instance))
        }
        let own = Self.labels(
            attributes.filter { !Self.identity.contains(Self.text($0.name)) }
                .prefix(options.labelsMax)
        )
        targetInfo = own.filter { label in
            isShort(label) && !resourceLabels.contains { $0.name == label.name }
        }
        scopeLabels = []
    }

    private func isShort(_ label: (name: String, value: String)) -> Bool {
        label.name.utf8.count <= options.labelNameBytesMax
            && label.value.utf8.count <= options.labelValueBytesMax
    }

    mutating func beginScope(name: [UInt8], version: [UInt8]) {
        scopeLabels = []
        if !name.isEmpty { scopeLabels.append(("otel_scope_name", Self.text(name))) }
        if !version.isEmpty { scopeLabels.append(("otel_scope_version", Self.text(version))) }
    }

    /// A resource's other attributes are a series of their own.
    mutating func endResource() {
        defer { (targetInfo, latest) = ([], 0) }
        guard latest != 0, !targetInfo.isEmpty, !resourceLabels.isEmpty else { return }
        result.points.append(
            MetricPoint(
                name: "target_info",
                labels: resourceLabels
                    + targetInfo.prefix(max(0, options.labelsMax - resourceLabels.count)),
                start: 0,
                time: latest,
                isDelta: false,
                isStale: false,
                shape: .number(1)
            )
        )
    }

    mutating func add(
        _ metric: Metric,
        _ attributes: [OTLPAttribute],
        start: UInt64,
        time: UInt64,
        flags: UInt64,
        shape: MetricPoint.Shape?,
        exemplars: [MetricExemplar]
    ) {
        guard result.points.count < options.pointsMax else {
            result.isTooLarge = true
            return
        }
        do throws(MetricError) {
            let name = PrometheusName.metric(
                metric.name,
                unit: metric.unit,
                isCounter: metric.isCounter,
                isGauge: metric.isGauge
            )
            guard !name.isEmpty else { throw .noName }
            guard name.utf8.count <= options.labelNameBytesMax else {
                throw .labelTooLong(name: Labels.metricNameLabel, limit: options.labelNameBytesMax)
            }
            // Before they are compared with each other.
            guard attributes.count <= options.labelsMax else {
                throw .tooManyLabels(count: attributes.count, limit: options.labelsMax)
            }
            guard time > 0, let time = Int64(exactly: time), let start = Int64(exactly: start)
            else {
                throw .badTime
            }
            guard time <= options.now || time - options.now <= options.futureMax else {
                throw .tooFarInFuture(limit: options.futureMax)
            }
            let isStale = flags & 1 != 0
            guard let shape = shape ?? (isStale ? .number(0) : nil) else { throw .noValue }
            let own = Self.labels(attributes)
            let labels =
                own.filter { label in
                    !resourceLabels.contains { $0.name == label.name }
                        && !scopeLabels.contains { $0.name == label.name }
                } + resourceLabels + scopeLabels
            guard labels.count <= options.labelsMax else {
                throw .tooManyLabels(count: labels.count, limit: options.labelsMax)
            }
            for label in labels {
                guard label.name.utf8.count <= options.labelNameBytesMax else {
                    throw .labelTooLong(name: label.name, limit: options.labelNameBytesMax)
                }
                guard label.value.utf8.count <= options.labelValueBytesMax else {
                    throw .labelTooLong(name: label.name, limit: options.labelValueBytesMax)
                }
            }
            try check(shape)
            latest = max(latest, time)
            if families.insert(name).inserted {
                result.metadata.append(
                    FamilyMetadata(
                        name: name,
                        MetricMetadata(
                            type: Self.type(metric, shape),
                            unit: PrometheusName.unit(metric.unit),
                            help: metric.help
                        )
                    )
                )
            }
            result.points.append(
                MetricPoint(
                    name: name,
                    labels: labels,
                    start: start,
                    time: time,
                    isDelta: metric.isDelta,
                    isStale: isStale,
                    shape: shape,
                    exemplars: exemplars
                )
            )
        } catch {
            result.refuse(metric.name, error)
        }
    }

    private static func type(_ metric: Metric, _ shape: MetricPoint.Shape) -> MetricType {
        switch shape {
        case .number: metric.isCounter ? .counter : .gauge
        case .histogram, .exponential: .histogram
        case .summary: .summary
        }
    }

    private func check(_ shape: MetricPoint.Shape) throws(MetricError) {
        let limit = options.bucketsMax
        switch shape {
        case .number: break
        case .histogram(let histogram):
            guard histogram.buckets.count <= limit else { throw .tooManyBuckets(limit: limit) }
            guard histogram.buckets.isEmpty || histogram.buckets.count == histogram.bounds.count + 1
            else {
                throw .badHistogram(
                    reason:
                        "\(histogram.buckets.count) buckets for \(histogram.bounds.count) bounds"
                )
            }
            guard !histogram.bounds.contains(where: \.isNaN),
                zip(histogram.bounds, histogram.bounds.dropFirst()).allSatisfy({ $0 < $1 })
            else { throw .badHistogram(reason: "bounds do not ascend") }
        case .exponential(let histogram):
            guard (-10...20).contains(histogram.scale) else {
                throw .badHistogram(reason: "scale \(histogram.scale) is not in -10 to 20")
            }
            guard histogram.zeroThreshold >= 0 else {
                throw .badHistogram(reason: "the zero threshold is below zero")
            }
            let count = histogram.positive.count + histogram.negative.count
            guard count <= limit else { throw .tooManyBuckets(limit: limit) }
        case .summary(let summary):
            guard summary.quantiles.count <= limit else { throw .tooManyBuckets(limit: limit) }
        }
    }

    consuming func finished() -> MetricResult {
        endResource()
        if result.isTooLarge { result.points = [] }
        return result
    }

    // MARK: Text

    static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Attributes as labels; of those whose names become one, the values are put together.
    static func labels(
        _ attributes: some Sequence<OTLPAttribute>
    ) -> [(name: String, value: String)] {
        var labels: [(name: String, value: String)] = []
        for attribute in attributes {
            let name = PrometheusName.label(text(attribute.name))
            let value =
                attribute.kind == .json && attribute.value == OTLPSpanValues.null
                ? "" : text(attribute.value)
            guard !name.isEmpty else { continue }
            if let known = labels.firstIndex(where: { $0.name == name }) {
                labels[known].value += ";" + value
            } else {
                labels.append((name, value))
            }
        }
        return labels
    }
}
