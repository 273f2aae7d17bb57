import Synchronization
import Testing
import WeirCore
import WeirPattern
import WeirStore
import WeirSystem
import WeirTestSupport

/// Rollups are made of days past, are used while they stand for all of a day, and go with what they
/// are of.
@Suite struct RollupStoreTests {
    private typealias H = StoreHarness
    private typealias Rows = [(Labels, Int64, Double)]

    private static let day: Int64 = 86_400 * H.second
    /// The start of a day.
    private static let midnight = H.start / day * day
    private static let everything = Int64.min...Int64.max

    /// Samples of three hosts over a day, one a minute.
    private static func rows(day: Int64 = 0, hosts: Int = 3, everyMinutes: Int = 1) -> Rows {
        (0..<hosts).flatMap { host in
            stride(from: 0, to: 1440, by: everyMinutes).map { minute in
                (
                    Labels([("__name__", "m"), ("host", "h\(host)")]),
                    midnight + day * Self.day + Int64(minute) * 60 * H.second,
                    Double((minute * 7 + host) % 100)
                )
            }
        }
    }

    /// A store whose clock stands two days after `midnight`.
    private static func open(
        _ path: String,
        fileSystem: any FileSystem = HostFileSystem(),
        clock: any WallClock = ManualClock(nanoseconds: midnight + 2 * day),
        _ change: (inout StoreOptions) -> Void = { _ in }
    ) throws -> Store {
        try H.open(path, fileSystem: fileSystem, clock: clock) { options in
            options.rollupAfter = 0
            change(&options)
        }
    }

    /// What is read as rollups: per host the rows' times and counts of samples; nil when none is used.
    private static func read(
        _ store: Store,
        _ resolutions: [RollupResolution] = [.oneHour],
        times: ClosedRange<Int64> = everything
    ) throws -> [String: [Int64]]? {
        let budget = FreeBudget()
        let selection = try store.selectRollups(
            matchers: [],
            times: times,
            resolutions: resolutions,
            budget: budget
        )
        guard let selection else { return nil }
        let found = Mutex<[String: [Int64]]>([:])
        let isWhole = try selection.scan(
            columns: [RollupColumn.count.rawValue],
            budget: budget
        ) {
            { series, rows in
                let counts = rows.columns[RollupColumn.count.rawValue].ints
                found.withLock { $0[selection.labels[series]["host"] ?? ""] = counts }
                return rows.times == rows.times.sorted() && rows.times.count == counts.count
            }
        }
        #expect(isWhole)
        return found.withLock { $0 }
    }

    private static func isUsed(_ store: Store) throws -> Bool { try read(store) != nil }

    private static func rowCount(_ store: Store, _ signal: Signal) -> Int {
        store.status().signals.first { $0.signal == signal }?.segmentRows ?? 0
    }

    /// The first minute of a day is in a window of its own, that of the day before's last hour.
    private static let hours: [Int64] = [1] + Array(repeating: 60, count: 23) + [59]

    @Test func aDayPastGetsBothRollups() throws {
        let folder = try TemporaryDirectory()
        let store = try Self.open(folder.path)
        try H.append(Self.rows(), to: store)
        try store.flush()
        #expect(try !Self.isUsed(store))
        try store.merge()
        #expect(Self.rowCount(store, .rollups1h) == 3 * 25)
        #expect(Self.rowCount(store, .rollups5m) == 3 * 289)
        #expect(Self.rowCount(store, .metrics) == 3 * 1440)
        let hours = try #require(try Self.read(store))
        #expect(hours == ["h0": Self.hours, "h1": Self.hours, "h2": Self.hours])
        let minutes = try #require(try Self.read(store, [.fiveMinutes]))
        #expect(minutes["h1"] == [1] + Array(repeating: 5, count: 287) + [4])
        // Made once.
        try store.merge()
        #expect(store.counters.rolledUpDays.value == 1)
        store.stop()
        let again = try Self.open(folder.path)
        #expect(try Self.read(again) == hours)
        try again.merge()
        #expect(again.counters.rolledUpDays.value == 0)
        again.stop()
        #expect(try StoreChecker.check(folder.path).problems.isEmpty)
    }

    @Test func aDayWaitsUntilItIsDue() throws {
        let folder = try TemporaryDirectory()
        let clock = ManualClock(nanoseconds: Self.midnight + Self.day + 3600 * H.second)
        let store = try Self.open(folder.path, clock: clock) {
            $0.rollupAfter = 2 * 3600 * H.second
        }
        try H.append(Self.rows(), to: store)
        try store.flush()
        try store.merge()
        #expect(try !Self.isUsed(store))
        clock.advance(nanoseconds: 3600 * H.second)
        try store.merge()
        #expect(try Self.isUsed(store))
        store.stop()
    }

    @Test func noneAreMadeWhenTheyAreOff() throws {
        let folder = try TemporaryDirectory()
        let store = try Self.open(folder.path) { $0.rollupAfter = nil }
        try H.append(Self.rows(), to: store)
        try store.flush()
        try store.merge()
        #expect(Self.rowCount(store, .rollups1h) == 0)
        store.stop()
    }

