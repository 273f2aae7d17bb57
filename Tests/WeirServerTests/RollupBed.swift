import Synchronization
import Testing
import WeirCore
import WeirQuery
import WeirServer
import WeirStore
import WeirSystem
import WeirTestSupport

/// A store with two days that have rollups and one that has none, and what queries of it answer.
struct RollupBed {
    static let second: Int64 = 1_000_000_000
    static let day: Int64 = 86_400 * second
    static let midnight: Int64 = 20_700 * day
    static let midnightMilliseconds = midnight / 1_000_000
    static let hour: Int64 = 3_600_000

    let folder: TemporaryDirectory
    let store: Store

    init(
        _ rows: [(Labels, Int64, Double)],
        histograms: [(Labels, Int64)] = [],
        _ change: (inout StoreOptions) -> Void = { _ in }
    ) throws {
        folder = try TemporaryDirectory()
        store = try Self.open(folder.path, days: 3, change)
        try append(rows)
        if !histograms.isEmpty { try append(histograms: histograms) }
        try store.flush()
        try store.merge()
    }

    static func open(
        _ path: String,
        days: Int64,
        _ change: (inout StoreOptions) -> Void = { _ in }
    ) throws -> Store {
        var options = StoreOptions(directory: path)
        options.diskFreeBytesMin = 0
        options.rollupAfter = day
        change(&options)
        return try Store(
            options: options,
            clock: ManualClock(nanoseconds: midnight + days * day),
            onFatal: { _ in }
        )
    }

    /// Stops the store, and opens it again when only rollups of an hour, and of five minutes if asked,
    /// are left of the first day.
    func withoutFirstDay(keepingFiveMinutes: Bool = false) throws -> Store {
        store.stop()
        let again = try Self.open(folder.path, days: 3) { options in
            options.retentionAge = 3 * Self.day / 2
            options.rollupRetention = [
                .oneHour: .forever, .fiveMinutes: keepingFiveMinutes ? .forever : .asSamples,
            ]
        }
        try again.flush()
        // The first flush looks at retention.
        func days() -> Int {
            again.status().signals.first { $0.signal == .metrics }?.days ?? 0
        }
        for _ in 0..<10_000 where days() > 2 { Thread.sleep(nanoseconds: 1_000_000) }
        #expect(days() == 2)
        return again
    }

    func append(_ rows: [(Labels, Int64, Double)]) throws { try Self.append(rows, to: store) }

    static func append(_ rows: [(Labels, Int64, Double)], to store: Store) throws {
        var batch = RowBatch(signal: .metrics)
        addStreams(rows.map(\.0), to: &batch)
        for (_, time, value) in rows {
            batch.times.append(time)
            batch.columns[0].floats.append(value)
        }
        try append(batch, to: store)
    }

    private func append(histograms rows: [(Labels, Int64)]) throws {
        var batch = RowBatch(signal: .histograms)
        Self.addStreams(rows.map(\.0), to: &batch)
        for (place, (_, time)) in rows.enumerated() {
            batch.times.append(time)
            var histogram = NativeHistogram()
            histogram.count = Double(place)
            histogram.sum = Double(place)
            histogram.append(to: &batch.columns)
        }
        try Self.append(batch, to: store)
    }

    private static func addStreams(_ rows: [Labels], to batch: inout RowBatch) {
        var indexes: [Labels: UInt32] = [:]
        for labels in rows {
            let index = indexes[labels] ?? UInt32(batch.streams.count)
            if indexes[labels] == nil {
                indexes[labels] = index
                batch.streams.append(labels)
                batch.firstLines.append(1)
            }
            batch.streamIndexes.append(index)
        }
    }

    private static func append(_ batch: RowBatch, to store: Store) throws {
        let outcome = Monitor<Result<AppendOutcome, StoreError>?>(nil)
        store.append(batch, batchID: []) { result in outcome.update { $0 = result } }
        _ = try #require(outcome.wait { $0 }).get()
    }

    struct Answer {
        /// By labels: times and bits.
        var points: [String: [[UInt64]]] = [:]
        /// By labels.
        var histograms: [String: [QueryHistogram]] = [:]
        var rowsRead = 0
        var infos: [String] = []
        var warnings: [String] = []
    }

    func ask(
        _ query: String,
        hours: ClosedRange<Int64>,
        step: Int64 = hour,
        shift: Int64 = 0,
        _ use: RollupUse
    ) throws -> Answer {
        try Self.ask(store, query, hours: hours, step: step, shift: shift, use)
    }

    static func ask(
        _ store: Store,
        _ query: String,
        hours: ClosedRange<Int64>,
        step: Int64 = hour,
        shift: Int64 = 0,
        streamedCellsMin: Int? = nil,
        memoryBytesMax: Int = 1 << 30,
        source: (any SampleSource)? = nil,
        _ use: RollupUse
    ) throws -> Answer {
        let context = QueryContext(memoryBytesMax: memoryBytesMax)
        var options = PromQLOptions()
        options.rollups = use
        options.hasExperiments = true
        if let streamedCellsMin { options.streamedCellsMin = streamedCellsMin }
        let value = try PromQL.evaluateRange(
            query,
            fromMilliseconds: midnightMilliseconds + hours.lowerBound * hour + shift,
            throughMilliseconds: midnightMilliseconds + hours.upperBound * hour + shift,
            stepMilliseconds: step,
            source: source ?? StoreSampleSource(store: store),
            context: context,
            options: options
        )
        guard case .matrix(let series) = value else { throw WrongType() }
        var answer = Answer()
        for one in series {
            answer.points["\(one.labels)"] = zip(one.times, one.values).map {
                [UInt64(bitPattern: $0), $1.bitPattern]
            }
            answer.histograms["\(one.labels)"] = one.histograms
        }
        answer.rowsRead = context.rowsRead.load(ordering: .relaxed)
        answer.infos = context.infos
        answer.warnings = context.warnings
        return answer
    }

    struct WrongType: Error {}
}
