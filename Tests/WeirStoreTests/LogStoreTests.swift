import Synchronization
import Testing
import WeirColumns
import WeirCore
import WeirPattern
import WeirStore
import WeirSystem
import WeirTestSupport

/// Rows with fields through the whole store: memory, journal, segments, merges, reopening.
@Suite struct LogStoreTests {
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func whatWasSentComesBackInOrderWhateverTheStoreDidMeanwhile(_ seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        var random = SplitMix64(seed: seed)
        var store = try StoreHarness.open(directory.path)
        var rows: [LogRow] = []
        for _ in 0..<30 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0: try store.flush()
            case 1: try store.merge()
            case 2:
                store.stop(isFlushing: Bool.random(using: &random))
                store = try StoreHarness.open(directory.path)
            default:
                let count = Int.random(in: 1...(seed == 1 ? 3000 : 60), using: &random)
                var batch: [LogRow] = []
                for _ in 0..<count {
                    batch.append(LogHarness.row(&random, number: rows.count + batch.count))
                }
                if Int.random(in: 0..<6, using: &random) == 0 {
                    // Two days in one batch.
                    batch[0].time -= 86_400 * StoreHarness.second
                }
                try LogHarness.append(batch, to: store)
                rows += batch
            }
            let found = try LogHarness.read(store)
            #expect(found == LogHarness.expected(rows))
        }
        try store.flush()
        try store.merge()
        #expect(try LogHarness.read(store) == LogHarness.expected(rows))
        let matcher = LabelMatcher(name: "service", operation: .equal, value: "cart")
        let range = StoreHarness.start...(StoreHarness.start + 300 * 1_000_000)
        let some = rows.filter { $0.stream["service"] == "cart" && range.contains($0.time) }
        #expect(try LogHarness.read(store, [matcher], times: range) == LogHarness.expected(some))
        store.stop()
        let report = try StoreChecker.check(directory.path)
        #expect(report.problems.isEmpty)
        #expect(report.rows == rows.count)
    }

    /// Signals count their streams each for itself, and share the journal's files.
    @Test func aJournalOfLogsAndMetricsIsReplayedToBoth() throws {
        let directory = try TemporaryDirectory()
        var random = SplitMix64(seed: 3)
        let store = try StoreHarness.open(directory.path)
        var rows: [LogRow] = []
        var samples: [Labels: [Sample]] = [:]
        for round in 0..<8 {
            let labels = Labels([("__name__", "m\(round % 3)"), ("host", "h\(round % 2)")])
            let time = StoreHarness.start + Int64(round)
            try StoreHarness.append([(labels, time, Double(round))], to: store)
            samples[labels, default: []].append(Sample(time, Double(round)))
            let batch = (0..<5).map { LogHarness.row(&random, number: round * 5 + $0) }
            try LogHarness.append(batch, to: store)
            rows += batch
        }
        store.stop(isFlushing: false)
        let again = try StoreHarness.open(directory.path)
        #expect(try LogHarness.read(again) == LogHarness.expected(rows))
        #expect(try StoreHarness.read(again) == samples)
        try again.flush()
        #expect(try LogHarness.read(again) == LogHarness.expected(rows))
        #expect(try StoreHarness.read(again) == samples)
        again.stop()
    }

    @Test func aLargeLoadIsCutIntoBlocksAndMergedByCopyingThem() throws {
        let directory = try TemporaryDirectory()
        var random = SplitMix64(seed: 9)
        let store = try StoreHarness.open(directory.path)
        var rows: [LogRow] = []
        for _ in 0..<5 {
            var batch: [LogRow] = []
            for _ in 0..<9000 {
                batch.append(LogHarness.row(&random, number: rows.count + batch.count))
            }
            try LogHarness.append(batch, to: store)
            rows += batch
            try store.flush()
        }
        try store.merge()
        #expect(store.status().signals.first?.segments == 1)
        #expect(try LogHarness.read(store) == LogHarness.expected(rows))
        store.stop()
    }

    @Test func aRowMayBeLargeAndHaveThousandsOfFields() throws {
        let directory = try TemporaryDirectory()
        let store = try StoreHarness.open(directory.path)
        let stream = Labels([("service", "x")])
        var rows: [LogRow] = []
        for index in 0..<40 {
            var row = LogRow(stream: stream, time: StoreHarness.start + Int64(index), fields: [])
            row.fields.append(
                LogRow.Field(
                    name: "",
                    kind: .text,
                    text: Array(repeating: UInt8(index), count: 1 << 20)
                )
            )
            for field in 0..<500 {
                row.fields.append(
                    LogRow.Field(
                        name: "f\(index)_\(field)",
                        kind: .number,
                        text: Array("\(field)".utf8)
                    )
                )
            }
            rows.append(row)
        }
        try LogHarness.append(rows, to: store)
        try store.flush()
        #expect(try LogHarness.read(store) == LogHarness.expected(rows))
        store.stop()
    }

    @Test func aDamagedBlockIsQuarantinedAndTheRestIsServed() throws {
        let directory = try TemporaryDirectory()
        let store = try StoreHarness.open(directory.path)
        var random = SplitMix64(seed: 5)
        let first = (0..<500).map { LogHarness.row(&random, number: $0) }
        let second = (500..<1000).map { LogHarness.row(&random, number: $0) }
        try LogHarness.append(first, to: store)
        try store.flush()
        try LogHarness.append(second, to: store)
        try store.flush()
        let day = try #require(
            try HostFileSystem().list("\(directory.path)/data/default/logs").first
        )
        let folder = "\(directory.path)/data/default/logs/\(day)"
        let name = try #require(try HostFileSystem().list(folder).sorted().first)
        let file = try HostFileSystem().openForWriting("\(folder)/\(name)")
        try file.write([0xAA, 0x55, 0xAA, 0x55], at: 3000)
        let budget = FreeBudget()
        _ = try LogHarness.read(store, budget: budget)
        #expect(budget.quarantined.withLock { $0.count } >= 1)
        #expect(try LogHarness.read(store) == LogHarness.expected(second))
        store.stop()
    }
}
