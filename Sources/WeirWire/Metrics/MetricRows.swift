internal import Glibc
package import WeirCore

/// Makes samples, histograms and exemplars of points, as Prometheus has them.
package struct MetricRows {
    package private(set) var samples = RowBatch(signal: .metrics)
    package private(set) var histograms = RowBatch(signal: .histograms)
    package private(set) var exemplars = RowBatch(signal: .exemplars)
    private var streams: [Labels: UInt32] = [:]
    private var histogramStreams: [Labels: UInt32] = [:]
    private var exemplarStreams: [Labels: UInt32] = [:]
    private let hasClassicHistograms: Bool

    /// With `hasClassicHistograms` exponential histograms become series of buckets.
    package init(_ points: [MetricPoint], hasClassicHistograms: Bool = false) {
        self.hasClassicHistograms = hasClassicHistograms
        for point in points { add(point) }
    }

    private mutating func add(_ point: MetricPoint) {
        switch point.shape {
        case .number(let value):
            let labels = series(point, "")
            put(labels, point, value)
            for exemplar in point.exemplars { put(exemplar, labels) }
        case .summary(let summary):
            for quantile in summary.quantiles {
                put(
                    series(point, "", ("quantile", Self.text(quantile.quantile))),
                    point,
                    quantile.value
                )
            }
            put(series(point, "_sum"), point, summary.sum)
            put(series(point, "_count"), point, Double(summary.count))
        case .histogram(let histogram):
            var buckets: [(bound: Double, total: Double)] = []
            var total: UInt64 = 0
            for (bound, count) in zip(histogram.bounds, histogram.buckets) {
                total &+= count
                if bound < .infinity { buckets.append((bound, Double(total))) }
            }
            add(point, buckets, count: histogram.count, sum: histogram.sum)
        case .exponential(let histogram):
            if !hasClassicHistograms, let native = histogram.native {
                put(native, point)
                return
            }
            add(
                point,
                Self.buckets(histogram),
                count: histogram.count,
                sum: histogram.sum
            )
        }
    }

    private mutating func add(
        _ point: MetricPoint,
        _ buckets: [(bound: Double, total: Double)],
        count: UInt64,
        sum: Double?
    ) {
        var bounds: [(bound: Double, labels: Labels)] = []
        for bucket in buckets + [(.infinity, Double(count))] {
            let labels = series(point, "_bucket", ("le", Self.text(bucket.bound)))
            put(labels, point, bucket.total)
            bounds.append((bucket.bound, labels))
        }
        put(series(point, "_count"), point, Double(count))
        if let sum { put(series(point, "_sum"), point, sum) }
        for exemplar in point.exemplars {
            let place = bounds.first { exemplar.value <= $0.bound } ?? bounds[bounds.count - 1]
            put(exemplar, place.labels)
        }
    }

    /// An exponential histogram as classic buckets: every bound from the lowest to the highest bucket
    /// that holds something, at no finer scale than `classicScaleMax`.
    private static func buckets(
        _ histogram: ExponentialHistogram
    ) -> [(bound: Double, total: Double)] {
        let bucketsMax = 160
        var histogram = histogram.coarsened(to: ExponentialHistogram.classicScaleMax)
        func spread(_ buckets: [Int: UInt64]) -> Int {
            guard let least = buckets.keys.min(), let most = buckets.keys.max() else { return 0 }
            let (spread, overflow) = most.subtractingReportingOverflow(least)
            return overflow ? .max : spread
        }
        while max(spread(histogram.positive), spread(histogram.negative)) >= bucketsMax {
            histogram = histogram.coarsened(to: histogram.scale - 1)
        }
        let logarithmOfBase = exp2(Double(-histogram.scale))
        func bound(_ index: Int) -> Double { exp2(Double(index) * logarithmOfBase) }
        var buckets: [(bound: Double, total: Double)] = []
        var total: UInt64 = 0
        if let least = histogram.negative.keys.min(), let most = histogram.negative.keys.max() {
            for index in stride(from: most, through: least, by: -1) {
                total &+= histogram.negative[index] ?? 0
                buckets.append((-bound(index), Double(total)))
            }
        }
        total &+= histogram.zeroCount
        if histogram.zeroCount > 0 || !histogram.negative.isEmpty {
            buckets.append((histogram.zeroThreshold, Double(total)))
        }
        if let least = histogram.positive.keys.min(), let most = histogram.positive.keys.max() {
            for index in least...most {
                total &+= histogram.positive[index] ?? 0
                let bound = bound(index + 1)
                if bound < .infinity { buckets.append((bound, Double(total))) }
            }
        }
        // Bounds may meet at the edges of what a double tells apart.
        return buckets.reduce(into: []) { kept, bucket in
            if let last = kept.last, !(last.bound < bucket.bound) {
                kept[kept.count - 1].total = bucket.total
            } else {
                kept.append(bucket)
            }
        }
    }

    // MARK: Rows

    private func series(
        _ point: MetricPoint,
        _ suffix: String,
        _ extra: (String, String)? = nil
    ) -> Labels {
        var pairs = point.labels.map { ($0.name, $0.value) }
        if let extra { pairs.append(extra) }
        pairs.append((Labels.metricNameLabel, point.name + suffix))
        return Labels(pairs)
    }

    private mutating func put(_ labels: Labels, _ point: MetricPoint, _ value: Double) {
        let stream = streams[labels] ?? UInt32(samples.streams.count)
        if Int(stream) == samples.streams.count {
            streams[labels] = stream
            samples.streams.append(labels)
            samples.firstLines.append(0)
        }
        samples.streamIndexes.append(stream)
        samples.times.append(point.time)
        samples.columns[0].floats.append(point.isStale ? .staleMarker : value)
    }

    private mutating func put(_ histogram: NativeHistogram, _ point: MetricPoint) {
        let labels = series(point, "")
        let stream = histogramStreams[labels] ?? UInt32(histograms.streams.count)
        if Int(stream) == histograms.streams.count {
            histogramStreams[labels] = stream
            histograms.streams.append(labels)
            histograms.firstLines.append(0)
        }
        var histogram = histogram
        if point.isStale {
            histogram = NativeHistogram()
            histogram.sum = .staleMarker
        }
        histograms.append(histogram, stream: stream, time: point.time)
        for exemplar in point.exemplars { put(exemplar, labels) }
    }

    private mutating func put(_ exemplar: MetricExemplar, _ labels: Labels) {
        guard exemplar.time > 0, exemplar.time < .max else { return }
        let stream = exemplarStreams[labels] ?? UInt32(exemplars.streams.count)
        if Int(stream) == exemplars.streams.count {
            exemplarStreams[labels] = stream
            exemplars.streams.append(labels)
            exemplars.firstLines.append(0)
        }
        let row = exemplars.rowCount
        exemplars.streamIndexes.append(stream)
        exemplars.times.append(exemplar.time)
        exemplars.fields.set(
            ExemplarField.value,
            row: row,
            kind: .number,
            value: OTLPText.number(exemplar.value)
        )
        if !exemplar.traceID.isEmpty {
            exemplars.fields.set(
                ExemplarField.traceID,
                row: row,
                kind: .text,
                value: exemplar.traceID
            )
        }
        if !exemplar.spanID.isEmpty {
            exemplars.fields.set(
                ExemplarField.spanID,
                row: row,
                kind: .text,
                value: exemplar.spanID
            )
        }
        for attribute in exemplar.attributes where !attribute.name.isEmpty {
            exemplars.fields.set(attribute.name, row: row, kind: .text, value: attribute.value)
        }
    }

    /// The shortest text that reads back as the same number, whole numbers without a point.
    private static func text(_ value: Double) -> String {
        if value == .infinity { return "+Inf" }
        if value == -.infinity { return "-Inf" }
        if let whole = Int64(exactly: value) { return String(whole) }
        return "\(value)"
    }
}
