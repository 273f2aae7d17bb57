import Synchronization
import Testing
import WeirCore
import WeirStore
import WeirSystem
import WeirTestSupport

/// Batches that are taken together, handles of streams, and metadata.
@Suite struct JointBatchTests {
    private static let labels = Labels([("__name__", "a"), ("x", "1")])

    private static func histograms() -> RowBatch {
        var batch = RowBatch(signal: .histograms)
        batch.streams = [labels]
        batch.firstLines = [1]
        var histogram = NativeHistogram()
        histogram.count = 3
        histogram.positive.spans = [NativeHistogram.BucketSpan(offset: 0, length: 1)]
        histogram.positive.counts = [3]
        batch.append(histogram, stream: 0, time: StoreHarness.start)
        return batch
    }

    private static func append(
        _ batches: [RowBatch],
        to store: Store,
        batchID: String = ""
    ) throws -> [AppendOutcome] {
        let answer = Monitor<Result<[AppendOutcome], StoreError>?>(nil)
        store.append(batches, batchID: Array(batchID.utf8)) { result in
            answer.update { $0 = result }
        }
        let result = answer.wait(timeoutNanoseconds: 10_000_000_000) { $0 }
        return try #require(result).get()
    }

    private static func rows(_ store: Store) -> [String: Int] {
        var rows: [String: Int] = [:]
        for signal in store.status().signals {
            rows[signal.signal.name] = signal.segmentRows + signal.memoryRows
        }
        return rows
    }

    @Test func batchesOfOneRequestAreOneSyncAndSurviveTogether() throws {
        let folder = try TemporaryDirectory()
        let store = try StoreHarness.open(folder.path)
        let samples = StoreHarness.batch([
            (Self.labels, StoreHarness.start, 1), (Self.labels, StoreHarness.start + 1, 2),
        ])
        let empty = RowBatch(signal: .exemplars)
        let before = store.counters.syncs.value
        let outcomes = try Self.append([samples, Self.histograms(), empty], to: store)
        #expect(outcomes.map(\.rowCount) == [2, 1, 0])
        #expect(store.counters.syncs.value == before + 1)
        #expect(Self.rows(store) == ["metrics": 2, "histograms": 1])
        // As after a power cut: only the journal has them.
        store.stop(isFlushing: false)
        let again = try StoreHarness.open(folder.path)
        defer { again.stop() }
        #expect(Self.rows(again) == ["metrics": 2, "histograms": 1])
    }

    @Test func aRequestThatComesAgainIsTakenOnce() throws {
        let folder = try TemporaryDirectory()
        let store = try StoreHarness.open(folder.path)
        defer { store.stop() }
        let samples = StoreHarness.batch([(Self.labels, StoreHarness.start, 1)])
        // The first half of the request came before, by itself.
        _ = try Self.append([samples], to: store, batchID: "id")
        let outcomes = try Self.append([samples, Self.histograms()], to: store, batchID: "id")
        #expect(outcomes.map(\.isDuplicate) == [true, false])
        let third = try Self.append([samples, Self.histograms()], to: store, batchID: "id")
        #expect(third.map(\.isDuplicate) == [true, true])
    }

    @Test func nothingToTakeIsAnsweredAtOnce() throws {
        let folder = try TemporaryDirectory()
        let store = try StoreHarness.open(folder.path)
        defer { store.stop() }
        #expect(try Self.append([RowBatch(signal: .metrics)], to: store).count == 1)
        #expect(try Self.append([], to: store).isEmpty)
    }

    /// What one store says of a stream counts for nothing in another, and no longer once the stream
    /// was forgotten.
    @Test func handlesAreOfOneStoreAndOneStream() throws {
        let streams = (0..<3).map { Labels([("__name__", "b"), ("n", "\($0)")]) }
        let handles = streams.map { _ in StreamHandle() }
        for order in [[0, 1, 2], [2, 0, 1]] {
            let folder = try TemporaryDirectory()
            let clock = ManualClock(nanoseconds: StoreHarness.start)
            let store = try StoreHarness.open(folder.path, clock: clock) { $0.streamIdle = 10 }
            defer { store.stop() }
            for time in 0..<3 as Range<Int64> {
                var batch = StoreHarness.batch(
                    order.map { (streams[$0], StoreHarness.start + time, Double($0)) }
                )
                batch.handles = order.map { handles[$0] }
                _ = try Self.append([batch], to: store)
                if time == 1 {
                    // Nothing is in memory and nothing was written lately: all are forgotten.
                    clock.set(nanoseconds: StoreHarness.start + 1000)
                    try store.flush()
                }
            }
            let selection = try store.select(
                signal: .metrics,
                matchers: [],
                times: .min ... .max,
                budget: FreeBudget()
            )
            #expect(selection.labels == streams)
            let found = Mutex<[Int: [Double]]>([:])
            try selection.scanFloats(budget: FreeBudget()) { stream, _, values in
                let all = values.indices.map { values[$0] }
                found.withLock { $0[stream] = all }
                return true
            }
            #expect(found.withLock { $0 } == [0: [0, 0, 0], 1: [1, 1, 1], 2: [2, 2, 2]])
        }
    }

    @Test func metadataIsKeptBoundedAndOutlivesTheProcess() throws {
        let folder = try TemporaryDirectory()
        let store = try StoreHarness.open(folder.path)
        func family(_ name: String, _ help: String) -> FamilyMetadata {
            FamilyMetadata(name: name, MetricMetadata(type: .counter, unit: "u", help: help))
        }
        try store.metadata.record((0..<6).map { family("a", "\($0)") } + [family("b", "x")])
        try store.metadata.record([
            family("", "x"), family(String(repeating: "n", count: 2000), "x"),
            family("c", String(repeating: "h", count: 5000)), family("a", "5"),
        ])
        #expect(store.metadata.leftOutCount == 3)
        store.stop(isFlushing: false)
        let again = try StoreHarness.open(folder.path)
        defer { again.stop() }
        #expect(again.metadata.all().map(\.family) == ["a", "b"])
        #expect(again.metadata.metadata(of: "a").map(\.help) == ["2", "3", "4", "5"])
        #expect(again.metadata.metadata(of: "a").first?.unit == "u")
    }
}
