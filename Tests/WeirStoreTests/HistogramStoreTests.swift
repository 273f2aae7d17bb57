import Glibc
import Synchronization
import Testing
import WeirCore
import WeirStore
import WeirSystem
import WeirTestSupport

/// Native histograms through the store: journal, memory, segments, merges, retention.
@Suite struct HistogramStoreTests {
    private static let second: Int64 = 1_000_000_000
    private static let start: Int64 = 1_767_225_600 * second

    /// Latencies of a service as a library records them: bounds that grow by 9 %, as many
    /// observations as requests came in since the sample before.
    private struct Service {
        let labels: Labels
        let requestsMean: Double
        let median: Double
        let bounds: [Double]
        var counts: [Int: Double] = [:]
        var sum = 0.0

        mutating func observe(_ random: inout SplitMix64) {
            let requests = Int(requestsMean * Double.random(in: 0.7..<1.3, using: &random))
            for _ in 0..<requests {
                let first = Double.random(in: Double.leastNonzeroMagnitude..<1, using: &random)
                let second = Double.random(in: 0..<1, using: &random)
                let normal = (-2 * log(first)).squareRoot() * cos(2 * .pi * second)
                let seconds = (median * exp(normal * 0.7) * 1e9).rounded() / 1e9
                sum += seconds
                let place =
                    bounds.isEmpty
                    ? Int((log2(seconds) * 8).rounded(.up))
                    : bounds.firstIndex { seconds <= $0 } ?? bounds.count
                counts[place, default: 0] += 1
            }
        }

        var histogram: NativeHistogram {
            var histogram = NativeHistogram()
            histogram.schema = bounds.isEmpty ? 3 : NativeHistogram.customSchema
            histogram.zeroThreshold = bounds.isEmpty ? 0x1p-128 : 0
            histogram.customBounds = bounds
            histogram.sum = sum
            histogram.count = counts.values.reduce(0, +)
            var next: Int?
            for (index, count) in counts.sorted(by: { $0.key < $1.key }) {
                if index == next {
                    histogram.positive.spans[histogram.positive.spans.count - 1].length += 1
                } else {
                    histogram.positive.spans.append(
                        .init(offset: Int32(index - (next ?? 0)), length: 1)
                    )
                }
                next = index + 1
                histogram.positive.counts.append(count)
            }
            return histogram
        }
    }

    private static func services(_ count: Int, bounds: [Double]) -> [Service] {
        (0..<count).map { number in
            Service(
                labels: Labels([
                    ("__name__", "request_duration_seconds"), ("instance", "\(number)"),
                ]),
                requestsMean: [0.2, 3, 30, 300][number % 4],
                median: [0.004, 0.02, 0.08, 0.3][number / 4 % 4],
                bounds: bounds
            )
        }
    }

    private static func append(_ batch: RowBatch, to store: Store) throws {
        let outcome = Monitor<Result<AppendOutcome, StoreError>?>(nil)
        store.append(batch) { result in outcome.update { $0 = result } }
        #expect(try outcome.wait { $0 }?.get().rowCount == batch.rowCount)
    }

    private static func read(_ store: Store) throws -> [Labels: [Int64: NativeHistogram]] {
        let selection = try store.select(
            signal: .histograms,
            matchers: [],
            times: Int64.min...Int64.max,
            budget: FreeBudget()
        )
        let found = Mutex<[Labels: [Int64: NativeHistogram]]>([:])
        try selection.scanRows(schema: .histograms, budget: FreeBudget()) {
            stream,
            times,
            columns,
            rows in
            var own: [Int64: NativeHistogram] = [:]
            for row in rows { own[times[row]] = try? NativeHistogram(row: row, of: columns) }
            #expect(own.count == rows.count)
            let samples = own
            found.withLock { $0[selection.labels[stream]] = samples }
            return true
        }
        return found.withLock { $0 }
    }

