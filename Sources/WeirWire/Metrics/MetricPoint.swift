package import WeirCore

/// A data point of OpenTelemetry's, whichever encoding it came in: one or more samples in the making.
package struct MetricPoint: Sendable {
    /// What a point's series are.
    package enum Shape: Sendable {
        case number(Double)
        case histogram(MetricHistogram)
        case exponential(ExponentialHistogram)
        case summary(MetricSummary)
    }

    /// The metric's name as Prometheus has it, and the labels, without `__name__`.
    package var name: String
    package var labels: [(name: String, value: String)]
    /// Nanoseconds since the Unix epoch; `start` is 0 where it was not sent.
    package var start: Int64
    package var time: Int64
    /// Whether the values are what was added since the point before.
    package var isDelta: Bool
    /// The sender says that there is nothing here any more.
    package var isStale: Bool
    package var shape: Shape
    package var exemplars: [MetricExemplar] = []
}

/// A histogram with bounds of its own.
package struct MetricHistogram: Hashable, Sendable {
    package var count: UInt64 = 0
    package var sum: Double?
    /// Upper bounds, ascending; the last bucket, up to infinity, has none.
    package var bounds: [Double] = []
    /// One more than `bounds`; or empty, when only count and sum are known.
    package var buckets: [UInt64] = []
}

/// A histogram whose bounds are powers of 2^(2^-scale).
package struct ExponentialHistogram: Hashable, Sendable {
    /// Finer ones are made coarser, as native histograms go no further.
    static let scaleMax = 8
    /// Of classic buckets: a power of 2^(1/4), nineteen percent from bound to bound.
    static let classicScaleMax = 2
    /// With more populated buckets a histogram is made coarser.
    static let bucketsMax = 1024

    package var count: UInt64 = 0
    package var sum: Double?
    package var scale = 0
    package var zeroCount: UInt64 = 0
    package var zeroThreshold = 0.0
    /// By index: bucket `i` holds what is above base^i, up to base^(i+1).
    package var positive: [Int: UInt64] = [:]
    /// The same of the values below zero, by their amount.
    package var negative: [Int: UInt64] = [:]

    /// The same at a scale, and with no more buckets, than are kept.
    var bounded: ExponentialHistogram {
        var histogram = coarsened(to: Self.scaleMax)
        while histogram.positive.count + histogram.negative.count > Self.bucketsMax {
            histogram = histogram.coarsened(to: histogram.scale - 1)
        }
        return histogram
    }

    /// As a native histogram; nil when the scale is coarser than those have.
    var native: NativeHistogram? {
        let source = bounded
        guard let schema = Int8(exactly: source.scale), NativeHistogram.schemas.contains(schema)
        else { return nil }
        var histogram = NativeHistogram()
        histogram.schema = schema
        // Zero itself needs a bucket too: Prometheus's own threshold where none was sent.
        histogram.zeroThreshold = source.zeroThreshold > 0 ? source.zeroThreshold : 1e-128
        histogram.zeroCount = Double(source.zeroCount)
        histogram.count = Double(source.count)
        histogram.sum = source.sum ?? 0
        histogram.positive = Self.side(source.positive)
        histogram.negative = Self.side(source.negative)
        return histogram
    }

    private static func side(_ buckets: [Int: UInt64]) -> NativeHistogram.Side {
        var side = NativeHistogram.Side()
        var next: Int32 = 0
        for (index, count) in buckets.sorted(by: { $0.key < $1.key }) where count > 0 {
            // Bucket `i` is named by its lower bound here, by its upper one there.
            let place = Int32(clamping: index &+ 1)
            let (offset, overflow) = place.subtractingReportingOverflow(next)
            guard place < .max, !overflow, side.isEmpty || offset >= 0 else { continue }
            if !side.isEmpty, offset == 0 {
                side.spans[side.spans.count - 1].length += 1
            } else {
                side.spans.append(.init(offset: offset, length: 1))
            }
            next = place + 1
            side.counts.append(Double(count))
        }
        return side
    }

    /// The same with a coarser scale: neighbours are put together.
    func coarsened(to scale: Int) -> ExponentialHistogram {
        guard scale < self.scale else { return self }
        var histogram = self
        histogram.scale = scale
        let shift = min(self.scale - scale, 63)
        func coarse(_ buckets: [Int: UInt64]) -> [Int: UInt64] {
            var result: [Int: UInt64] = [:]
            for (index, count) in buckets { result[index >> shift, default: 0] &+= count }
            return result
        }
        histogram.positive = coarse(positive)
        histogram.negative = coarse(negative)
        return histogram
    }
}

