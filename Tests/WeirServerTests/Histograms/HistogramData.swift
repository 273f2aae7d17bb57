import WeirCore
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
        var counts = Counts(hasNegative: instance == 1 || instance == 3)
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
                counts.add(weight, place: data.below(places * 2) - places, &data)
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
        var counts = Counts(hasNegative: false)
        add("mixed", 0) { data, step in
            counts.add(Double(data.below(5)), place: data.below(8), &data)
            counts.fill(&histogram)
            let isNumber = step < 30 || (50..<55).contains(step) || step >= 100 && step % 7 == 0
            return isNumber ? .number(Double(step)) : .histogram(histogram)
        }
    }

    /// Observations that are no number or infinite, nothing at all, and a constant.
    private mutating func addOdd() {
        var nan = NativeHistogram()
        var counts = Counts(hasNegative: true)
        add("odd", 0) { data, _ in
            counts.add(2, place: data.below(4), &data)
            counts.fill(&nan)
            nan.count += 3
            nan.sum = .nan
            return .histogram(nan)
        }
        add("odd", 1) { _, _ in .histogram(NativeHistogram()) }
        var constant = NativeHistogram()
        var fixed = Counts(hasNegative: false)
        fixed.add(7, place: 2, &self)
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
                    message.bytes(4, Self.message(histogram, time))
                }
            }
            request.bytes(1, message.bytes)
        }
        return request.bytes
    }

    private static func message(_ histogram: NativeHistogram, _ time: Int64) -> [UInt8] {
        var message = ProtobufWriter()
        let isFloat = histogram.hasFloatCounts
        if isFloat {
            message.fixed64(2, histogram.count.bitPattern)
        } else {
            message.varint(1, UInt64(histogram.count))
        }
        message.fixed64(3, histogram.sum.bitPattern)
        message.varint(4, UInt64(zigZag: Int64(histogram.schema)))
        message.fixed64(5, histogram.zeroThreshold.bitPattern)
        if isFloat {
            message.fixed64(7, histogram.zeroCount.bitPattern)
        } else {
            message.varint(6, UInt64(histogram.zeroCount))
        }
        for (side, number) in [(histogram.negative, 8), (histogram.positive, 11)] {
            for span in side.spans {
                var own = ProtobufWriter()
                own.varint(1, UInt64(zigZag: Int64(span.offset)))
                own.varint(2, UInt64(span.length))
                message.bytes(number, own.bytes)
            }
            guard !side.isEmpty else { continue }
            var packed: [UInt8] = []
            var previous: Int64 = 0
            for count in side.counts {
                if isFloat {
                    packed.appendLittleEndian(count.bitPattern)
                } else {
                    UInt64(zigZag: Int64(count) - previous).appendVarint(to: &packed)
                    previous = Int64(count)
                }
            }
            message.bytes(isFloat ? number + 2 : number + 1, packed)
        }
        message.varint(14, UInt64(histogram.resetHint.rawValue))
        message.varint(15, UInt64(time))
        if !histogram.customBounds.isEmpty {
            var packed: [UInt8] = []
            for bound in histogram.customBounds { packed.appendLittleEndian(bound.bitPattern) }
            message.bytes(16, packed)
        }
        return message.bytes
    }
}

/// What a source of observations has counted so far.
private struct Counts {
    let hasNegative: Bool
    private var positive: [Int: Double] = [:]
    private var negative: [Int: Double] = [:]
    private var zero = 0.0
    private var sum = 0.0

    /// Each side has a populated bucket from the start: Prometheus takes what is around zero to be
    /// on one side only if the whole chunk that holds a sample has no bucket of the other side.
    init(hasNegative: Bool) {
        self.hasNegative = hasNegative
        positive = [3: 1]
        if hasNegative { negative = [2: 1] }
    }

    mutating func clear() { self = Counts(hasNegative: hasNegative) }

    mutating func add(_ weight: Double, place: Int, _ data: inout HistogramData) {
        switch data.below(hasNegative ? 4 : 8) {
        case 0: zero += weight
        case 1 where hasNegative: negative[place, default: 0] += weight
        default: positive[place, default: 0] += weight
        }
        sum += weight * Double(data.below(64) - (hasNegative ? 16 : 0)) / 16
    }

    func fill(_ histogram: inout NativeHistogram) {
        // Buckets that a finer schema or a narrower zero bucket has are no business of counts.
        histogram.positive = Self.side(positive)
        histogram.negative = Self.side(negative)
        histogram.zeroCount = zero
        histogram.sum = sum
        histogram.count =
            zero + histogram.positive.counts.reduce(0, +) + histogram.negative.counts.reduce(0, +)
    }

    private static func side(_ counts: [Int: Double]) -> NativeHistogram.Side {
        var side = NativeHistogram.Side()
        var next: Int?
        for (index, count) in counts.sorted(by: { $0.key < $1.key }) {
            if let next, next == index {
                side.spans[side.spans.count - 1].length += 1
            } else {
                side.spans.append(.init(offset: Int32(index - (next ?? 0)), length: 1))
            }
            next = index + 1
            side.counts.append(count)
        }
        return side
    }
}