    /// Samples come back from memory, from segments, from merged segments and from the journal;
    /// what was written again for the same time replaces what was there.
    @Test(arguments: [[], [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]])
    func samplesComeBackFromEverywhere(bounds: [Double]) throws {
        let folder = try TemporaryDirectory()
        var options = StoreOptions(directory: "\(folder.path)/data")
        options.diskFreeBytesMin = 0
        var services = Self.services(12, bounds: bounds)
        var random = SplitMix64(seed: 5)
        var expected: [Labels: [Int64: NativeHistogram]] = [:]
        func write(_ steps: Range<Int>, _ store: Store) throws {
            var batch = RowBatch(signal: .histograms)
            batch.streams = services.map(\.labels)
            batch.firstLines = services.map { _ in 0 }
            for step in steps {
                for place in services.indices {
                    services[place].observe(&random)
                    let time = Self.start + Int64(step) * 15 * Self.second
                    var histogram = services[place].histogram
                    if step == 33, place == 2 {
                        histogram = NativeHistogram()
                        histogram.sum = .staleMarker
                    }
                    batch.append(histogram, stream: UInt32(place), time: time)
                    expected[services[place].labels, default: [:]][time] = histogram
                }
            }
            try Self.append(batch, to: store)
        }
        func check(_ store: Store) throws {
            let found = try Self.read(store)
            #expect(found.count == expected.count)
            for (labels, own) in expected {
                #expect(found[labels]?.count == own.count)
                for (time, histogram) in own {
                    let same = found[labels]?[time].map { Self.isSame($0, histogram) }
                    #expect(same == true, "\(labels) at \(time)")
                }
            }
        }
        var store = try Store(options: options) { _ in }
        try write(0..<40, store)
        try check(store)
        try store.flush()
        try check(store)
        try write(30..<80, store)
        try check(store)
        try store.flush()
        try write(80..<90, store)
        try store.flush()
        try store.merge()
        try check(store)
        try write(85..<100, store)
        store.stop(isFlushing: false)
        store = try Store(options: options) { _ in }
        try check(store)
        let status = try #require(store.status().signals.first { $0.signal == .histograms })
        #expect(status.segments > 0 && status.memoryRows > 0)
        store.stop()
        #expect(try StoreChecker.check(options.directory).problems.isEmpty)
    }

    private static func isSame(_ left: NativeHistogram, _ right: NativeHistogram) -> Bool {
        var (left, right) = (left, right)
        guard left.sum.bitPattern == right.sum.bitPattern else { return false }
        left.sum = 0
        right.sum = 0
        return left == right
    }

    /// What a sample of a day of realistic latencies takes in a merged segment.
    @Test func samplesAreSmall() throws {
        let classic = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
        for (name, bounds, most) in [("exponential", [], 18.0), ("custom", classic, 8.0)] {
            let folder = try TemporaryDirectory()
            var options = StoreOptions(directory: "\(folder.path)/data")
            options.diskFreeBytesMin = 0
            let store = try Store(options: options) { _ in }
            var services = Self.services(32, bounds: bounds)
            var random = SplitMix64(seed: 9)
            var buckets = 0
            let steps = 1440
            for first in stride(from: 0, to: steps, by: 360) {
                var batch = RowBatch(signal: .histograms)
                batch.streams = services.map(\.labels)
                batch.firstLines = services.map { _ in 0 }
                for step in first..<(first + 360) {
                    for place in services.indices {
                        services[place].observe(&random)
                        let histogram = services[place].histogram
                        buckets += histogram.positive.counts.count
                        batch.append(
                            histogram,
                            stream: UInt32(place),
                            time: Self.start + Int64(step) * 15 * Self.second
                        )
                    }
                }
                try Self.append(batch, to: store)
            }
            try store.flush()
            try store.merge()
            let status = try #require(store.status().signals.first { $0.signal == .histograms })
            let rows = Double(status.segmentRows)
            let bytes = Double(status.segmentBytes) / rows
            print(
                "histograms, \(name): \(bytes) bytes a sample of "
                    + "\(Double(buckets) / Double(services.count * steps)) buckets"
            )
            #expect(Int(rows) == services.count * steps)
            #expect(bytes < most)
            store.stop()
        }
    }
}