    @Test func aLateSampleSetsTheDaysRollupsAsideUntilTheyAreMadeAnew() throws {
        let folder = try TemporaryDirectory()
        let store = try Self.open(folder.path)
        try H.append(Self.rows(day: -1), to: store)
        try H.append(Self.rows(), to: store)
        try store.flush()
        try store.merge()
        let late = Self.midnight + 90 * 60 * H.second + 1
        try H.append([(Labels([("__name__", "m"), ("host", "h1")]), late, 5)], to: store)
        // The day before has rollups still; those of this day are summed up as it is read.
        var expected = Self.hours
        expected[2] += 1
        let day = Self.midnight...(Self.midnight + Self.day - 1)
        #expect(try Self.read(store, times: day) == nil)
        let inMemory = try #require(try Self.read(store))
        #expect(inMemory["h1"] == Self.hours + expected)
        #expect(inMemory["h0"] == Self.hours + Self.hours)
        try store.flush()
        #expect(try Self.read(store, times: day) == nil)
        #expect(try Self.read(store) == inMemory)
        try store.merge()
        #expect(try Self.read(store, times: day)?["h1"] == expected)
        #expect(try Self.read(store) == inMemory)
        #expect(store.counters.rolledUpDays.value == 3)
        store.stop()
    }

    @Test func erasedSamplesAreInNoRollup() throws {
        let folder = try TemporaryDirectory()
        let store = try Self.open(folder.path)
        try H.append(Self.rows(), to: store)
        try store.flush()
        try store.merge()
        let secret = LabelMatcher(name: "host", operation: .equal, value: "h1")
        let hour = (Self.midnight + 60 * 60 * H.second + 1)...(Self.midnight + 7200 * H.second)
        let receipt = try store.erase(selectors: [[secret]], times: hour)
        // Rollups are derived: they are taken away, and are no rows of the receipt's.
        #expect(receipt.rows == [.metrics: 60])
        #expect(receipt.series == 1 && receipt.segmentsRewritten == 1)
        #expect(try !Self.isUsed(store))
        #expect(Self.rowCount(store, .rollups1h) == 0)
        let folders = try HostFileSystem().list("\(folder.path)/data/default/rollups1h")
        for day in folders {
            let files = try HostFileSystem().list("\(folder.path)/data/default/rollups1h/\(day)")
            #expect(files.isEmpty)
        }
        try store.merge()
        var left = Self.hours
        left.remove(at: 2)
        #expect(try Self.read(store) == ["h0": Self.hours, "h1": left, "h2": Self.hours])
        store.stop()
        #expect(try StoreChecker.check(folder.path).problems.isEmpty)
    }

    @Test func erasingNothingLeavesTheRollups() throws {
        let folder = try TemporaryDirectory()
        let store = try Self.open(folder.path)
        try H.append(Self.rows(), to: store)
        try store.flush()
        try store.merge()
        // Between two samples, in the middle of windows.
        let gap = (Self.midnight + 90 * H.second)...(Self.midnight + 100 * H.second)
        let receipt = try store.erase(
            selectors: [[LabelMatcher(name: "host", operation: .equal, value: "h1")]],
            times: gap
        )
        #expect(receipt.rows.isEmpty)
        #expect(try Self.read(store)?["h1"] == Self.hours)
        store.stop()
    }

    @Test func rollupsOutliveTheirSamplesWhenAsked() throws {
        let folder = try TemporaryDirectory()
        let clock = ManualClock(nanoseconds: Self.midnight + 2 * Self.day)
        func opened(makesRollups: Bool = false) throws -> Store {
            try Self.open(folder.path, clock: clock) { options in
                if !makesRollups { options.rollupAfter = nil }
                options.retentionAge = 3 * Self.day
                options.rollupRetention[.oneHour] = .age(10 * Self.day)
            }
        }
        let young = try opened(makesRollups: true)
        try H.append(Self.rows(), to: young)
        try young.flush()
        try young.merge()
        young.stop()
        clock.advance(nanoseconds: 3 * Self.day)
        // The first flush looks at retention.
        let store = try opened()
        try H.append(Self.rows(day: 4, hosts: 1, everyMinutes: 60), to: store)
        try store.flush()
        try H.eventually { Self.rowCount(store, .metrics) == 24 }
        #expect(Self.rowCount(store, .rollups5m) == 0)
        #expect(Self.rowCount(store, .rollups1h) == 75)
        let hours = try #require(try Self.read(store, []))
        #expect(hours["h2"] == Self.hours)
        // What is only a rollup is found as samples too: the last of each window.
        let samples = try H.read(store)
        let host = Labels([("__name__", "m"), ("host", "h2")])
        #expect(samples[host]?.count == 25)
        #expect(samples[host]?[1] == Sample(Self.midnight + 3600 * H.second, Double(422 % 100)))
        // Its rows are erased by what they stand for.
        let receipt = try store.erase(
            selectors: [[LabelMatcher(name: "host", operation: .equal, value: "h2")]],
            times: (Self.midnight + 90 * H.second)...(Self.midnight + 100 * H.second)
        )
        #expect(receipt.rows == [.rollups1h: 1])
        #expect(try Self.read(store, [])?["h2"] == [1] + Array(Self.hours[2...]))
        store.stop()
        clock.advance(nanoseconds: 8 * Self.day)
        let old = try opened()
        try H.append(Self.rows(day: 11, hosts: 1, everyMinutes: 60), to: old)
        try old.flush()
        try H.eventually { Self.rowCount(old, .rollups1h) == 0 }
        old.stop()
        #expect(try StoreChecker.check(folder.path).problems.isEmpty)
    }

