import WeirCore
import WeirDifferential
import WeirStore
import WeirTestSupport

/// Random series of native histograms, and some plain ones, for Weir's store and as a remote write.
struct HistogramData {
    enum Sample {
        case number(Double)
        case histogram(NativeHistogram)
    }

    struct Series {
        let labels: [(String, String)]
        var samples: [(time: Int64, sample: Sample)]
    }

    /// Milliseconds.
    static let start: Int64 = 1_700_000_000_000
    static let interval: Int64 = 15000
    static let count = 160

    private(set) var all: [Series] = []
    private var random: SplitMix64

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        for instance in 0..<6 { addExponential("requests", instance, isGauge: false) }
        for instance in 0..<2 { addExponential("sizes", instance, isGauge: true) }
        for instance in 0..<4 { addCustom(instance) }
        addMixed()
        addOdd()
        addPlain()
    }

    // MARK: Series

    private mutating func addExponential(_ name: String, _ instance: Int, isGauge: Bool) {
        var histogram = NativeHistogram()
        histogram.schema = Int8([0, 3, 1, -1, 2, 5][instance])
        histogram.zeroThreshold = [0, 0.001, 0x1p-128, 0.25, 0, 0.001][instance]
        histogram.hasFloatCounts = instance % 3 == 2
        histogram.resetHint = isGauge ? .gauge : .unknown
        var counts = ObservationCounts(hasNegative: instance == 1 || instance == 3)
        add(name, instance) { data, step in
            // A series pauses, restarts, and changes its resolution and its zero bucket.
            if instance == 4, (60..<90).contains(step) { return nil }
            if step == 70, instance % 2 == 0, !isGauge { counts.clear() }
            if step == 100, instance == 1 { histogram.schema = 1 }
            if step == 110, instance == 3 { histogram.zeroThreshold = 1 }
            if step == 120, instance == 0 { histogram.schema = -2 }
            if isGauge { counts.clear() }
            let places = [3, 20, 6, 2, 12, 40][instance]
            for _ in 0..<(1 + data.below(6)) {
                let weight =
                    histogram.hasFloatCounts
                    ? Double(1 + data.below(40)) / 4 : Double(1 + data.below(9))
                counts.add(weight, place: data.below(places * 2) - places, &data.random)
            }
            counts.fill(&histogram)
            if instance == 2, step == 80 { return .histogram(Self.stale(histogram)) }
            return .histogram(histogram)
        }
    }

    private mutating func addCustom(_ instance: Int) {
        var histogram = NativeHistogram()
        histogram.schema = NativeHistogram.customSchema
        histogram.customBounds = instance == 1 ? [-1, 0, 2.5, 10] : [0.1, 0.5, 1, 5, 10]
        histogram.hasFloatCounts = instance == 2
        var counts = [Double](repeating: 0, count: 8)
        add("custom", instance) { data, step in
            if step == 50, instance < 2 { counts = counts.map { _ in 0 } }
            if step == 90, instance == 3 {
                histogram.customBounds = [1, 2]
                counts = counts.map { _ in 0 }
            }
            let buckets = histogram.customBounds.count + 1
            for _ in 0..<3 { counts[data.below(buckets)] += Double(data.below(5)) }
            let listed = instance == 1 ? 1..<buckets : 0..<buckets
            histogram.positive = NativeHistogram.Side(
                spans: [.init(offset: Int32(listed.lowerBound), length: UInt32(listed.count))],
                counts: Array(counts[listed])
            )
            histogram.count = counts[listed].reduce(0, +)
            histogram.sum += Double(data.below(100)) / 8
            return .histogram(histogram)
        }
    }

    /// One series of numbers and histograms by turns.
    private mutating func addMixed() {
        var histogram = NativeHistogram()
        var counts = ObservationCounts(hasNegative: false)
        add("mixed", 0) { data, step in
            counts.add(Double(data.below(5)), place: data.below(8), &data.random)
            counts.fill(&histogram)
            let isNumber = step < 30 || (50..<55).contains(step) || step >= 100 && step % 7 == 0
            return isNumber ? .number(Double(step)) : .histogram(histogram)
        }
    }

    /// Observations that are no number or infinite, nothing at all, and a constant.
    private mutating func addOdd() {
        var nan = NativeHistogram()
        var counts = ObservationCounts(hasNegative: true)
        add("odd", 0) { data, _ in
            counts.add(2, place: data.below(4), &data.random)
            counts.fill(&nan)
            nan.count += 3
            nan.sum = .nan
            return .histogram(nan)
        }
        add("odd", 1) { _, _ in .histogram(NativeHistogram()) }
        var constant = NativeHistogram()
        var fixed = ObservationCounts(hasNegative: false)
        fixed.add(7, place: 2, &random)
        fixed.fill(&constant)
        add("odd", 2) { _, _ in .histogram(constant) }
        var wide = NativeHistogram()
        wide.positive = .init(spans: [.init(offset: 1023, length: 3)], counts: [1, 2, 1])
        wide.count = 4
        wide.sum = .infinity
        add("odd", 3) { _, _ in .histogram(wide) }
    }

    private mutating func addPlain() {
        for instance in 0..<3 {
            var value = 0.0
            add("plain", instance) { data, step in
                value = step == 60 ? 0 : value + Double(data.below(20))
                return .number(value)
            }
        }
        for (place, bound) in ["0.5", "1", "2.5", "+Inf"].enumerated() {
            var value = 0.0
            add("classic_bucket", 0, [("le", bound)]) { _, step in
                value += Double(place + 1) + Double(step % (place + 2))
                return .number(value)
            }
        }
    }

    private mutating func add(
        _ name: String,
        _ instance: Int,
        _ labels: [(String, String)] = [],
        _ sample: (inout HistogramData, Int) -> Sample?
    ) {
        var series = Series(
            labels: [("__name__", name), ("instance", "\(instance)")] + labels
                + [("parity", instance % 2 == 0 ? "even" : "odd")],
            samples: []
        )
        for step in 0..<Self.count {
            guard let sample = sample(&self, step) else { continue }
            let time = Self.start + Int64(step) * Self.interval + Int64(instance * 137)
            series.samples.append((time, sample))
        }
        all.append(series)
    }

    fileprivate mutating func below(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }

    private static func stale(_ histogram: NativeHistogram) -> NativeHistogram {
        var stale = NativeHistogram()
        stale.sum = .staleMarker
        stale.hasFloatCounts = histogram.hasFloatCounts
        return stale
    }

    // MARK: Ways in

    /// Rows of both signals, in order of time.
    func batches() -> [RowBatch] {
        var numbers = RowBatch(signal: .metrics)
        var histograms = RowBatch(signal: .histograms)
        var rows: [(time: Int64, series: Int, sample: Sample)] = []
        for (place, series) in all.enumerated() {
            numbers.streams.append(Labels(series.labels))
            histograms.streams.append(Labels(series.labels))
            for sample in series.samples { rows.append((sample.time, place, sample.sample)) }
        }
        numbers.firstLines = all.map { _ in 0 }
        histograms.firstLines = numbers.firstLines
        rows.sort { ($0.time, $0.series) < ($1.time, $1.series) }
        for row in rows {
            switch row.sample {
            case .number(let value):
                numbers.streamIndexes.append(UInt32(row.series))
                numbers.times.append(row.time * 1_000_000)
                numbers.columns[0].floats.append(value)
            case .histogram(let histogram):
                histograms.append(
                    histogram,
                    stream: UInt32(row.series),
                    time: row.time * 1_000_000
                )
            }
        }
        return [numbers, histograms]
    }

    /// `WriteRequest`s of remote write 1.0, in order of time: Prometheus takes a series' plain
    /// samples of one request before its histograms, and nothing that is older than what it has.
    var remoteWrites: [[UInt8]] {
        (0..<Self.count).map { step in
            let first = Self.start + Int64(step) * Self.interval
            return remoteWrite(first..<(first + Self.interval))
        }
    }

    private func remoteWrite(_ times: Range<Int64>) -> [UInt8] {
        var request = ProtobufWriter()
        for series in all {
            var message = ProtobufWriter()
            for (name, value) in series.labels.sorted(by: { $0.0 < $1.0 }) {
                var label = ProtobufWriter()
                label.bytes(1, Array(name.utf8))
                label.bytes(2, Array(value.utf8))
                message.bytes(1, label.bytes)
            }
            for (time, sample) in series.samples where times.contains(time) {
                switch sample {
                case .number(let value):
                    var own = ProtobufWriter()
                    own.fixed64(1, value.bitPattern)
                    own.varint(2, UInt64(time))
                    message.bytes(2, own.bytes)
                case .histogram(let histogram):
                    message.bytes(
                        4,
                        RemoteWriteHistogram.message(histogram, atMilliseconds: time)
                    )
                }
            }
            request.bytes(1, message.bytes)
        }
        return request.bytes
    }
}
