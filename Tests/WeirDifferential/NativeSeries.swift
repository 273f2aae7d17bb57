internal import WeirCore
internal import WeirQuery
internal import WeirTestSupport

/// Random series of native histograms: counters that are reset and change their layout, gauges,
/// bounds of their own, series that end, and series of numbers and histograms by turns.
struct NativeSeries {
    enum Sample {
        case none
        case number(Double)
        case histogram(NativeHistogram)
    }

    let name: String
    let labels: [(String, String)]
    let samples: [Sample]

    /// With `isSmall` fewer series and buckets, for scripts.
    static func make(
        count: Int,
        isSmall: Bool,
        _ random: inout SplitMix64
    ) -> [NativeSeries] {
        var all: [NativeSeries] = []
        for job in ["api", "web"] {
            for instance in isSmall ? ["a", "b"] : ["a", "b", "c"] {
                let labels = [("job", job), ("instance", instance)]
                if !isSmall || job == "api" || instance == "a" {
                    all.append(exponential("rpc_seconds", labels, count, isSmall, &random))
                }
                if instance != "c", !isSmall || job == "api" {
                    all.append(
                        exponential("request_size", labels, count, isSmall, isGauge: true, &random)
                    )
                }
                if job == "api" || instance == "a" {
                    all.append(custom("custom_seconds", labels, count, &random))
                }
            }
        }
        all.append(turns(count, &random))
        all += odd(count, &random)
        return all
    }

    private static func chance(of count: Int, _ random: inout SplitMix64) -> Bool {
        Int.random(in: 1...count, using: &random) == 1
    }

    private static func below(_ limit: Int, _ random: inout SplitMix64) -> Int {
        Int.random(in: 0..<limit, using: &random)
    }

    private static func stale(like histogram: NativeHistogram) -> Sample {
        var stale = NativeHistogram()
        stale.sum = .staleMarker
        stale.hasFloatCounts = histogram.hasFloatCounts
        return .histogram(stale)
    }

    private static func exponential(
        _ name: String,
        _ labels: [(String, String)],
        _ count: Int,
        _ isSmall: Bool,
        isGauge: Bool = false,
        _ random: inout SplitMix64
    ) -> NativeSeries {
        let schemas: [Int8] = isSmall ? [0, 1] : [0, 3, 1, -1, 2, 5]
        let thresholds = isSmall ? [0, 0.25, 1] : [0, 0x1p-10, 0x1p-128, 0.25, 1]
        var schema = schemas.randomElement(using: &random) ?? 0
        var threshold = thresholds.randomElement(using: &random) ?? 0
        let hasFloatCounts = chance(of: 3, &random)
        let isTorn = chance(of: 3, &random)
        let isEnding = chance(of: 3, &random)
        let isChanging = chance(of: 2, &random)
        var observed = NativeObservations(
            schema: isSmall ? 1 : 5,
            places: isSmall ? 2 : 2 + below(14, &random),
            hasNegative: chance(of: 3, &random)
        )
        var samples: [Sample] = []
        for _ in 0..<count {
            if isGauge || chance(of: 40, &random) { observed.clear() }
            if isChanging, chance(of: 50, &random) {
                schema = schemas.randomElement(using: &random) ?? 0
            }
            if isChanging, chance(of: 60, &random) {
                threshold = thresholds.randomElement(using: &random) ?? 0
            }
            for _ in 0..<below(5, &random) {
                let weight = Double(1 + below(9, &random))
                observed.add(hasFloatCounts ? weight / 4 : weight, &random)
            }
            var histogram = observed.histogram(schema: schema, zeroThreshold: threshold)
            histogram.hasFloatCounts = hasFloatCounts
            histogram.resetHint = isGauge ? .gauge : .unknown
            if isEnding, chance(of: 25, &random) {
                samples.append(stale(like: histogram))
            } else if isTorn, chance(of: 6, &random) {
                samples.append(.none)
            } else {
                samples.append(.histogram(histogram))
            }
        }
        return NativeSeries(name: name, labels: labels, samples: samples)
    }

    private static func custom(
        _ name: String,
        _ labels: [(String, String)],
        _ count: Int,
        _ random: inout SplitMix64
    ) -> NativeSeries {
        let layouts: [[Double]] = [
            [0.1, 0.5, 1, 5, 10], [0.1, 0.5, 1, 5, 10], [-1, 0, 2.5], [1, 2],
        ]
        var histogram = NativeHistogram()
        histogram.schema = NativeHistogram.customSchema
        histogram.customBounds = layouts.randomElement(using: &random) ?? []
        histogram.hasFloatCounts = chance(of: 3, &random)
        let isChanging = chance(of: 4, &random)
        var counts = [1.0] + [Double](repeating: 0, count: 5)
        var samples: [Sample] = []
        for _ in 0..<count {
            let isNew = isChanging && chance(of: 60, &random)
            if isNew { histogram.customBounds = layouts.randomElement(using: &random) ?? [] }
            if isNew || chance(of: 40, &random) {
                counts = [1] + [Double](repeating: 0, count: 5)
                histogram.sum = 0
            }
            let buckets = histogram.customBounds.count + 1
            for _ in 0..<3 { counts[below(buckets, &random)] += Double(below(5, &random)) }
            histogram.positive = .init(
                spans: [.init(offset: 0, length: UInt32(buckets))],
                counts: Array(counts[..<buckets])
            )
            histogram.count = counts[..<buckets].reduce(0, +)
            histogram.sum += Double(below(100, &random)) / 8
            samples.append(chance(of: 20, &random) ? .none : .histogram(histogram))
        }
        return NativeSeries(name: name, labels: labels, samples: samples)
    }

    /// Numbers and histograms by turns, under one name.
    private static func turns(_ count: Int, _ random: inout SplitMix64) -> NativeSeries {
        var histogram = NativeHistogram()
        var counts = ObservationCounts(hasNegative: false)
        var samples: [Sample] = []
        var left = 0
        var isNumber = false
        for index in 0..<count {
            if left == 0 {
                isNumber.toggle()
                left = 1 + below(12, &random)
            }
            left -= 1
            counts.add(Double(below(5, &random)), place: below(3, &random), &random)
            counts.fill(&histogram)
            if chance(of: 30, &random) {
                samples.append(.number(.absent))
            } else {
                samples.append(isNumber ? .number(Double(index)) : .histogram(histogram))
            }
        }
        let labels = [("job", "api"), ("instance", "a")]
        return NativeSeries(name: "turns", labels: labels, samples: samples)
    }

    /// Nothing observed, always the same, and observations that are no numbers.
    private static func odd(_ count: Int, _ random: inout SplitMix64) -> [NativeSeries] {
        var constant = NativeHistogram()
        constant.positive = .init(spans: [.init(offset: 0, length: 2)], counts: [2, 3])
        (constant.count, constant.sum) = (5, 6.5)
        var nan = NativeHistogram()
        var counts = ObservationCounts(hasNegative: true)
        var nans: [Sample] = []
        for _ in 0..<count {
            counts.add(2, place: below(3, &random), &random)
            counts.fill(&nan)
            nan.count += 3
            nan.sum = .nan
            nans.append(.histogram(nan))
        }
        let kinds: [(String, [Sample])] = [
            ("empty", Array(repeating: .histogram(NativeHistogram()), count: count)),
            ("constant", Array(repeating: .histogram(constant), count: count)), ("nan", nans),
        ]
        return kinds.map {
            NativeSeries(name: "odd_native", labels: [("kind", $0.0)], samples: $0.1)
        }
    }
}