package struct MetricSummary: Hashable, Sendable {
    package struct Quantile: Hashable, Sendable {
        package var quantile: Double
        package var value: Double
    }

    package var count: UInt64 = 0
    package var sum = 0.0
    package var quantiles: [Quantile] = []
}

/// A measured value and the span it was measured in.
package struct MetricExemplar: Sendable {
    package var time: Int64 = 0
    package var value = 0.0
    /// Hexadecimal, or empty.
    package var traceID = ""
    package var spanID = ""
    package var attributes: [(name: String, value: String)] = []
}

/// How to read a body of metrics.
package struct MetricOptions: Sendable {
    /// What "future" is measured from.
    ///
    /// Nanoseconds since the Unix epoch.
    package var now: Int64
    package var futureMax: Int64 = 2 * 86_400 * 1_000_000_000
    package var labelsMax = 64
    package var labelNameBytesMax = 512
    package var labelValueBytesMax = 4096
    /// Points of one request.
    package var pointsMax = 200_000
    /// Buckets, or quantiles, of one point.
    package var bucketsMax = 1024
    /// Exemplars of one point; further ones are left out.
    package var exemplarsMax = 256

    package init(now: Int64) { self.now = now }
}

/// Why a point, or a body, was not taken.
package enum MetricError: Error, Hashable, CustomStringConvertible {
    case damagedProtobuf(offset: Int)
    case json(JSONError)
    case missing(String)
    case noName
    case badTime
    case tooFarInFuture(limit: Int64)
    case tooManyLabels(count: Int, limit: Int)
    case labelTooLong(name: String, limit: Int)
    case badHistogram(reason: String)
    case tooManyBuckets(limit: Int)
    case noValue

    package var description: String {
        switch self {
        case .damagedProtobuf(let offset): "byte \(offset + 1): damaged protobuf"
        case .json(let error): "\(error)"
        case .missing(let what): "\(what) is missing"
        case .noName: "the metric has no name"
        case .badTime: "the time is missing or outside of the years 1678 to 2261"
        case .tooFarInFuture(let limit):
            "the time is more than \(Units.text(nanoseconds: limit)) in the future"
        case .tooManyLabels(let count, let limit): "\(count) labels, at most \(limit) are taken"
        case .labelTooLong(let name, let limit):
            "label \(name.prefix(64)): longer than \(limit) bytes"
        case .badHistogram(let reason): "histogram: \(reason)"
        case .tooManyBuckets(let limit): "more than \(limit) buckets"
        case .noValue: "the point has no value"
        }
    }
}

/// What a body of metrics held.
package struct MetricResult: Sendable {
    package static let refusalsMax = 20

    package var points: [MetricPoint] = []
    /// What is told of each metric, once.
    package var metadata: [FamilyMetadata] = []
    /// The first refusals: the metric's name and the reason.
    package var refusals: [(metric: String, error: MetricError)] = []
    package var refusedCount = 0
    /// The body had more points than `pointsMax`: none is kept.
    package var isTooLarge = false

    mutating func refuse(_ metric: String, _ error: MetricError) {
        refusedCount += 1
        if refusals.count < Self.refusalsMax { refusals.append((metric, error)) }
    }
}
