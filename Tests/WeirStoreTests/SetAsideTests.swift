import Synchronization
import Testing
import WeirCore
import WeirPattern
import WeirStore
import WeirSystem
import WeirTestSupport

/// Segments that cannot be read for a while: what is erased meanwhile never comes back with them, and
/// snapshots tell of them.
@Suite struct SetAsideTests {
    private typealias H = StoreHarness
    private typealias Rows = [(Labels, Int64, Double)]

    private static let everything = Int64.min...Int64.max
    private static let day: Int64 = 86_400 * H.second
    /// The start of a day.
    private static let midnight = H.start / day * day

    private static func host(_ name: String) -> LabelMatcher {
        LabelMatcher(name: "host", operation: .equal, value: name)
    }

    private static func labels(_ host: String) -> Labels {
        Labels([("__name__", "m"), ("host", host)])
    }

    /// Samples of three hosts, one a minute, within a day.
    private static func rows(_ minutes: Range<Int> = 0..<300) -> Rows {
        ["keep", "one", "two"].flatMap { host in
            minutes.map { minute in
                (labels(host), midnight + Int64(minute) * 60 * H.second, Double(minute))
            }
        }
    }

    private static func open(
        _ path: String,
        _ disk: any FileSystem,
        rollupAfter: Int64? = 0
    ) throws -> Store {
        let clock = ManualClock(nanoseconds: midnight + 2 * day)
        return try H.open(path, fileSystem: disk, clock: clock) { $0.rollupAfter = rollupAfter }
    }

    private static func hosts(_ store: Store) throws -> Set<String> {
        Set(try H.read(store).keys.compactMap { $0["host"] })
    }

    /// How many samples a store says a host has, by its rollups alone; nil when none are used.
    private static func rolledUp(
        _ store: Store,
        _ host: String,
        _ resolution: RollupResolution = .oneHour
    ) throws -> Int64? {
        try H.rolledUpCount(store, [Self.host(host)], resolution)
    }

    /// Writes rows and their rollups, fails to read the files whose paths hold one of `texts`, erases
    /// two hosts meanwhile, and stops.
    private static func eraseMeanwhile(
        _ path: String,
        failing texts: [String],
        graveyard: String
    ) throws -> [ErasureReceipt] {
        let healthy = try open(path, HostFileSystem())
        try H.append(rows(), to: healthy)
        try healthy.flush()
        try healthy.merge()
        #expect(try rolledUp(healthy, "one") == 300)
        healthy.stop()
        let disk = FaultFileSystem(graveyard: graveyard)
        let store = try open(path, disk)
        disk.change { plan in
            plan.failing = { operation, path in
                operation == .read && texts.contains { path.contains($0) } ? 5 : nil
            }
        }
        _ = try hosts(store)
        for resolution in RollupResolution.allCases {
            _ = try rolledUp(store, "one", resolution)
        }
        let receipts = try ["one", "two"].map { host in
            try store.erase(selectors: [[Self.host(host)]], times: everything)
        }
        #expect(store.status().quarantined.count == texts.count)
        #expect(try hosts(store).isSubset(of: ["keep"]))
        store.stop()
        return receipts
    }

    private static let places = [
        ["/metrics/"], ["/rollups1h/"], ["/rollups1h/", "/rollups5m/"],
        ["/metrics/", "/rollups1h/"],
        ["/metrics/", "/rollups1h/", "/rollups5m/"],
    ]

    @Test(arguments: places)
    func erasedRowsDoNotComeBackWithTheSegment(texts: [String]) throws {
        let folder = try TemporaryDirectory()
        let path = "\(folder.path)/data"
        let receipts = try Self.eraseMeanwhile(
            path,
            failing: texts,
            graveyard: "\(folder.path)/graves"
        )
        #expect(receipts.map(\.segmentsUnreadable) == [texts.count, texts.count])
        let store = try Self.open(path, HostFileSystem())
        #expect(store.status().quarantined.isEmpty)
        // Before anything merges.
        #expect(try Self.hosts(store) == ["keep"])
        #expect(try H.read(store)[Self.labels("keep")]?.count == 300)
        for resolution in RollupResolution.allCases {
            #expect(try Self.rolledUp(store, "one", resolution) ?? 0 == 0)
            #expect(try Self.rolledUp(store, "two", resolution) ?? 0 == 0)
        }
        try store.merge()
        #expect(try Self.rolledUp(store, "one") == 0)
        #expect(try Self.rolledUp(store, "keep") == 300)
        #expect(try Self.hosts(store) == ["keep"])
        store.stop()
        let again = try Self.open(path, HostFileSystem())
        #expect(try Self.hosts(again) == ["keep"])
        again.stop()
        #expect(try StoreChecker.check(path).problems.isEmpty)
    }