    /// Samples went for room, and rollups of hours stay for them: a sample that comes late, and an erasure
    /// among such, leave them.
    @Test func rollupsWithoutSamplesStayWhenSamplesComeLate() throws {
        let folder = try TemporaryDirectory()
        let clock = ManualClock(nanoseconds: Self.midnight + 2 * Self.day)
        var bytesMax = 0
        do {
            let store = try Self.open(folder.path, clock: clock) {
                $0.rollupRetention[.oneHour] = .forever
            }
            try H.append(Self.rows(), to: store)
            try store.flush()
            try store.merge()
            for status in store.status().signals {
                bytesMax += status.segmentBytes / (status.signal == .rollups1h ? 1 : 2)
            }
            store.stop()
        }
        let store = try Self.open(folder.path, clock: clock) { options in
            options.rollupRetention[.oneHour] = .forever
            options.retentionBytes = bytesMax
        }
        clock.advance(nanoseconds: 2 * Self.day)
        try H.append(Self.rows(day: 4, hosts: 1, everyMinutes: 60), to: store)
        try store.flush()
        try H.eventually { Self.rowCount(store, .rollups5m) == 0 }
        #expect(Self.rowCount(store, .metrics) == 24)
        #expect(Self.rowCount(store, .rollups1h) == 75)
        let late = Labels([("__name__", "m"), ("host", "h1")])
        try H.append([(late, Self.midnight + 5 * H.second, 1)], to: store)
        try store.flush()
        try store.merge()
        try store.merge()
        #expect(try Self.read(store, [])?["h2"] == Self.hours)
        let receipt = try store.erase(
            selectors: [[LabelMatcher(name: "host", operation: .equal, value: "h1")]],
            times: (Self.midnight + 5 * H.second)...(Self.midnight + 5 * H.second)
        )
        #expect(receipt.rows[.metrics] == 1)
        #expect(try Self.read(store, [])?["h2"] == Self.hours)
        #expect(try Self.read(store, [])?["h0"]?.prefix(25) == Self.hours[...])
        store.stop()
        #expect(try StoreChecker.check(folder.path).problems.isEmpty)
    }

    @Test func aResolutionThatIsTooOldIsNotMadeAgain() throws {
        let folder = try TemporaryDirectory()
        let store = try Self.open(folder.path) { options in
            options.rollupRetention[.fiveMinutes] = .age(Self.day / 2)
        }
        try H.append(Self.rows(), to: store)
        try store.flush()
        try store.merge()
        try store.merge()
        #expect(Self.rowCount(store, .rollups5m) == 0)
        #expect(Self.rowCount(store, .rollups1h) == 75)
        #expect(store.counters.rolledUpDays.value == 1)
        store.stop()
    }

    @Test func aDayOfMarkersIsTriedOnce() throws {
        let folder = try TemporaryDirectory()
        let store = try Self.open(folder.path)
        let host = Labels([("__name__", "m"), ("host", "h1")])
        try H.append([(host, Self.midnight + 1, .staleMarker)], to: store)
        try store.flush()
        try store.merge()
        try store.merge()
        #expect(store.counters.rolledUpDays.value == 1)
        #expect(store.counters.rolledUpRows.value == 0)
        store.stop()
    }

    @Test func aDamagedRollupIsSetAsideAndMadeAgain() throws {
        let folder = try TemporaryDirectory()
        let store = try Self.open(folder.path)
        try H.append(Self.rows(), to: store)
        try store.flush()
        try store.merge()
        let days = "\(folder.path)/data/default/rollups1h"
        let files = HostFileSystem()
        let day = try #require(try files.list(days).first)
        let name = try #require(try files.list("\(days)/\(day)").first)
        try files.openForWriting("\(days)/\(day)/\(name)").write(
            [UInt8](repeating: 0x55, count: 64),
            at: 12
        )
        let budget = FreeBudget()
        let selection = try #require(
            try store.selectRollups(
                matchers: [],
                times: Self.everything,
                resolutions: [.oneHour],
                budget: budget
            )
        )
        let isWhole = try selection.scan(columns: [0], budget: budget) { { _, _ in true } }
        // The samples are there: whoever asked takes those, and need not be told.
        #expect(!isWhole)
        #expect(budget.quarantined.withLock { $0.isEmpty })
        #expect(try !Self.isUsed(store))
        try store.merge()
        #expect(try Self.read(store)?["h1"] == Self.hours)
        store.stop()
    }
}
