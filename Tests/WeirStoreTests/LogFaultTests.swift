import Testing
import WeirCore
import WeirStore
import WeirSystem
import WeirTestSupport

/// Rows with fields on a disk that fills up, fails, and loses its power: `FaultTests` for logs and
/// spans.
@Suite struct LogFaultTests {
    private typealias H = StoreHarness

    /// Batch `batch`: two days, a few streams, equal times, fields that some rows have; a trace's
    /// spans lie in several batches.
    private static func rows(_ batch: Int, _ signal: Signal) -> [LogRow] {
        var random = SplitMix64(seed: UInt64(batch) + 77)
        return (0..<rowCount(signal)).map { number in
            var row =
                signal == .traces
                ? SpanRows.row(&random, trace: number % 6, number: batch * 100 + number)
                : LogHarness.row(&random, number: batch * 100 + number)
            if number % 7 == 0 { row.time -= 86_400 * H.second }
            return row
        }
    }

    /// Rows of a batch; spans have more fields, which cost time to compare.
    private static func rowCount(_ signal: Signal) -> Int { signal == .traces ? 8 : 20 }

    private static func isFull(_ error: any Error) -> Bool {
        if case .diskFull? = error as? StoreError { return true }
        return false
    }

    @Test(arguments: [Signal.logs, .traces])
    func fullDiskRefusesRowsAnswersQueriesAndRecovers(_ signal: Signal) throws {
        let folder = try TemporaryDirectory()
        let disk = FaultFileSystem(graveyard: "\(folder.path)/graves")
        let store = try H.open("\(folder.path)/data", fileSystem: disk)
        disk.change { $0.spaceLeft = 20_000 }
        var taken: [LogRow] = []
        var refusedCount = 0
        for batch in 0..<60 {
            do {
                try LogHarness.append(Self.rows(batch, signal), signal: signal, to: store)
                taken += Self.rows(batch, signal)
            } catch {
                #expect(Self.isFull(error))
                refusedCount += 1
            }
        }
        #expect(!taken.isEmpty && refusedCount > 0)
        #expect(store.status().isDiskFull)
        #expect(
            try LogHarness.read(store, signal: signal) == LogHarness.expected(taken, signal: signal)
        )
        for left in [0, 100, 3000] {
            disk.change { $0.spaceLeft = left }
            let error = #expect(throws: StoreError.self) { try store.flush() }
            #expect(error.map(Self.isFull) == true)
            #expect(
                try LogHarness.read(store, signal: signal)
                    == LogHarness.expected(taken, signal: signal)
            )
        }
        disk.change { $0.spaceLeft = nil }
        try LogHarness.append(Self.rows(60, signal), signal: signal, to: store)
        taken += Self.rows(60, signal)
        try store.flush()
        #expect(
            try LogHarness.read(store, signal: signal) == LogHarness.expected(taken, signal: signal)
        )
        store.stop()
        let again = try H.open("\(folder.path)/data")
        #expect(
            try LogHarness.read(again, signal: signal) == LogHarness.expected(taken, signal: signal)
        )
        again.stop()
        #expect(try StoreChecker.check("\(folder.path)/data").problems.isEmpty)
    }

    /// Appends, flushes and merges on `disk`.
    ///
    /// - Returns: The batches that were acknowledged and those that were not, as they came.
    private static func work(
        _ directory: String,
        _ disk: FaultFileSystem,
        _ signal: Signal
    ) -> (batches: [Int], refused: Set<Int>) {
        var batches: [Int] = []
        var refused: Set<Int> = []
        guard let store = try? H.open(directory, fileSystem: disk) else { return ([], []) }
        func append(_ range: Range<Int>) {
            for batch in range {
                batches.append(batch)
                do {
                    try LogHarness.append(rows(batch, signal), signal: signal, to: store)
                } catch {
                    refused.insert(batch)
                }
            }
        }
        append(0..<3)
        try? store.flush()
        append(3..<5)
        try? store.flush()
        append(5..<7)
        try? store.merge()
        append(7..<8)
        try? store.flush()
        try? store.merge()
        append(8..<10)
        store.stop(isFlushing: false)
        return (batches, refused)
    }

    /// - Returns: How many acknowledged rows were not found.
    private static func verify(
        _ directory: String,
        _ outcome: (batches: [Int], refused: Set<Int>),
        _ what: String,
        _ signal: Signal
    ) throws -> Int {
        var missing = 0
        for round in 0..<2 {
            let store = try H.open(directory)
            let found = try LogHarness.read(store, signal: signal)
            let all = Set(found.values.joined())
            var expected: [LogRow] = []
            for batch in outcome.batches {
                let rows = rows(batch, signal)
                // A batch that was refused is there as a whole, or not at all.
                if outcome.refused.contains(batch) {
                    if rows.allSatisfy({ all.contains($0.asRead(signal)) }) { expected += rows }
                } else {
                    missing += rows.count { !all.contains($0.asRead(signal)) }
                    expected += rows
                }
            }
            // Rows, their bytes, and the order of rows of one stream and time.
            #expect(
                found == LogHarness.expected(expected, signal: signal),
                "\(what), round \(round)"
            )
            #expect(store.status().quarantined.isEmpty, "\(what), round \(round)")
            #expect(store.replayReport.gaps.isEmpty, "\(what), round \(round)")
            store.stop()
        }
        let problems = try StoreChecker.check(directory).problems
        #expect(problems.isEmpty, "\(what): \(problems)")
        return missing
    }

    /// Cuts the power, or fails one operation, at each operation of the work above.
    @Test(arguments: [Signal.logs, .traces], [FaultTests.FaultKind.crash, .inputOutput, .noSpace])
    func faultAtAnyOperationLosesNoAcknowledgedRow(
        _ signal: Signal,
        _ kind: FaultTests.FaultKind
    ) throws {
        let folder = try TemporaryDirectory()
        let free = FaultFileSystem(graveyard: "\(folder.path)/graves")
        let whole = Self.work("\(folder.path)/free", free, signal)
        #expect(whole.batches.count == 10 && whole.refused.isEmpty)
        #expect(try Self.verify("\(folder.path)/free", whole, "without faults", signal) == 0)
        let operations = free.operations
        var acknowledged = 0
        var missing = 0
        let seeds: ClosedRange<UInt64> = kind == .crash && signal == .logs ? 1...2 : 1...1
        for seed in seeds {
            for operation in 1...operations {
                let directory = "\(folder.path)/\(seed)-\(operation)"
                let disk = FaultFileSystem(
                    graveyard: "\(folder.path)/graves-\(seed)-\(operation)",
                    seed: seed &* 1000 &+ UInt64(operation)
                )
                disk.change { plan in
                    plan.failAt = operation
                    plan.code = kind == .noSpace ? 28 : 5
                    plan.isCrash = kind == .crash
                }
                let outcome = Self.work(directory, disk, signal)
                acknowledged += outcome.batches.count - outcome.refused.count
                missing += try Self.verify(
                    directory,
                    outcome,
                    "\(kind) at \(operation), seed \(seed)",
                    signal
                )
                try H.removeTree(directory)
            }
        }
        print(
            "faults of \(signal.name): \(kind) at each of \(operations) operations, \(seeds.count) seeds, "
                + "\(acknowledged * Self.rowCount(signal)) acknowledged rows, \(missing) missing"
        )
    }
}