    /// Of a row that stands for samples of an hour a part is erased while the samples are away, at times
    /// at which there are none: when they come back, the row is made anew of them.
    @Test func rollupsThatLostARowAreMadeAnewWhenTheirSamplesComeBack() throws {
        let folder = try TemporaryDirectory()
        let path = "\(folder.path)/data"
        let healthy = try Self.open(path, HostFileSystem())
        try H.append(Self.rows(), to: healthy)
        try healthy.flush()
        try healthy.merge()
        healthy.stop()
        let disk = FaultFileSystem(graveyard: "\(folder.path)/graves")
        let store = try Self.open(path, disk)
        disk.change { plan in
            plan.failing = { operation, path in
                operation == .read && path.contains("/metrics/") ? 5 : nil
            }
        }
        _ = try Self.hosts(store)
        let between = Self.midnight + 90 * 60 * H.second + H.second
        _ = try store.erase(selectors: [[Self.host("one")]], times: between...between)
        store.stop()
        let again = try Self.open(path, HostFileSystem())
        #expect(try Self.rolledUp(again, "one") ?? 300 == 300)
        try again.merge()
        #expect(try Self.rolledUp(again, "one") == 300)
        again.stop()
    }

    /// Cuts the power, or fails one operation, at each operation of the start at which the segment comes
    /// back.
    @Test(arguments: [(true, Int32(5)), (false, 5), (false, 28)])
    func erasedRowsStayAwayWhateverFails(isCrash: Bool, code: Int32) throws {
        let folder = try TemporaryDirectory()
        let template = "\(folder.path)/template"
        _ = try Self.eraseMeanwhile(
            template,
            failing: ["/metrics/", "/rollups1h/"],
            graveyard: "\(folder.path)/graves"
        )
        let count = Atomic<Int>(0)
        func start(_ failAt: Int?) throws {
            let path = "\(folder.path)/\(failAt ?? 0)"
            try H.copyTree(template, to: path)
            let disk = FaultFileSystem(
                graveyard: "\(folder.path)/graves-\(failAt ?? 0)",
                seed: UInt64(failAt ?? 0)
            )
            disk.change { plan in
                plan.failAt = failAt
                plan.code = code
                plan.isCrash = isCrash
            }
            if let store = try? Self.open(path, disk) {
                #expect(try Self.hosts(store).isSubset(of: ["keep"]), "at \(failAt ?? 0)")
                #expect(try Self.rolledUp(store, "one") ?? 0 == 0, "at \(failAt ?? 0)")
                count.store(disk.operations, ordering: .relaxed)
                store.stop(isFlushing: false)
            }
            let again = try Self.open(path, HostFileSystem())
            #expect(try Self.hosts(again) == ["keep"], "at \(failAt ?? 0)")
            #expect(try H.read(again)[Self.labels("keep")]?.count == 300, "at \(failAt ?? 0)")
            try again.merge()
            #expect(try Self.rolledUp(again, "one") == 0, "at \(failAt ?? 0)")
            #expect(try Self.rolledUp(again, "keep") == 300, "at \(failAt ?? 0)")
            again.stop()
            try H.removeTree(path)
        }
        try start(nil)
        let operations = count.load(ordering: .relaxed)
        #expect(operations > 10)
        for operation in 1...operations { try start(operation) }
    }

    @Test func aSnapshotHasWhatIsSetAsideAndTellsOfIt() throws {
        let folder = try TemporaryDirectory()
        let path = "\(folder.path)/data"
        let disk = FaultFileSystem(graveyard: "\(folder.path)/graves")
        let store = try Self.open(path, disk, rollupAfter: nil)
        try H.append(Self.rows(), to: store)
        try store.flush()
        try H.append([(Self.labels("keep"), Self.midnight + Self.day, 1)], to: store)
        try store.flush()
        let whole = try store.snapshot(to: "\(folder.path)/whole")
        #expect(whole.segments == 2 && whole.setAside.isEmpty)
        store.stop()
        let damaged = try Self.open(path, disk, rollupAfter: nil)
        let segment = try #require(try Self.segments(path).first)
        disk.change { plan in
            plan.failing = { operation, path in
                operation == .read && path.hasSuffix(segment) ? 5 : nil
            }
        }
        #expect(try Self.hosts(damaged) == ["keep"])
        _ = try damaged.erase(selectors: [[Self.host("one")]], times: Self.everything)
        let copy = "\(folder.path)/copy"
        let receipt = try damaged.snapshot(to: copy)
        #expect(receipt.segments == 1)
        #expect(receipt.setAside.map(\.path) == [segment])
        #expect(receipt.setAside.map(\.isThere) == [true])
        try HostFileSystem().removeFile("\(path)/\(segment)")
        let without = try damaged.snapshot(to: "\(folder.path)/without")
        #expect(without.setAside.map(\.isThere) == [false])
        #expect(without.setAside.first?.warning.contains("not in the snapshot") == true)
        damaged.stop()
        let other = try Self.open(copy, HostFileSystem(), rollupAfter: nil)
        #expect(try Self.hosts(other) == ["keep", "two"])
        #expect(try H.read(other)[Self.labels("keep")]?.count == 301)
        other.stop()
    }

    /// The paths of a folder's segments of metrics, the earliest day's first.
    private static func segments(_ folder: String) throws -> [String] {
        let host = HostFileSystem()
        let root = "data/default/metrics"
        return try host.list("\(folder)/\(root)").sorted().flatMap { day in
            try host.list("\(folder)/\(root)/\(day)").filter { $0.hasSuffix(".seg") }
                .map { "\(root)/\(day)/\($0)" }
        }
    }
}
