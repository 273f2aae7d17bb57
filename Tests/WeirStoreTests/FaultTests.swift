import Synchronization
import Testing
import WeirCore
import WeirStore
import WeirSystem
import WeirTestSupport

/// The store on a disk that fills up, fails, and loses its power.
@Suite struct FaultTests {
    private typealias H = StoreHarness
    private typealias Rows = [(Labels, Int64, Double)]

    private static func rows(_ batch: Int, count: Int = 20) -> Rows {
        (0..<count).map { row in
            let day = Int64(row % 2) * 86_400 * H.second
            return (
                Labels([("__name__", "m\(row % 3)"), ("host", "h\(batch % 4)")]),
                H.start + Int64(batch * 1000 + row) * H.second - day,
                Double(batch * 1000 + row) + 0.5
            )
        }
    }

    private static func samples(_ batches: [Rows]) -> [Labels: [Sample]] {
        var samples: [Labels: [Sample]] = [:]
        for (labels, time, value) in batches.joined() {
            samples[labels, default: []].append(Sample(time, value))
        }
        return samples.mapValues { $0.sorted() }
    }

    private static func isFull(_ error: any Error) -> Bool {
        if case .diskFull? = error as? StoreError { return true }
        return false
    }

    @Test func fullDiskRefusesWritesAnswersQueriesAndRecovers() throws {
        let folder = try TemporaryDirectory()
        let disk = FaultFileSystem(graveyard: "\(folder.path)/graves")
        let log = Mutex<[String]>([])
        let store = try H.open(
            "\(folder.path)/data",
            fileSystem: disk,
            log: { message in log.withLock { $0.append(message) } }
        )
        disk.change { $0.spaceLeft = 6000 }
        var taken: [Rows] = []
        for batch in 0..<200 {
            do {
                try H.append(Self.rows(batch), to: store)
                taken.append(Self.rows(batch))
            } catch {
                #expect(Self.isFull(error))
            }
        }
        #expect(taken.count > 3 && taken.count < 200)
        #expect(store.status().isDiskFull)
        #expect(try H.read(store) == Self.samples(taken))
        disk.change { $0.spaceLeft = nil }
        try H.append(Self.rows(200), to: store)
        taken.append(Self.rows(200))
        #expect(!store.status().isDiskFull)
        let messages = log.withLock { $0 }
        #expect(messages.contains { $0.hasPrefix("disk full") })
        #expect(messages.contains { $0.hasPrefix("disk has room again") })
        #expect(try H.read(store) == Self.samples(taken))
        try H.copyTree("\(folder.path)/data", to: "\(folder.path)/copy")
        store.stop()
        let copy = try H.open("\(folder.path)/copy")
        #expect(try H.read(copy) == Self.samples(taken))
        copy.stop()
    }

    @Test func fullDiskInFlushKeepsRowsInMemory() throws {
        let folder = try TemporaryDirectory()
        let disk = FaultFileSystem(graveyard: "\(folder.path)/graves")
        let store = try H.open("\(folder.path)/data", fileSystem: disk)
        let taken = (0..<30).map { Self.rows($0) }
        for rows in taken { try H.append(rows, to: store) }
        for left in [0, 40, 400] {
            disk.change { $0.spaceLeft = left }
            let error = #expect(throws: StoreError.self) { try store.flush() }
            #expect(error.map(Self.isFull) == true)
            #expect(store.status().isDiskFull)
            #expect(try H.read(store) == Self.samples(taken))
        }
        disk.change { $0.spaceLeft = nil }
        try store.flush()
        #expect(!store.status().isDiskFull)
        #expect(store.status().memoryBytes == 0)
        #expect(try H.read(store) == Self.samples(taken))
        store.stop()
        let again = try H.open("\(folder.path)/data")
        #expect(again.replayReport.rows == 0)
        #expect(try H.read(again) == Self.samples(taken))
        again.stop()
        #expect(try StoreChecker.check("\(folder.path)/data").problems.isEmpty)
    }

