import Synchronization
import Testing
import WeirCore
import WeirPattern
import WeirQuery
import WeirSystem
import WeirTestSupport

@testable import WeirServer
@testable import WeirStore

/// A store with series of all kinds that grow, and the same queries asked of it with a results cache
/// and without.
final class ResultsWorld {
    static let base: Int64 = 1_790_000_000_000
    private let folder: TemporaryDirectory
    let clock = ManualClock(nanoseconds: ResultsWorld.base * 1_000_000)
    let store: Store
    let cache: ResultsCache
    let source: StoreSampleSource
    let results: RangeResults
    private var random: SplitMix64
    /// The newest time that in-order writes reached, milliseconds.
    var now = ResultsWorld.base
    private var counters: [Labels: Double] = [:]

    static let floats: [Labels] = {
        var all: [Labels] = []
        for host in ["a", "b", "c", "d"] {
            for zone in ["1", "2"] {
                let own = [("host", host), ("zone", zone)]
                all.append(Labels([("__name__", "reqs_total")] + own))
                all.append(Labels([("__name__", "temp")] + own))
                all.append(Labels([("__name__", "other")] + own))
            }
            for bound in ["0.1", "1", "+Inf"] {
                let own = [("host", host), ("le", bound)]
                all.append(Labels([("__name__", "lat_bucket")] + own))
            }
        }
        return all
    }()
    static let histograms: [Labels] = ["a", "b", "c"].map {
        Labels([("__name__", "lat"), ("host", $0)])
    }

    init(seed: UInt64, bytesMax: Int = 4 << 20, retentionAge: Int64? = nil) throws {
        random = SplitMix64(seed: seed)
        folder = try TemporaryDirectory()
        var options = StoreOptions(directory: folder.path)
        options.diskFreeBytesMin = 0
        options.retentionAge = retentionAge
        store = try Store(options: options, clock: clock, log: { _ in }, onFatal: { _ in })
        cache = ResultsCache(bytesMax: bytesMax)
        source = StoreSampleSource(store: store)
        results = RangeResults(cache: cache, changes: StoreSampleChanges(store: store))
    }

    deinit { store.stop(isFlushing: false) }

    // MARK: Writes

    func append(_ batch: RowBatch) throws {
        guard batch.rowCount > 0 else { return }
        let outcome = Monitor<Result<AppendOutcome, StoreError>?>(nil)
        store.append(batch, sync: .interval(1_000_000_000)) { result in
            outcome.update { $0 = result }
        }
        #expect(try outcome.wait { $0 }?.get().rowCount == batch.rowCount)
    }

    private func value(_ labels: Labels) -> Double {
        let name = labels[Labels.metricNameLabel] ?? ""
        if name == "temp" || name == "other" {
            switch Int.random(in: 0..<12, using: &random) {
            case 0: return 0
            case 1: return -0.0
            case 2: return .nan
            case 3: return .staleMarker
            case 4...6: return Double(Int.random(in: 0..<3, using: &random))
            default: return Double.random(in: -50...50, using: &random)
            }
        }
        if Int.random(in: 0..<20, using: &random) == 0 { counters[labels] = 0 }
        counters[labels, default: 0] += Double.random(in: 0..<3, using: &random)
        return counters[labels] ?? 0
    }

    private func histogram() -> NativeHistogram {
        var one = NativeHistogram()
        one.schema = Int8(Int.random(in: 0..<2, using: &random))
        one.positive = .init(spans: [.init(offset: 0, length: 3)])
        one.positive.counts = (0..<3).map { _ in Double(Int.random(in: 0..<9, using: &random)) }
        one.count = one.positive.counts.reduce(0, +)
        one.sum = Double.random(in: 0..<100, using: &random)
        if Int.random(in: 0..<4, using: &random) == 0 { one.resetHint = .gauge }
        return one
    }

    /// Writes each series with some probability at one time.
    func write(at time: Int64, share: Double) throws {
        var floats = RowBatch(signal: .metrics)
        var natives = RowBatch(signal: .histograms)
        func add(_ labels: Labels, _ value: Double) {
            floats.streamIndexes.append(UInt32(floats.streams.count))
            floats.streams.append(labels)
            floats.firstLines.append(1)
            floats.times.append(time * 1_000_000 + Int64.random(in: 0..<1000, using: &random))
            floats.columns[0].floats.append(value)
        }
        for labels in Self.floats where Double.random(in: 0..<1, using: &random) < share {
            add(labels, value(labels))
        }
        for labels in Self.histograms where Double.random(in: 0..<1, using: &random) < share {
            // A series may have plain samples too.
            if Int.random(in: 0..<15, using: &random) == 0 {
                add(labels, 1)
                continue
            }
            natives.streams.append(labels)
            natives.firstLines.append(1)
            natives.append(histogram(), stream: UInt32(natives.rowCount), time: time * 1_000_000)
        }
        try append(floats)
        try append(natives)
    }

    /// One random change: mostly newer samples, now and then older ones, other values for times that
    /// were written, erasures, flushes, merges.
    func change() throws {
        switch Int.random(in: 0..<20, using: &random) {
        case 0:
            // Late, by up to twenty minutes.
            try write(at: now - Int64.random(in: 0..<1_200_000, using: &random), share: 0.1)
        case 1: try write(at: now, share: 0.3)
        case 2: try store.flush()
        case 3: try store.merge()
        case 4:
            let label = ["a", "b", "c"][Int.random(in: 0..<3, using: &random)]
            let from = now - Int64.random(in: 0..<1_800_000, using: &random)
            let times = (from * 1_000_000)...((from + 200_000) * 1_000_000)
            _ = try store.erase(
                selectors: [[LabelMatcher(name: "host", operation: .equal, value: label)]],
                times: times
            )
        case 5: break
        default:
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                now += 15000
                try write(at: now, share: Double.random(in: 0.5...1, using: &random))
            }
        }
    }

    /// Overwrites the middle of every segment of samples.
    func damageSegments() throws {
        let host = HostFileSystem()
        func visit(_ path: String) throws {
            for name in try host.list(path) {
                let place = "\(path)/\(name)"
                if name.hasSuffix(".seg") {
                    let bytes = try host.readFile(place, bytesMax: 1 << 24)
                    let file = try host.openForWriting(place)
                    try file.write(bytes.map { $0 ^ 0x5A }, at: 0)
                } else if (try? host.list(place)) != nil {
                    try visit(place)
                }
            }
        }
        try visit("\(folder.path)/data/default/metrics")
    }

    // MARK: Queries

    /// An answer without what it cost.
    static func answer(_ answer: PrometheusAnswer) -> String {
        let text = String(decoding: answer.body, as: UTF8.self)
        guard let start = text.firstRange(of: ",\"stats\":{"),
            let end = text[start.upperBound...].firstIndex(of: "}")
        else { return text }
        return String(text[..<start.lowerBound]) + text[end...].dropFirst()
    }

    func ask(
        _ query: String,
        from start: Int64,
        through end: Int64,
        step: Int64,
        isCached: Bool,
        context: QueryContext = QueryContext()
    ) -> PrometheusAnswer {
        var options = PromQLOptions()
        options.hasExperiments = true
        return PrometheusAPI.queryRange(
            parameters: [
                ("query", query), ("start", "\(Double(start) / 1000)"),
                ("end", "\(Double(end) / 1000)"), ("step", "\(step)ms"),
            ] + (isCached ? [] : [("nocache", "1")]),
            source: source,
            context: context,
            options: options,
            results: results
        )
    }

    func count(_ outcome: ResultsCache.Outcome) -> Int { cache.status.outcomes[outcome.rawValue] }
}
