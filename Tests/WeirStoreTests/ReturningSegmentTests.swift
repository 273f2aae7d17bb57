import Testing
import WeirCore
import WeirPattern
import WeirStore
import WeirSystem
import WeirTestSupport

/// Segments that were away for a while and come back: nothing counts twice, the later value stays, and no
/// name is given away meanwhile.
@Suite struct ReturningSegmentTests {
    private typealias H = StoreHarness

    private static let day: Int64 = 86_400 * H.second
    /// The start of a day.
    private static let midnight = H.start / day * day
    private static let series = Labels([("__name__", "m"), ("host", "a")])

    private static func rows(_ minutes: Range<Int>, _ value: Double) -> [(Labels, Int64, Double)] {
        minutes.map { (series, midnight + Int64($0) * 60 * H.second, value) }
    }

    private static func open(
        _ path: String,
        _ disk: any FileSystem,
        daysLater: Int64 = 2,
        rollupAfter: Int64? = 0
    ) throws -> Store {
        let clock = ManualClock(nanoseconds: midnight + daysLater * day)
        return try H.open(path, fileSystem: disk, clock: clock) { $0.rollupAfter = rollupAfter }
    }

    /// Ninety samples, a minute apart, and their rollups.
    private static func fill(_ path: String) throws {
        let store = try open(path, HostFileSystem())
        try H.append(rows(0..<90, 1), to: store)
        try store.flush()
        try store.merge()
        #expect(try H.rolledUpCount(store) == 90)
        store.stop()
    }

    private static func unreadable(_ disk: FaultFileSystem, _ text: String?) {
        disk.change { plan in
            plan.failing = { operation, path in
                guard let text else { return nil }
                return operation == .read && path.contains(text) ? 5 : nil
            }
        }
    }

    /// Rollups are away while late samples move the last time of an hour, and are made anew.
    @Test func rollupsMadeAnewStandForThoseThatWereAway() throws {
        let folder = try TemporaryDirectory()
        let path = "\(folder.path)/data"
        try Self.fill(path)
        let disk = FaultFileSystem(graveyard: "\(folder.path)/graves")
        let store = try Self.open(path, disk)
        Self.unreadable(disk, "/rollups1h/")
        _ = try H.rolledUpCount(store)
        #expect(store.status().quarantined.count == 1)
        Self.unreadable(disk, nil)
        try H.append(Self.rows(90..<100, 1), to: store)
        try store.flush()
        try store.merge()
        #expect(try H.rolledUpCount(store) == 100)
        #expect(store.status().quarantined.isEmpty)
        store.stop()
        let again = try Self.open(path, HostFileSystem())
        try again.merge()
        #expect(try H.rolledUpCount(again) == 100)
        #expect(again.status().quarantined.isEmpty)
        again.stop()
        #expect(try StoreChecker.check(path).problems.isEmpty)
    }

    /// A rollup whose file is gone keeps its name until another stands for it.
    @Test func theNameOfALostSegmentIsNotGivenAway() throws {
        let folder = try TemporaryDirectory()
        let path = "\(folder.path)/data"
        try Self.fill(path)
        let host = HostFileSystem()
        let days = "\(path)/data/default/rollups1h"
        let bucket = "\(days)/\(try #require(try host.list(days).first))"
        let name = try #require(try host.list(bucket).first)
        try host.removeFile("\(bucket)/\(name)")
        let store = try Self.open(path, HostFileSystem())
        #expect(store.status().quarantined.count == 1)
        try store.merge()
        #expect(try H.rolledUpCount(store) == 90)
        #expect(try host.list(bucket) != [name])
        _ = try store.snapshot(to: "\(folder.path)/copy")
        store.stop()
        for place in [path, "\(folder.path)/copy"] {
            let again = try Self.open(place, HostFileSystem())
            #expect(try H.rolledUpCount(again) == 90)
            #expect(again.status().quarantined.isEmpty)
            again.stop()
        }
    }

    /// Of three segments with a value each for the same times the middle one is away: the last value stays.
    @Test func segmentsDoNotMergeAcrossOneThatComesBack() throws {
        let folder = try TemporaryDirectory()
        let path = "\(folder.path)/data"
        let disk = FaultFileSystem(graveyard: "\(folder.path)/graves")
        // The day is not over, so that nothing merges by itself.
        let store = try Self.open(path, disk, daysLater: 0, rollupAfter: nil)
        for value in 1...3 {
            try H.append(Self.rows(0..<10, Double(value)), to: store)
            try store.flush()
        }
        let host = HostFileSystem()
        let days = "\(path)/data/default/metrics"
        let bucket = "\(days)/\(try #require(try host.list(days).first))"
        let names = try host.list(bucket).sorted()
        #expect(names.count == 3)
        Self.unreadable(disk, names[1])
        _ = try H.read(store)
        #expect(store.status().quarantined.count == 1)
        try store.merge()
        store.stop()
        let again = try Self.open(path, host, daysLater: 0, rollupAfter: nil)
        try again.merge()
        let expected = Self.rows(0..<10, 3).map { Sample($0.1, $0.2) }
        #expect(try H.read(again) == [Self.series: expected])
        again.stop()
    }

    @Test func aFolderWithoutItsCatalogIsNotSweptEmpty() throws {
        let folder = try TemporaryDirectory()
        let store = try Self.open(folder.path, HostFileSystem())
        try H.append(Self.rows(0..<10, 1), to: store)
        try store.flush()
        store.stop()
        let host = HostFileSystem()
        for name in try host.list(folder.path) where name.hasPrefix("catalog.sqlite") {
            try host.rename("\(folder.path)/\(name)", to: "\(folder.path)/kept-\(name)")
        }
        #expect(throws: StoreError.self) { try Self.open(folder.path, host) }
        for name in try host.list(folder.path) where name.hasPrefix("kept-") {
            try host.rename("\(folder.path)/\(name)", to: "\(folder.path)/\(name.dropFirst(5))")
        }
        let again = try Self.open(folder.path, host)
        #expect(try H.read(again)[Self.series]?.count == 10)
        again.stop()
    }

    /// Rows that were acknowledged before their sync are synced when the file they are in is given up.
    @Test(arguments: 0..<6 as Range<UInt64>)
    func aFailedAppendSyncsWhatWasPromised(seed: UInt64) throws {
        let folder = try TemporaryDirectory()
        let path = "\(folder.path)/data"
        let disk = FaultFileSystem(graveyard: "\(folder.path)/graves", seed: seed)
        let store = try Self.open(path, disk)
        let interval = SyncMode.interval(3600 * H.second)
        try H.append(Self.rows(0..<10, 1), to: store, sync: interval)
        disk.change { plan in
            plan.failing = { operation, path in
                operation == .write && path.hasSuffix(".wal") ? 28 : nil
            }
        }
        #expect(throws: StoreError.self) { try H.append(Self.rows(10..<20, 1), to: store) }
        let next = disk.operations + 1
        disk.change { plan in
            plan.failing = nil
            plan.failAt = next
            plan.isCrash = true
        }
        // The power goes at the next operation.
        #expect(throws: StoreError.self) { try H.append(Self.rows(20..<30, 1), to: store) }
        #expect(disk.isCrashed)
        store.stop(isFlushing: false)
        let again = try Self.open(path, HostFileSystem())
        #expect(try H.read(again)[Self.series]?.count == 10)
        again.stop()
    }
}