    @Test(arguments: [".wal", ".tmp"])
    func failedSyncStopsAcknowledgments(suffix: String) throws {
        let folder = try TemporaryDirectory()
        let disk = FaultFileSystem(graveyard: "\(folder.path)/graves")
        let fatal = Mutex<[FileError]>([])
        let store = try H.open(
            "\(folder.path)/data",
            fileSystem: disk,
            onFatal: { error in fatal.withLock { $0.append(error) } }
        )
        try H.append(Self.rows(0), to: store)
        disk.change { plan in
            plan.failing = { operation, path in
                operation == .sync && path.hasSuffix(suffix) ? 5 : nil
            }
        }
        if suffix == ".wal" {
            #expect(throws: StoreError.self) { try H.append(Self.rows(1), to: store) }
        } else {
            #expect(throws: StoreError.self) { try store.flush() }
        }
        #expect(fatal.withLock { $0.count } == 1)
        disk.change { $0.failing = nil }
        for batch in 2..<5 {
            #expect(throws: StoreError.stopping) { try H.append(Self.rows(batch), to: store) }
        }
        #expect(try H.read(store) == Self.samples([Self.rows(0)]))
        store.stop()
        // What was acknowledged is there; the batch whose sync failed may be.
        let again = try H.open("\(folder.path)/data")
        let found = try H.read(again)
        #expect(
            found == Self.samples([Self.rows(0)])
                || found == Self.samples([Self.rows(0), Self.rows(1)])
        )
        again.stop()
    }

    @Test func tornJournalTailLosesOnlyTheTornRecord() throws {
        let folder = try TemporaryDirectory()
        let files = HostFileSystem()
        let store = try H.open("\(folder.path)/data")
        try H.append(Self.rows(0), to: store)
        try H.append(Self.rows(1), to: store)
        let name = try #require(try files.list("\(folder.path)/data/journal").first)
        let path = "\(folder.path)/data/journal/\(name)"
        let start = try files.openForReading(path).size()
        try H.append(Self.rows(2, count: 3), to: store)
        let bytes = try files.readFile(path, bytesMax: 1 << 20)
        try H.copyTree("\(folder.path)/data", to: "\(folder.path)/copy")
        store.stop()
        let copy = "\(folder.path)/copy/journal/\(name)"
        func check(_ damaged: [UInt8], _ what: String) throws {
            for name in try files.list("\(folder.path)/copy/journal") {
                try files.removeFile("\(folder.path)/copy/journal/\(name)")
            }
            try files.openForWriting(copy).write(damaged, at: 0)
            let torn = try H.open("\(folder.path)/copy")
            #expect(try H.read(torn) == Self.samples([Self.rows(0), Self.rows(1)]), "\(what)")
            #expect(torn.replayReport.tornTails.count == (damaged.count == start ? 0 : 1))
            torn.stop(isFlushing: false)
        }
        for count in start..<bytes.count {
            try check(Array(bytes[..<count]), "cut to \(count) of \(bytes.count)")
        }
        for index in start..<bytes.count {
            var flipped = bytes
            flipped[index] ^= 1 << UInt8(index % 8)
            try check(flipped, "a bit of byte \(index) flipped")
        }
        // After a torn tail new records are taken, and found again.
        try check(Array(bytes[..<(bytes.count - 1)]), "the last byte cut")
        let torn = try H.open("\(folder.path)/copy")
        try H.append(Self.rows(3), to: torn)
        torn.stop(isFlushing: false)
        let again = try H.open("\(folder.path)/copy")
        #expect(try H.read(again) == Self.samples([Self.rows(0), Self.rows(1), Self.rows(3)]))
        again.stop()
    }

    @Test func damagedSegmentIsQuarantinedAndTheRestServed() throws {
        let folder = try TemporaryDirectory()
        let files = HostFileSystem()
        let store = try H.open("\(folder.path)/data")
        let taken = (0..<10).map { Self.rows($0) }
        for rows in taken { try H.append(rows, to: store) }
        try store.flush()
        store.stop()
        let root = "\(folder.path)/data/data/default/metrics"
        let days = try files.list(root)
        #expect(days.count == 2)
        let name = try #require(try files.list("\(root)/\(days[0])").first)
        let path = "\(root)/\(days[0])/\(name)"
        let place = "data/default/metrics/\(days[0])/\(name)"
        let bytes = try files.readFile(path, bytesMax: 1 << 24)
        let whole = Self.samples(taken)
        let rest = whole.compactMapValues { samples in
            let kept = samples.filter { $0.time >= H.start - 3600 * H.second }
            return kept.isEmpty ? nil : kept
        }
        func check(_ damaged: [UInt8]?, _ what: String) throws {
            let copy = "\(folder.path)/copy"
            try H.copyTree("\(folder.path)/data", to: copy)
            try files.removeFile("\(copy)/\(place)")
            if let damaged { try files.openForWriting("\(copy)/\(place)").write(damaged, at: 0) }
            let problems = try StoreChecker.check(copy).problems
            #expect(problems.count == 1 && problems[0].hasPrefix(place), "\(what): \(problems)")
            let opened = try H.open(copy)
            for _ in 0..<2 {
                let budget = FreeBudget()
                #expect(try H.read(opened, budget: budget) == rest, "\(what)")
                #expect(Set(budget.quarantined.withLock { $0 }) == [place], "\(what)")
            }
            #expect(opened.status().quarantined.map(\.path) == [place], "\(what)")
            #expect(opened.status().quarantined.allSatisfy { !$0.reason.isEmpty })
            // It takes in, flushes and merges as before.
            try H.append(Self.rows(50), to: opened)
            try opened.flush()
            try opened.merge()
            opened.stop()
            let again = try H.open(copy)
            #expect(again.status().quarantined.map(\.path) == [place], "\(what), opened again")
            again.stop()
            try H.removeTree(copy)
        }
        try check(nil, "missing")
        var random = SplitMix64(seed: 7)
        for _ in 0..<12 {
            let count = Int.random(in: 0..<bytes.count, using: &random)
            try check(Array(bytes[..<count]), "cut to \(count) of \(bytes.count)")
        }
        for _ in 0..<24 {
            let index = Int.random(in: 0..<bytes.count, using: &random)
            var flipped = bytes
            flipped[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            try check(flipped, "a bit of byte \(index) of \(bytes.count) flipped")
        }
    }

    @Test func filesACrashLeftBehindAreSwept() throws {
        let folder = try TemporaryDirectory()
        let files = HostFileSystem()
        let store = try H.open(folder.path)
        try H.append(Self.rows(0), to: store)
        store.stop()
        let root = "\(folder.path)/data/default/metrics"
        let day = try #require(try files.list(root).first)
        let known = try files.list("\(root)/\(day)")
        for name in ["00-01.seg", "x.seg.tmp"] {
            try files.openForWriting("\(root)/\(day)/\(name)").write([1, 2, 3], at: 0)
        }
        let again = try H.open(folder.path)
        #expect(try files.list("\(root)/\(day)") == known)
        #expect(again.status().quarantined.isEmpty)
        #expect(try H.read(again) == Self.samples([Self.rows(0)]))
        again.stop()
    }

    // MARK: Sweeps

    /// Appends, flushes and merges on `disk`.
    ///
    /// - Returns: The batches that were acknowledged and those that were not.
    private static func work(
        _ directory: String,
        _ disk: FaultFileSystem
    ) -> (taken: [Int], refused: [Int]) {
        var taken: [Int] = []
        var refused: [Int] = []
        guard let store = try? H.open(directory, fileSystem: disk) else { return ([], []) }
        func append(_ batches: Range<Int>) {
            for batch in batches {
                do {
                    try H.append(rows(batch), to: store)
                    taken.append(batch)
                } catch {
                    refused.append(batch)
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
        return (taken, refused)
    }

    /// - Returns: How many acknowledged samples were not found.
    private static func verify(
        _ directory: String,
        _ outcome: (taken: [Int], refused: [Int]),
        _ what: String
    ) throws -> Int {
        var missing = 0
        for round in 0..<2 {
            let store = try H.open(directory)
            let found = try H.read(store)
            var expected = outcome.taken
            for (labels, time, value) in outcome.taken.flatMap({ rows($0) })
            where found[labels]?.contains(Sample(time, value)) != true {
                missing += 1
            }
            for batch in outcome.refused {
                // A batch that was refused is there as a whole, or not at all.
                let rows = rows(batch)
                let present = rows.filter { labels, time, value in
                    found[labels]?.contains(Sample(time, value)) == true
                }
                if present.count == rows.count { expected.append(batch) }
            }
            #expect(found == samples(expected.map { rows($0) }), "\(what), round \(round)")
            #expect(store.status().quarantined.isEmpty, "\(what), round \(round)")
            #expect(store.replayReport.gaps.isEmpty, "\(what), round \(round)")
            store.stop()
        }
        let problems = try StoreChecker.check(directory).problems
        #expect(problems.isEmpty, "\(what): \(problems)")
        return missing
    }

    /// Cuts the power, or fails one operation, at each operation of the work above.
    @Test(arguments: [FaultKind.crash, .inputOutput, .noSpace])
    func faultAtAnyOperationLosesNothingAcknowledged(_ kind: FaultKind) throws {
        let folder = try TemporaryDirectory()
        let free = FaultFileSystem(graveyard: "\(folder.path)/graves")
        #expect(Self.work("\(folder.path)/free", free).taken.count == 10)
        let operations = free.operations
        var acknowledged = 0
        var missing = 0
        let seeds: ClosedRange<UInt64> = kind == .crash ? 1...3 : 1...1
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
                let outcome = Self.work(directory, disk)
                acknowledged += outcome.taken.count
                missing += try Self.verify(
                    directory,
                    outcome,
                    "\(kind) at \(operation), seed \(seed)"
                )
                try H.removeTree(directory)
            }
        }
        print(
            "faults: \(kind) at each of \(operations) operations, \(seeds.count) seeds, "
                + "\(acknowledged * 20) acknowledged samples, \(missing) missing"
        )
    }

    enum FaultKind: Sendable {
        case crash
        case inputOutput
        case noSpace
    }
}
