import Synchronization
import Testing
import WeirCore
import WeirPattern
import WeirStore
import WeirSystem
import WeirTestSupport

/// A fault while rollups are made, replaced or taken away costs no sample, and leaves no rollup that
/// says something else than the samples do.
@Suite struct RollupFaultTests {
    private typealias H = StoreHarness
    private typealias Rows = [(Labels, Int64, Double)]

    private static let day: Int64 = 86_400 * H.second
    private static let midnight = H.start / day * day

    private static func rows(_ batch: Int) -> Rows {
        (0..<40).map { row in
            (
                Labels([("__name__", "m"), ("host", "h\(row % 2)")]),
                midnight + Int64(row * 30 + batch) * 60 * H.second,
                Double(batch * 100 + row)
            )
        }
    }

    private static func open(_ directory: String, _ disk: any FileSystem) throws -> Store {
        let clock = ManualClock(nanoseconds: midnight + 2 * day)
        return try H.open(directory, fileSystem: disk, clock: clock) { $0.rollupAfter = 0 }
    }

    /// - Returns: The batches that were acknowledged.
    private static func work(_ directory: String, _ disk: FaultFileSystem) -> [Int] {
        guard let store = try? open(directory, disk) else { return [] }
        var taken: [Int] = []
        for batch in 0..<2 {
            if (try? H.append(rows(batch), to: store)) != nil { taken.append(batch) }
            try? store.flush()
            try? store.merge()
        }
        let host = LabelMatcher(name: "host", operation: .equal, value: "h1")
        let hour = (midnight + 7200 * H.second)...(midnight + 10_800 * H.second)
        _ = try? store.erase(selectors: [[host]], times: hour)
        try? store.merge()
        store.stop(isFlushing: false)
        return taken
    }

    /// Per host the samples of each row: of rollups, or of samples rolled up here.
    private static func counts(
        _ store: Store
    ) throws -> (rollups: [String: Int]?, samples: [String: Int]) {
        let budget = FreeBudget()
        var samples: [String: Int] = [:]
        for (labels, rows) in try H.read(store) { samples[labels["host"] ?? ""] = rows.count }
        let selection = try store.selectRollups(
            matchers: [],
            times: Int64.min...Int64.max,
            resolutions: [.fiveMinutes],
            budget: budget
        )
        guard let selection else { return (nil, samples) }
        let found = Mutex<[String: Int]>([:])
        let isWhole = try selection.scan(columns: [0], budget: budget) {
            { series, rows in
                let total = rows.columns[0].ints.reduce(0, +)
                found.withLock { $0[selection.labels[series]["host"] ?? ""] = Int(total) }
                return true
            }
        }
        #expect(isWhole)
        return (found.withLock { $0 }, samples)
    }

    private static func verify(_ directory: String, _ taken: [Int], _ what: String) throws {
        let store = try open(directory, HostFileSystem())
        // Merging makes what is due, after what was erased is gone.
        for round in 0..<2 {
            let (rollups, samples) = try counts(store)
            if round == 1, !samples.isEmpty { #expect(rollups != nil, "\(what)") }
            if let rollups { #expect(rollups == samples, "\(what), round \(round)") }
            #expect(samples.values.reduce(0, +) >= taken.count * 40 - 4, "\(what)")
            try store.flush()
            try store.merge()
        }
        #expect(store.status().quarantined.isEmpty, "\(what)")
        store.stop()
        let problems = try StoreChecker.check(directory).problems
        #expect(problems.isEmpty, "\(what): \(problems)")
    }

    @Test(arguments: [true, false])
    func faultAtAnyOperationLeavesSoundRollups(isCrash: Bool) throws {
        let folder = try TemporaryDirectory()
        let free = FaultFileSystem(graveyard: "\(folder.path)/graves")
        #expect(Self.work("\(folder.path)/free", free).count == 2)
        for operation in 1...free.operations {
            let directory = "\(folder.path)/\(operation)"
            let disk = FaultFileSystem(
                graveyard: "\(folder.path)/graves-\(operation)",
                seed: UInt64(operation)
            )
            disk.change { plan in
                plan.failAt = operation
                plan.code = 28
                plan.isCrash = isCrash
            }
            let taken = Self.work(directory, disk)
            try Self.verify(directory, taken, "\(isCrash ? "crash" : "full") at \(operation)")
            try H.removeTree(directory)
        }
    }
}
